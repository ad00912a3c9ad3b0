// SPDX-License-Identifier: Apache-2.0
// A pattern, a 0xff byte, a text: compiling and matching end, in time, with nothing but an answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "glob/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\xff');
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = end == std::string_view::npos ? pattern : input.substr(end + 1);
  for (const glob::Separator separator : {glob::Separator::slash, glob::Separator::none}) {
    const auto compiled = glob::Glob::compile(pattern, separator);
    if (!compiled) continue;
    const bool matched = compiled->matches(text);
    // A pattern without special characters matches itself and nothing else.
    if (pattern.find_first_of("*?[{(\\") == std::string_view::npos && matched != (pattern == text))
      std::abort();
  }
  const std::string clean = glob::clean_input_glob(pattern);
  if (glob::clean_input_glob(clean) != clean) std::abort();
  return 0;
}
