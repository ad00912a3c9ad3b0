// SPDX-License-Identifier: Apache-2.0
// A Dockerfile: it is read or refused with its line, and its instructions know theirs. What a shell and pip
// would make of each one is read as well.
#include "pachbuild/starter/dockerfile.h"
#include "pachbuild/starter/pip_install.h"
#include "pachbuild/starter/shell_words.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(dockerfile_fuzz, input) {
  using fuzz::require;
  const std::string text(input);
  const auto instructions = starter::parse_dockerfile(text, "Dockerfile");
  if (!instructions) {
    fuzz::require_readable(instructions.error());
    return require(instructions.error().where.starts_with("Dockerfile"));
  }
  const auto lines = base::split(text, '\n').size();
  starter::Variables variables = {{"HOME", "/root"}};
  std::size_t line = 0;
  for (const auto& instruction : *instructions) {
    require(instruction.line > line && instruction.line <= lines);
    line = instruction.line;
    const auto last = instruction.line_at(instruction.text.size());
    require(last >= line && last <= lines);
    const auto expanded = starter::expand_words(instruction.text, variables).texts();
    std::size_t size = 0;
    for (const auto& word : expanded) size += word.size();
    require(size <= instruction.text.size() + starter::k_largest_expansion);
    if (!expanded.empty()) variables["A"] = expanded.front();
    for (const auto& command : starter::shell_commands(instruction.text, variables, instruction.is_script)) {
      require(!command.words.empty() && command.offset < instruction.text.size());
      starter::read_pip_install(command.words);
    }
  }
}
