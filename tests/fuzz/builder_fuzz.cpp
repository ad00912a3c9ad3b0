// SPDX-License-Identifier: Apache-2.0
// builder.toml: a description that leads nowhere out of its folders, or an error with a place. Its parts by
// themselves, with texts that they are used on: file patterns, regular expressions, versions.
#include "builder-runtime/languages/declared/reader.h"
#include "builder-runtime/languages/declared/versions.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;
using namespace builder::declared;

void check_path(const std::string& path) {
  require(path.find("..") == std::string::npos ||
          base::fs::path(path).lexically_normal().string().find("../") != 0);
  require(!path.starts_with('/'));
}

void check_builder(std::string_view text) {
  const auto read = parse_builder(text, "b", {"python", "go"});
  if (!read) {
    fuzz::require_readable(read.error());
    return require(read.error().where == "b" || read.error().where.starts_with("b:"));
  }
  require(!read->language.empty() && read->language != "python" && !read->start.command.empty());
  require(!read->detect.any.empty());
  std::size_t names = 0;
  const std::string* last = nullptr;
  for (const auto& layer : read->layers) {
    if (last == nullptr || *last != layer.name) ++names;
    last = &layer.name;
    for (const auto& folder : layer.folders) check_path(folder);
    for (const auto& copy : layer.copy) check_path(copy.to);
    for (const auto& take : layer.take) check_path(take.to);
    for (const auto& [path, target] : layer.link) check_path(path);
  }
  require(names <= 2);
}

void check_file_pattern(const std::string& pattern, const std::string& path) {
  const auto compiled = FilePattern::compile(pattern);
  if (!compiled) return fuzz::require_readable(compiled.error());
  const bool fits = compiled->matches(path, [&] { return path; });
  if (compiled->is_plain()) require(fits == (pattern == path));
}

void check_pattern(const std::string& pattern, const std::string& text) {
  const auto compiled = Pattern::compile(pattern);
  if (!compiled) return fuzz::require_readable(compiled.error());
  const auto match = compiled->find(text);
  require(match.has_value() == compiled->matches(text));
  if (!match) return;
  require(match->begin <= match->end && match->end <= text.size());
  require(line_of(text, match->begin) <= line_of(text, match->end));
}

void check_template(const std::string& text) {
  const auto parsed = TextTemplate::parse(text);
  if (!parsed) return fuzz::require_readable(parsed.error());
  const auto filled = parsed->fill([](const Name&) { return std::string("x"); });
  require(filled.size() <= text.size() + parsed->names().size());
}

}  // namespace

FUZZ_TARGET(builder_fuzz, input) {
  const auto choice = fuzz::take_choice(input, 5);
  if (choice == 0) return check_builder(input);
  const auto parts = fuzz::parts_of_input(input, 2);
  switch (choice) {
    case 1:
      return check_file_pattern(parts[0], parts[1]);
    case 2:
      return check_pattern(parts[0], parts[1]);
    case 3:
      return check_template(parts[0]);
    default:
      for (const auto* word : {"prefix", "minor", "at-least", "semver-range"})
        static_cast<void>(version_fits(parts[0], parts[1], *comparison_of(word)));
  }
}
