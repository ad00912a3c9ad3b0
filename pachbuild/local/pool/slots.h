// SPDX-License-Identifier: Apache-2.0
// How many tasks may run at once, in all pools together that share them.
#pragma once

#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace local {

class Slots {
 public:
  static base::Result<Slots> make(int count);

  // A taken slot; it is free again when this is gone.
  class Slot {
   public:
    explicit Slot(int owner) : m_owner(owner) {}
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot() { free(); }

   private:
    void free();
    int m_owner = -1;
  };

  // One that is free now; on any thread.
  [[nodiscard]] std::optional<Slot> take() const;

  // How many there are.
  [[nodiscard]] int count() const { return m_count; }

  // Readable while one is free.
  [[nodiscard]] int descriptor() const { return m_free.get(); }

 private:
  Slots(int count, base::UniqueFd free) : m_count(count), m_free(std::move(free)) {}
  int m_count;
  base::UniqueFd m_free;  // counts the free ones (eventfd(2), EFD_SEMAPHORE)
};

}  // namespace local
