// SPDX-License-Identifier: Apache-2.0
// Small texts: sizes, lengths of time, names, what is shown to people, what tools print, what the kernel says
// about memory.
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <string>

#include "base/inside.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/missing.h"
#include "pachbuild/spec/duration.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

void read_size(std::string_view text) {
  const auto size = base::parse_size(text);
  if (!size) return;
  require(base::parse_size(std::to_string(*size)) == size);
  require(base::parse_size("  " + std::to_string(*size) + " B") == size);
  require(text.find('-') == std::string_view::npos);
}

void read_duration(std::string_view text) {
  const auto duration = spec::parse_duration(text);
  if (!duration) return;
  require(duration->count() >= 0);
  // Exact up to what a long double holds.
  const auto again = spec::parse_duration(std::to_string(duration->count()) + "ns");
  require(again == duration);
}

void show(std::string_view text) {
  const std::string printable = base::printable(text);
  require(printable.find('\n') == std::string::npos && printable.size() <= 4 * text.size());
  require(base::printable(printable) == printable);
  for (const std::size_t limit : {1U, 10U, 100U}) {
    const std::string shortened = base::shortened(text, limit);
    require(shortened.size() <= std::max(text.size(), limit + 5));
    if (text.size() <= limit) require(shortened == text);
  }
  require(base::quoted(text).size() <= 160);
  fuzz::require_readable(
      {base::ErrorKind::bad_input, std::string(text), "x" + std::string(text), std::string(text)});
}

// As a POSIX shell takes single quotes away.
void quote(std::string_view text) {
  const std::string quoted = base::shell_quote(text);
  std::string word;
  bool inside = false;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\'') {
      inside = !inside;
    } else if (!inside && quoted[i] == '\\') {
      word += quoted.at(++i);
    } else {
      require(inside ||
              std::string_view(" \t\n$`\"&|;<>()*?[]#~!{}").find(quoted[i]) == std::string_view::npos);
      word += quoted[i];
    }
  }
  require(!inside && word == text);
}

void join_inside(std::string_view name) {
  static const fuzz::Folder folder;
  const auto path = base::path_inside(folder.path(), std::string(name), "x");
  if (!path) return fuzz::require_readable(path.error());
  const std::string plain = path->lexically_normal().string();
  require(base::stays_inside(std::string(name)));
  require(plain.starts_with(folder.path().string()));
}

void read_memory(std::string_view input) {
  static const fuzz::Folder folder;
  const auto parts = fuzz::parts_of_input(input, 4);
  folder.write("membership", parts[0]);
  folder.write("mount/memory.max", parts[1]);
  folder.write("mount/a/memory.max", parts[2]);
  folder.write("mount/a/memory.events", parts[3]);
  const auto group = builder::MemoryGroup::find(folder.path() / "membership", folder.path() / "mount");
  const auto limit = group.limit();
  require(!limit || *limit < std::uint64_t{1} << 62);
  static_cast<void>(group.kills());
}

}  // namespace

FUZZ_TARGET(text_fuzz, input) {
  switch (fuzz::take_choice(input, 7)) {
    case 0:
      return read_size(input);
    case 1:
      return read_duration(input);
    case 2:
      return show(input);
    case 3:
      return quote(input);
    case 4:
      return join_inside(input);
    case 5:
      return read_memory(input);
    default:
      require(builder::missing_hint(input).find('\n') == std::string::npos);
  }
}
