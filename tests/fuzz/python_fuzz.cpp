// SPDX-License-Identifier: Apache-2.0
// What a Python source says about versions: any text is either refused or means the same when it is written
// out.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "builder-runtime/languages/python/inline_metadata.h"
#include "builder-runtime/languages/python/marker.h"
#include "builder-runtime/languages/python/requirement.h"
#include "builder-runtime/languages/python/requirements.h"
#include "builder-runtime/languages/python/source_builds.h"
#include "builder-runtime/languages/python/uv_words.h"
#include "builder-runtime/languages/python/version.h"
#include "revision/revision.h"

namespace {

using namespace builder::python;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto version = Version::parse(text)) {
    require(*version == *version);
    const auto specifiers = Specifiers::parse("==" + text);
    require(!specifiers || text.find(',') != std::string::npos || specifiers->allows(*version));
  }
  static_cast<void>(Specifiers::parse(text));
  if (const auto alternatives = from_poetry(text)) {
    for (const auto& alternative : *alternatives) require(Specifiers::parse(alternative).has_value());
  }
  if (const auto requirement = Requirement::parse(text)) {
    const auto again = Requirement::parse(requirement->text());
    require(again && again->name == requirement->name && again->extras == requirement->extras);
  }
  static const MarkerEnvironment here = {.values = {{"python_version", "3.11"}, {"sys_platform", "linux"}},
                                         .extras = {"x"}};
  static_cast<void>(holds(text, here));
  static_cast<void>(join_lines(text));
  static_cast<void>(find_inline_block(text, "main.py"));
  static_cast<void>(source_build_in(text));
  static_cast<void>(UvWords("/w", "/w/s", "/s", "m", {"--frozen"}).shown(text));
  if (const auto read = revision::parse(text, "file")) {
    const auto again = revision::parse(revision::to_text(*read), "file");
    require(again && revision::to_text(*again) == revision::to_text(*read));
  }
  return 0;
}
