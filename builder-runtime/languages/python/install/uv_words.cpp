// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/uv_words.h"

#include <algorithm>

#include "base/text.h"

namespace builder::python {
namespace {

constexpr std::string_view k_generated = ".pachbuild-";

bool is_of_file_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// A path of a generated file, or its name alone, as the manifest's name.
void replace_generated(std::string& text, std::string_view manifest) {
  for (std::size_t at = 0; (at = text.find(k_generated, at)) != std::string::npos; at += manifest.size()) {
    const auto end =
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_of_file_name);
    const auto is_of_path = [](char c) { return is_of_file_name(c) || c == '/'; };
    const auto before = std::find_if_not(text.rbegin() + static_cast<std::ptrdiff_t>(text.size() - at),
                                         text.rend(), is_of_path);
    const auto start = static_cast<std::size_t>(text.rend() - before);
    text.replace(start, static_cast<std::size_t>(end - text.begin()) - start, manifest);
    at = start;
  }
}

// "…, but `--frozen` was provided. …", "… (i.e., with `--no-build`)": the part about the flag goes.
void remove_clause(std::string& text, const std::string& flag) {
  for (const std::string& clause : {", but " + flag + " was provided", ", but " + flag + " was specified",
                                    " because " + flag + " was provided", " (i.e., with " + flag + ")",
                                    " since " + flag + " was provided"}) {
    base::replace_all(text, clause, "");
  }
}

}  // namespace

UvWords::UvWords(std::string work, std::string folder, std::string source, std::string manifest,
                 const std::vector<std::string>& arguments)
    : m_work(std::move(work)),
      m_folder(std::move(folder)),
      m_source(std::move(source)),
      m_manifest(std::move(manifest)) {
  for (const auto& argument : arguments) {
    if (argument.starts_with("--")) m_flags.push_back(argument);
    const base::fs::path file = argument;
    const auto extension = file.extension();
    const bool is_list = extension == ".txt" || extension == ".in" || extension == ".toml";
    if (!is_list || !argument.starts_with(m_work + "/")) continue;
    m_generated.push_back(argument);
    m_generated.push_back("../" + file.filename().string());
    m_generated.push_back(file.filename().string());
  }
}

std::optional<std::string> UvWords::shown(std::string_view line) const {
  // Which interpreter and where: the log has told the first, and the second is gone soon.
  if (line.starts_with("Using ") && base::contains(line, m_work)) return std::nullopt;
  std::string text(line);
  for (const auto& flag : m_flags) {
    const std::string quoted = "`" + flag + "`";
    if (!base::contains(text, quoted)) continue;
    remove_clause(text, quoted);
    base::replace_all(text, " without the flag.", ".");
    // What is left advises to leave out a flag that nobody gave.
    if (base::contains(text, quoted) && base::trim(text).starts_with("hint:")) return std::nullopt;
  }
  for (const auto& name : m_generated) base::replace_all(text, name, m_manifest);
  replace_generated(text, m_manifest);
  base::replace_all(text, m_folder, m_source);
  return text;
}

}  // namespace builder::python
