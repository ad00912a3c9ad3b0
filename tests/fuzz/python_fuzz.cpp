// SPDX-License-Identifier: Apache-2.0
// What a Python source and its packages say about versions: any text is either refused or means the same when
// it is written out. And the files that a package names.
#include <algorithm>

#include "builder-runtime/languages/python/install/source_builds.h"
#include "builder-runtime/languages/python/install/uv_words.h"
#include "builder-runtime/languages/python/manifests/inline_metadata.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "builder-runtime/languages/python/packaging/marker.h"
#include "builder-runtime/languages/python/packaging/record.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"
#include "revision/revision.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;
namespace python = builder::python;

void read_versions(const std::string& text) {
  if (const auto version = python::Version::parse(text)) {
    require(*version == *version);
    const auto specifiers = python::Specifiers::parse("==" + text);
    require(!specifiers || text.find(',') != std::string::npos || specifiers->allows(*version));
  }
  static_cast<void>(python::Specifiers::parse(text));
  if (const auto alternatives = python::from_poetry(text)) {
    for (const auto& alternative : *alternatives) require(python::Specifiers::parse(alternative).has_value());
  }
}

void read_pins(const std::string& text) {
  std::vector<python::Pin> pins;
  for (auto pin : {python::pin_of_specifiers("x", text), python::pin_of_poetry("x", text),
                   python::pin_of_version("x", text)}) {
    if (pin) {
      pins.push_back(std::move(*pin));
    } else {
      fuzz::require_readable(pin.error());
    }
  }
  if (const auto agreed = python::check_agreement(pins); !agreed) fuzz::require_readable(agreed.error());
}

}  // namespace

FUZZ_TARGET(python_fuzz, input) {
  const std::string text(input);
  read_versions(text);
  read_pins(text);
  if (const auto requirement = python::Requirement::parse(text)) {
    const auto again = python::Requirement::parse(requirement->text());
    require(again && again->name == requirement->name && again->extras == requirement->extras);
    require(python::normalised_name(requirement->name) == requirement->name);
  }
  static const python::MarkerEnvironment here = {
      .values = {{"python_version", "3.11"}, {"sys_platform", "linux"}}, .extras = {"x"}};
  if (const auto result = python::holds(text, here)) {
    // Not beyond the deepest that is read.
    const bool is_flat = std::count(text.begin(), text.end(), '(') < 20;
    require(!is_flat || base::trim(text).empty() || python::holds("(" + text + ")", here) == result);
  }
  for (const auto& path : python::paths_of_record(text)) require(path.find('\n') == std::string::npos);
  for (const auto& line : python::logical_lines(text))
    static_cast<void>(python::parse_requirement_line(line, "x"));
  static_cast<void>(python::decode_requirements(text, "x"));
  static_cast<void>(python::find_inline_block(text, "main.py"));
  static_cast<void>(python::source_build_in(text));
  static_cast<void>(python::UvWords("/w", "/w/s", "/s", "m", {"--frozen"}).shown(text));
  if (const auto read = revision::parse(text, "file")) {
    const auto again = revision::parse(revision::to_text(*read), "file");
    require(again && revision::to_text(*again) == revision::to_text(*read));
  }
}
