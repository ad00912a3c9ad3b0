// SPDX-License-Identifier: Apache-2.0
// With libFuzzer (preset fuzz) the program is the target that FUZZ_TARGET names. In other builds it runs
// every target over the inputs that are kept for it, fuzz_targets FOLDER: an input is named before it is
// tried, since one that a target stumbles over ends the program.
#include <cstdio>
#include <map>
#include <string>

#include "tests/fuzz/target.h"

namespace fuzz {
namespace {

using Target = void (*)(std::string_view);

std::map<std::string, Target>& targets() {
  static std::map<std::string, Target> all;
  return all;
}

#ifdef PACHBUILD_FUZZ

Target chosen_target() {
  const char* const name = std::getenv("FUZZ_TARGET");
  const auto chosen = targets().find(name == nullptr ? "" : name);
  if (chosen != targets().end()) return chosen->second;
  std::fprintf(stderr, "error: FUZZ_TARGET: names no target\n");
  std::exit(64);
}

#else

unsigned digit_of(char character) {
  return static_cast<unsigned>(character <= '9' ? character - '0' : character - 'a' + 10);
}

// tests/fuzz/corpus.py writes the lines.
std::string input_of(std::string_view line) {
  std::string input;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      input += line[i];
    } else if (line.at(++i) == 'n') {
      input += '\n';
    } else if (line[i] == 'x') {
      input += static_cast<char>(digit_of(line.at(i + 1)) << 4U | digit_of(line.at(i + 2)));
      i += 2;
    } else {
      input += line[i];
    }
  }
  return input;
}

int run_all(const base::fs::path& folder) {
  for (const auto& [name, target] : targets()) {
    const auto text = base::read_file(folder / (name + ".txt"));
    if (!text) {
      std::fprintf(stderr, "%s", base::format_error(text.error()).c_str());
      return 1;
    }
    std::size_t number = 0;
    for (const auto& line : base::split(*text, '\n')) {
      ++number;
      if (line.empty() || line.front() == '#') continue;
      std::printf("%s:%zu\n", name.c_str(), number);
      std::fflush(stdout);
      // Of its own, so that reading behind the end is noticed.
      const std::string input = input_of(line.substr(1));
      target(input);
    }
  }
  return 0;
}

#endif

}  // namespace

bool add_target(const std::string& name, Target target) { return targets().emplace(name, target).second; }

}  // namespace fuzz

#ifdef PACHBUILD_FUZZ
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto target = fuzz::chosen_target();
  target({reinterpret_cast<const char*>(data), size});
  return 0;
}
#else
int main(int argc, char** argv) { return argc == 2 ? fuzz::run_all(argv[1]) : 64; }
#endif
