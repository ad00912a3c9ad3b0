// SPDX-License-Identifier: Apache-2.0
// A pattern, a 0xff byte, a text: compiling, matching and capturing end, in time, with nothing but an answer.
// The pattern is also a template.
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
    const auto captures = compiled->capture(text);
    fuzz::require(captures.has_value() == matched);
    fuzz::require(compiled->replace(text, "$0$$") == (matched ? std::string(text) + "$" : "$"));
    if (captures) {
      fuzz::require(captures->front() == text);
      for (std::size_t i = 0; i < captures->size(); ++i) {
        fuzz::require(text.find((*captures)[i]) != std::string_view::npos);
        fuzz::require(compiled->replace(text, "${" + std::to_string(i) + "}") == (*captures)[i]);
      }
    }
    const std::string filled = compiled->replace(text, pattern);
    fuzz::require(pattern.find('$') != std::string_view::npos || filled == pattern);
    // A pattern without special characters matches itself and nothing else.
    const bool is_plain = pattern.find_first_of("*?[{(\\") == std::string_view::npos;
    fuzz::require(!is_plain || matched == (pattern == text));
  }
  const std::string clean = glob::clean_input_glob(pattern);
  fuzz::require(glob::clean_input_glob(clean) == clean);
}
