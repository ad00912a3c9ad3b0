// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/slots.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "base/errors.h"

namespace local {

base::Result<Slots> Slots::make(int count) {
  base::UniqueFd free(::eventfd(static_cast<unsigned>(count), EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
  if (!free) return base::fail(base::system_error("make", "a counter of workers", errno));
  return Slots(count, std::move(free));
}

std::optional<Slots::Slot> Slots::take() const {
  eventfd_t one = 0;
  if (::eventfd_read(m_free.get(), &one) != 0) return std::nullopt;
  return Slot(m_free.get());
}

Slots::Slot::Slot(Slot&& other) noexcept : m_owner(std::exchange(other.m_owner, -1)) {}

Slots::Slot& Slots::Slot::operator=(Slot&& other) noexcept {
  if (this != &other) {
    free();
    m_owner = std::exchange(other.m_owner, -1);
  }
  return *this;
}

void Slots::Slot::free() {
  if (m_owner >= 0) static_cast<void>(::eventfd_write(m_owner, 1));
  m_owner = -1;
}

}  // namespace local
