// SPDX-License-Identifier: Apache-2.0
// Which faults are on, and which places were reached: a page of memory that all processes of a test share
// through a file at a fixed path. Programs clean the environment of what they start, so no variable could say
// it. Tests run in mount namespaces of their own (isolation.py), so each has another file there.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace fault {

constexpr std::size_t k_most = 4096;

struct Page {
  unsigned char is_on[k_most];
  unsigned char is_reached[k_most];
};

inline Page nowhere{};  // of a process that cannot see the file
inline Page* current = nullptr;

inline Page& page() noexcept {
  if (current != nullptr) return *current;
  const int kept = errno;
  void* mapped = MAP_FAILED;
  if (const int file = ::open(FAULT_PAGE, O_RDWR | O_CLOEXEC); file >= 0) {
    mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
  }
  errno = kept;
  current = mapped == MAP_FAILED ? &nowhere : static_cast<Page*>(mapped);
  return *current;
}

// At the start of the program, before it leaves folders, descriptors and rights behind.
inline const bool is_open = (page(), true);

inline bool on(int number) noexcept {
  page().is_reached[number] = 1;
  return page().is_on[number] != 0;
}

// A constant; with the fault, another.
template <class Value>
constexpr Value wrong(int number, Value value) noexcept {
  return on(number) ? static_cast<Value>(value + value) : value;
}

}  // namespace fault
