// SPDX-License-Identifier: Apache-2.0
// Formats: elf(5) and, for the first line of a script, execve(2).
#include "worker-shim/executable_format.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/elf_needs.h"
#include "base/unique_fd.h"

namespace shim {
namespace {

struct MachineName {
  unsigned machine;
  const char* name;
};
constexpr std::array k_machine_names = {
    MachineName{EM_X86_64, "amd64"}, MachineName{EM_AARCH64, "arm64"},     MachineName{EM_386, "386"},
    MachineName{EM_ARM, "arm"},      MachineName{EM_RISCV, "riscv64"},     MachineName{EM_PPC64, "ppc64le"},
    MachineName{EM_S390, "s390x"},   MachineName{EM_LOONGARCH, "loong64"},
};

std::string name_machine(unsigned machine) {
  for (const auto& known : k_machine_names) {
    if (known.machine == machine) return known.name;
  }
  return "machine number " + std::to_string(machine);
}

ExecutableFormat parse_elf(std::string_view head) {
  // e_machine is at the same place in both classes, in the byte order that EI_DATA names.
  constexpr std::size_t k_machine_offset = 18;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[i]); };
  unsigned low = byte(k_machine_offset);
  unsigned high = byte(k_machine_offset + 1);
  if (head[EI_DATA] == ELFDATA2MSB) std::swap(low, high);
  return {ExecutableFormat::Kind::elf, name_machine(high << 8U | low),
          base::elf_needs(head).value_or(base::ElfNeeds()).loader};
}

ExecutableFormat parse_script(std::string_view head) {
  std::string_view line = head.substr(2, head.find('\n') - 2);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return {ExecutableFormat::Kind::script, {}, std::string(line.substr(0, line.find_first_of(" \t")))};
}

}  // namespace

ExecutableFormat parse_executable_format(std::string_view head) {
  if (head.empty()) return {ExecutableFormat::Kind::empty, {}, {}};
  if (head.substr(0, 2) == "#!") return parse_script(head);
  if (head.size() >= sizeof(Elf32_Ehdr) && head.substr(0, SELFMAG) == ELFMAG) return parse_elf(head);
  return {};
}

ExecutableFormat read_executable_format(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return {};
  std::array<char, 4096> head{};
  const ssize_t count = ::read(file.get(), head.data(), head.size());
  if (count < 0) return {};
  return parse_executable_format({head.data(), static_cast<std::size_t>(count)});
}

std::string own_machine() {
#if defined(__x86_64__)
  return name_machine(EM_X86_64);
#elif defined(__aarch64__)
  return name_machine(EM_AARCH64);
#else
#error "say here what this machine is called"
#endif
}

}  // namespace shim
