// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/reference.h"

#include "base/text.h"

namespace builder::declared {
namespace {

// RFC 6901: "~1" is a slash in a key, "~0" a tilde.
std::string plain_key(std::string key) {
  base::replace_all(key, "~1", "/");
  base::replace_all(key, "~0", "~");
  return key;
}

}  // namespace

base::Result<Reference> Reference::parse(const std::string& text) {
  // A file pattern may begin with "#!".
  const auto mark = text.find("#/");
  BASE_TRY_ASSIGN(auto files, FilePattern::compile(text.substr(0, mark)));
  Reference reference{.text = text, .files = std::move(files)};
  if (mark == std::string::npos) return reference;
  if (!reference.files.is_plain()) {
    return base::fail(
        base::ErrorKind::bad_input, "",
        "invalid reference " + base::quoted(text) + ": a pointer needs one file, not a pattern");
  }
  reference.is_value = true;
  for (auto& key : base::split(text.substr(mark + 2), '/'))
    reference.pointer.push_back(plain_key(std::move(key)));
  return reference;
}

}  // namespace builder::declared
