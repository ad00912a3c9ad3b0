// SPDX-License-Identifier: Apache-2.0
// A pattern, a 0xff byte, a text: compiling and matching end, in time, with nothing but an answer.
#include "glob/glob.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(glob_fuzz, input) {
  const std::size_t end = input.find('\xff');
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = end == std::string_view::npos ? pattern : input.substr(end + 1);
  for (const glob::Separator separator : {glob::Separator::slash, glob::Separator::none}) {
    const auto compiled = glob::Glob::compile(pattern, separator);
    if (!compiled) continue;
    const bool matched = compiled->matches(text);
    // A pattern without special characters matches itself and nothing else.
    const bool is_plain = pattern.find_first_of("*?[{(\\") == std::string_view::npos;
    fuzz::require(!is_plain || matched == (pattern == text));
  }
  const std::string clean = glob::clean_input_glob(pattern);
  fuzz::require(glob::clean_input_glob(clean) == clean);
}
