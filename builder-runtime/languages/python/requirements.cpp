// SPDX-License-Identifier: Apache-2.0
// The format: pip.pypa.io, "Requirements File Format". Where a line may mean more than one thing, the reading
// is taken that makes a key depend on more.
#include "builder-runtime/languages/python/requirements.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <set>
#include <vector>

#include "base/credentials.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/git_credentials.h"
#include "builder-runtime/languages/python/local_targets.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// Options whose effect is all in the line itself.
constexpr std::array<std::string_view, 12> k_plain_options = {
    "-i",          "--index-url",   "--extra-index-url", "--no-index",      "--pre",
    "--no-binary", "--only-binary", "--require-hashes",  "--prefer-binary", "--trusted-host",
    "--hash",      "--use-feature"};
constexpr std::array<std::string_view, 6> k_include_options = {
    "--requirements", "--requirement", "--constraints", "--constraint", "-r", "-c"};
// Deep enough for every project, not for one that is made to overflow the stack.
constexpr int k_deepest_include = 64;

std::string option_of(const std::string& line) { return line.substr(0, line.find_first_of(" \t=")); }

bool names_a_file(const std::string& line) {
  if (line.front() == '-') {
    const auto option = option_of(line);
    return std::find(k_plain_options.begin(), k_plain_options.end(), option) == k_plain_options.end();
  }
  const auto has = [&](std::string_view part) { return line.find(part) != std::string::npos; };
  if (has("file:") || line.front() == '.') return true;
  return !has("://") && (has("/") || has(".whl") || has(".tar.") || has(".zip"));
}

// Whether what is at `at` belongs to the credentials of a URL: "https://${USER}:${TOKEN}@host/simple".
bool is_before_host(const std::string& line, std::size_t at) {
  const auto scheme = line.rfind("://", at);
  if (scheme == std::string::npos) return false;
  const auto end = std::min(line.find_first_of("/ \t", scheme + 3), line.size());
  const auto sign = line.rfind('@', end);
  return at < end && sign != std::string::npos && sign > at && sign <= end;
}

class RequirementsReader {
 public:
  RequirementsReader(fs::path source, const process::Environment& environment)
      : m_source(std::move(source)), m_environment(environment), m_targets(m_source, environment) {}

  // `name` is relative to the source; `where` names the line or setting that asks for it.
  base::Status read(const std::string& name, const std::string& where, int depth = 0) {
    BASE_TRY_ASSIGN(const fs::path file, base::path_inside(m_source, name, where));
    if (!m_seen.insert(file.lexically_normal().string()).second) return {};
    if (depth == k_deepest_include) {
      return base::fail(
          ErrorKind::bad_input, where,
          "more than " + std::to_string(depth) + " requirements files include each other in a row");
    }
    BASE_TRY_ASSIGN(const std::string text,
                    m_result.inputs.add_file(fs::path(name).lexically_normal().string(), file));
    if (text.find('\\') != std::string::npos || GitCredentials::are_in(text))
      m_result.continued.push_back(file.lexically_relative(m_source).string());
    for (const auto& line : logical_lines(text)) BASE_TRY(take(line, fs::path(name), depth));
    return {};
  }

  Requirements finish() {
    m_result.inputs.add(m_targets.outside());
    m_result.uses_files = m_result.uses_files || m_targets.is_inside();
    return std::move(m_result);
  }

 private:
  base::Status take(const std::string& line, const fs::path& file, int depth) {
    if (line.front() != '-') ++m_result.count;
    m_result.has_hashes = m_result.has_hashes || line.find("--hash") != std::string::npos;
    m_result.no_index = m_result.no_index || option_of(line) == "--no-index";
    add_variables(line);
    add_options(line);
    const std::string included = included_file(line);
    if (!included.empty()) return include(with_variables(included), file, depth);
    m_result.uses_files = m_result.uses_files || names_a_file(line);
    if (line.rfind("-e", 0) == 0 || line.rfind("--editable", 0) == 0) ++m_result.count;
    // Links to packages are relative to the file, packages themselves to the folder where uv is run.
    BASE_TRY(m_targets.add_line(line, m_source));
    if (file.has_parent_path()) BASE_TRY(m_targets.add_line(line, m_source / file.parent_path()));
    return {};
  }

  // Not left to uv, which would read whatever the name leads to and print what it does not understand.
  base::Status include(const std::string& included, const fs::path& file, int depth) {
    if (included.find("://") != std::string::npos || included.starts_with("file:")) {
      return base::fail(
          ErrorKind::bad_input, file.string(), base::hide_credentials(included) + " is outside the source",
          "copy the file into the source and include it by its path: the content of a URL may change "
          "without an edit");
    }
    if (fs::path(included).is_absolute()) {
      return base::fail(ErrorKind::bad_input, file.string(), included + " is outside the source",
                        "include a file of the source by its path relative to " + file.filename().string());
    }
    const std::string name = (file.parent_path() / included).string();
    BASE_TRY_ASSIGN(const fs::path path, base::path_inside(m_source, name, file.string()));
    boost::system::error_code error;
    if (!fs::exists(path, error)) {
      return base::fail(ErrorKind::bad_input, file.string(),
                        "includes " + included + ", which does not exist");
    }
    return read(name, file.string(), depth + 1);
  }

  [[nodiscard]] std::string with_variables(std::string text) const {
    for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
      const auto end = text.find('}', at);
      if (end == std::string::npos) break;
      const auto entry = m_environment.find(text.substr(at + 2, end - at - 2));
      if (entry == m_environment.end()) {
        at = end;
        continue;
      }
      text.replace(at, end + 1 - at, entry->second);
      at += entry->second.size();
    }
    return text;
  }

  // ${NAME}: only this form is expanded, by pip and by uv.
  void add_variables(const std::string& line) {
    for (std::size_t at = 0; (at = line.find("${", at)) != std::string::npos; ++at) {
      const auto name = line.substr(at + 2, line.find('}', at) - at - 2);
      m_result.variables.push_back(name);
      if (is_before_host(line, at)) {
        m_result.credentials.push_back(name);
      } else {
        m_result.inputs.add_variable("${" + name + "}", process::value_of(m_environment, name));
      }
    }
  }

  void add_options(const std::string& line) {
    if (line.front() == '-') m_result.options.push_back(base::without_credentials(line));
    for (auto at = line.find(" --"); at != std::string::npos; at = line.find(" --", at + 1)) {
      const auto option = line.substr(at + 1, line.find(" --", at + 1) - at - 1);
      if (line.front() != '-' && option.rfind("--hash", 0) != 0) m_result.options.push_back(option);
    }
  }

  fs::path m_source;
  const process::Environment& m_environment;
  std::set<std::string> m_seen;
  LocalTargets m_targets;
  Requirements m_result;
};

// The length of the white space of Unicode that `text` starts with, beyond ASCII's; else 0.
std::size_t wide_space(std::string_view text) {
  for (const std::string_view space : {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9",
                                       "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"}) {
    if (text.starts_with(space)) return space.size();
  }
  // U+2000 to U+200A
  const bool is_en_space =
      text.size() >= 3 && text.starts_with("\xE2\x80") && static_cast<unsigned char>(text[2]) <= 0x8A;
  return is_en_space ? 3 : 0;
}

// The text as uv takes it apart: a lone carriage return ends a line, and every white space of Unicode is one.
std::string with_plain_spaces(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\r') {
      if (text.substr(at + 1, 1) != "\n") result += '\n';
      ++at;
    } else if (const auto length = wide_space(text.substr(at)); length > 0) {
      result += ' ';
      at += length;
    } else {
      result += text[at] == '\v' || text[at] == '\f' ? ' ' : text[at];
      ++at;
    }
  }
  return result;
}

}  // namespace

std::string included_file(const std::string& line) {
  for (const auto option : k_include_options) {
    if (line.rfind(option, 0) != 0) continue;
    std::string_view rest = base::trim(std::string_view(line).substr(option.size()));
    if (rest.substr(0, 1) == "=") rest = base::trim(rest.substr(1));
    if (rest.size() >= 2 && rest.front() == rest.back() && (rest.front() == '"' || rest.front() == '\'')) {
      rest = rest.substr(1, rest.size() - 2);
    }
    return std::string(rest);
  }
  return "";
}

std::vector<std::string> logical_lines(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, 3) == k_byte_order_mark) text.remove_prefix(3);
  std::vector<std::string> lines;
  std::string joined;
  for (const auto& raw : base::split(with_plain_spaces(text), '\n')) {
    std::string_view line = base::trim(raw);
    const auto comment = line.substr(0, 1) == "#" ? 0 : line.find(" #");
    line = base::trim(line.substr(0, comment));
    const bool continued = !line.empty() && line.back() == '\\';
    if (continued) line.remove_suffix(1);
    joined += line;
    if (continued) continue;
    if (!base::trim(joined).empty()) lines.emplace_back(base::trim(joined));
    joined.clear();
  }
  if (!base::trim(joined).empty()) lines.emplace_back(base::trim(joined));
  return lines;
}

std::string join_lines(const std::string& text) { return base::join(logical_lines(text), "\n") + "\n"; }

base::Result<Requirements> read_requirements(const fs::path& source, const std::vector<std::string>& files,
                                             const process::Environment& environment) {
  RequirementsReader reader(source, environment);
  for (const auto& file : files) BASE_TRY(reader.read(file, file));
  return reader.finish();
}

}  // namespace builder::python
