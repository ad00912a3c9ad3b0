// SPDX-License-Identifier: Apache-2.0
// Programs and libraries in the ELF format: what is told of one stands in it, and is not more than it has.
#include "base/elf_needs.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(elf_fuzz, input) {
  using fuzz::require;
  const auto needs = base::elf_needs(input);
  require(!needs || input.size() >= 64);
  if (!needs) return;
  require(needs->loader.size() <= input.size() && input.find(needs->loader) != std::string_view::npos);
  std::size_t bytes = 0;
  for (const auto& library : needs->libraries) {
    require(library.find('\0') == std::string::npos && input.find(library) != std::string_view::npos);
    bytes += library.size();
  }
  require(bytes <= 16 * input.size());
}
