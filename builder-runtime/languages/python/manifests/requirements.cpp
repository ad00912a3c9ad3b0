// SPDX-License-Identifier: Apache-2.0
// The format: pip.pypa.io, "Requirements File Format". Where a line may mean more than one thing, the reading
// is taken that makes a key depend on more.
#include "builder-runtime/languages/python/manifests/requirements.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <set>
#include <vector>

#include "base/credentials.h"
#include "base/inside.h"
#include "base/merge_conflict.h"
#include "base/text.h"
#include "builder-runtime/languages/python/manifests/expansion.h"
#include "builder-runtime/languages/python/manifests/git_credentials.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/source/data.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr std::array<std::string_view, 6> k_include_options = {
    "--requirements", "--requirement", "--constraints", "--constraint", "-r", "-c"};
// Deep enough for every project, not for one that is made to overflow the stack.
constexpr int k_deepest_include = 64;

// Whether a requirement is a file or folder, or a URL of one.
bool names_a_file(const std::string& requirement) {
  const auto has = [&](std::string_view part) { return base::contains(requirement, part); };
  if (has("file:") || requirement.starts_with('.')) return true;
  return !has("://") && (has("/") || has(".whl") || has(".tar.") || has(".zip"));
}

// The text in quotes when a word of a line would end within it.
std::string as_word(const std::string& text) {
  return text.find_first_of(" \t\"'\\") == std::string::npos ? text : "\"" + text + "\"";
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
      return base::fail(ErrorKind::bad_input, where,
                        "more than " + std::to_string(depth) + " requirements files are nested");
    }
    BASE_TRY_ASSIGN(const std::string bytes,
                    m_result.inputs.add_file(fs::path(name).lexically_normal().string(), file));
    const auto own_name = file.lexically_relative(m_source).string();
    BASE_TRY_ASSIGN(const std::string text, decode_requirements(bytes, name));
    if (auto conflict = base::merge_conflict(text, name)) return base::fail(std::move(*conflict));
    bool is_plain = (text == bytes || bytes.size() == text.size() + 3) && !base::contains(text, '\\') &&
                    !GitCredentials::are_in(text);
    std::vector<std::string> for_uv;
    for (const auto& [number, line] : numbered_lines(text)) {
      const Place place{fs::path(name), name + ":" + std::to_string(number)};
      BASE_TRY_ASSIGN(const RequirementLine parts, parse_requirement_line(line, place.where));
      is_plain = is_plain && parts.is_plain;
      BASE_TRY_ASSIGN(std::string plain, take(line, parts, place, depth));
      if (!plain.empty()) for_uv.push_back(std::move(plain));
    }
    if (!is_plain) m_result.rewritten.emplace(own_name, base::join(for_uv, "\n") + "\n");
    return {};
  }

  Requirements finish() {
    m_result.inputs.add(m_targets.outside());
    m_result.uses_files = m_result.uses_files || m_targets.is_inside();
    return std::move(m_result);
  }

 private:
  // A line of a file.
  struct Place {
    fs::path file;
    std::string where;  // "requirements.txt:3"
  };

  // Gives the line for uv, without what uv is told otherwise.
  base::Result<std::string> take(const std::string& line, const RequirementLine& parts, const Place& place,
                                 int depth) {
    const auto& file = place.file;
    add_variables(line);
    add_options(line);
    std::string asked = parts.requirement;
    if (!asked.empty()) m_result.uses_files = m_result.uses_files || names_a_file(asked);
    for (const auto& [option, value] : parts.options) {
      if (option == "--requirement" || option == "--constraint") {
        BASE_TRY(include(expanded(value, m_environment), place, depth));
        return option + " " + as_word(value);
      }
      if (option == "--editable") {
        m_result.uses_files = true;
        asked = "--editable " + value;
      }
      BASE_TRY(take_option(option, expanded(value, m_environment), file));
    }
    // Links to packages are relative to the file, packages themselves to the folder where uv is run.
    BASE_TRY(m_targets.add_line(line, m_source));
    if (file.has_parent_path()) BASE_TRY(m_targets.add_line(line, m_source / file.parent_path()));
    if (asked.empty()) return std::string();
    ++m_result.count;
    BASE_TRY(take_settings(parts, place.where));
    for (const auto& [option, value] : parts.options) {
      if (option != "--hash") continue;
      m_result.has_hashes = true;
      asked += " --hash=" + value;
    }
    return asked;
  }

  base::Status take_option(const std::string& option, const std::string& value, const fs::path& file) {
    PipOptions& pip = m_result.pip;
    const auto add_names = [&](std::vector<std::string>& names) {
      for (const auto& name : base::split(value, ',')) {
        if (!base::trim(name).empty()) names.emplace_back(base::trim(name));
      }
    };
    if (option == "--index-url") pip.index_url = value;
    if (option == "--extra-index-url") pip.extra_index_urls.push_back(value);
    if (option == "--find-links") pip.find_links.push_back(link_of(value, file));
    if (option == "--trusted-host") pip.trusted_hosts.push_back(value);
    if (option == "--no-binary") add_names(pip.no_binary);
    if (option == "--only-binary") add_names(pip.only_binary);
    pip.no_index = pip.no_index || option == "--no-index";
    if (option == "--pre") pip.all_releases.emplace_back(":all:");
    if (option == "--all-releases") add_names(pip.all_releases);
    if (option == "--only-final") add_names(pip.only_final);
    if (option.ends_with("require-hashes")) pip.require_hashes = option == "--require-hashes";
    m_result.uses_files = m_result.uses_files || option == "--find-links";
    return {};
  }

  // A path is relative to the file that names it, where it is there, else to the source.
  [[nodiscard]] std::string link_of(const std::string& value, const fs::path& file) const {
    boost::system::error_code error;
    const bool is_url = base::contains(value, "://") || value.starts_with("file:");
    if (is_url || fs::path(value).is_absolute() || !file.has_parent_path()) return value;
    const auto beside = file.parent_path() / value;
    return fs::exists(m_source / beside, error) ? beside.string() : value;
  }

  // Settings of a build, which uv takes for a package by its name only.
  base::Status take_settings(const RequirementLine& parts, const std::string& where) {
    for (const auto& [option, value] : parts.options) {
      const bool is_setting = option == "--config-settings";
      if (!is_setting && option != "--global-option" && option != "--build-option") continue;
      const auto name = name_of_requirement(parts);
      if (name.empty()) {
        return base::fail(
            ErrorKind::bad_input, where,
            option + " after " + parts.requirement + parts.value("--editable") + " needs a package name",
            "write it with its name: NAME @ ./FOLDER");
      }
      m_result.pip.config_settings.push_back(name + ":" + (is_setting ? value : option + "=" + value));
    }
    return {};
  }

  // "six[x]>=1", "six @ URL", "git+…#egg=six", "./six-1.0.tar.gz", a folder with a pyproject.toml.
  [[nodiscard]] std::string name_of_requirement(const RequirementLine& parts) const {
    const std::string text = parts.requirement.empty() ? parts.value("--editable") : parts.requirement;
    const auto egg = text.find("#egg=");
    if (egg != std::string::npos) {
      const auto requirement = Requirement::parse(text.substr(egg + 5, text.find('&', egg) - egg - 5));
      return requirement ? requirement->name : "";
    }
    if (!names_a_file(text) || base::contains(text, " @ ")) {
      const auto requirement = Requirement::parse(text);
      if (requirement && text.find("://") != 0) return requirement->name;
    }
    const auto path = path_of_target(text);
    const auto project = data::read_toml(m_source / path / "pyproject.toml", "pyproject.toml");
    if (project && !project->text("project.name").empty())
      return normalised_name(project->text("project.name"));
    const auto file = fs::path(path).filename().string();
    const auto dash = file.find('-');
    return base::contains(file, ".tar.") || file.ends_with(".zip") || file.ends_with(".whl")
               ? normalised_name(file.substr(0, dash))
               : "";
  }

  // Not left to uv, which would read whatever the name leads to and print what it does not understand.
  base::Status include(const std::string& included, const Place& place, int depth) {
    const auto& [file, where] = place;
    if (base::contains(included, "://") || included.starts_with("file:")) {
      return base::fail(
          ErrorKind::bad_input, where, base::hide_credentials(included) + " is outside the source",
          "copy the file into the source and include it by its path: the content of a URL may change "
          "without an edit");
    }
    if (fs::path(included).is_absolute()) {
      return base::fail(ErrorKind::bad_input, where, included + " is outside the source",
                        "include a file of the source by its path relative to " + file.filename().string());
    }
    const std::string name = (file.parent_path() / included).string();
    BASE_TRY_ASSIGN(const fs::path path, base::path_inside(m_source, name, where));
    boost::system::error_code error;
    if (!fs::exists(path, error)) {
      return base::fail(ErrorKind::bad_input, where, "includes " + included + ", which does not exist");
    }
    return read(name, where, depth + 1);
  }

  void add_variables(const std::string& line) {
    for (const auto& use : variables_in(line)) {
      m_result.variables.push_back(use.name);
      if (is_before_host(line, use.begin)) {
        m_result.credentials.push_back(use.name);
      } else {
        m_result.inputs.add_variable("${" + use.name + "}", process::value_of(m_environment, use.name));
      }
    }
  }

  void add_options(const std::string& line) {
    const auto add = [&](const std::string& option) {
      m_result.options.push_back(base::without_credentials(option));
    };
    if (line.front() == '-') return add(line);
    for (auto at = line.find(" --"); at != std::string::npos; at = line.find(" --", at + 1)) {
      const auto option = line.substr(at + 1, line.find(" --", at + 1) - at - 1);
      if (!option.starts_with("--hash")) add(option);
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
    if (!line.starts_with(option)) continue;
    std::string_view rest = base::trim(std::string_view(line).substr(option.size()));
    if (rest.substr(0, 1) == "=") rest = base::trim(rest.substr(1));
    if (rest.size() >= 2 && rest.front() == rest.back() && (rest.front() == '"' || rest.front() == '\'')) {
      rest = rest.substr(1, rest.size() - 2);
    }
    return std::string(rest);
  }
  return "";
}

std::vector<NumberedLine> numbered_lines(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, 3) == k_byte_order_mark) text.remove_prefix(3);
  std::vector<NumberedLine> lines;
  std::size_t number = 0;
  std::size_t begin = 1;  // of what is joined
  std::string joined;
  const auto add = [&] {
    if (const auto line = base::trim(joined); !line.empty()) lines.push_back({begin, std::string(line)});
    joined.clear();
    begin = number + 1;
  };
  for (const auto& raw : base::split(with_plain_spaces(text), '\n')) {
    ++number;
    std::string_view line = base::trim(raw);
    const auto comment = line.substr(0, 1) == "#" ? 0 : line.find(" #");
    line = base::trim(line.substr(0, comment));
    const bool continued = !line.empty() && line.back() == '\\';
    if (continued) line.remove_suffix(1);
    joined += line;
    if (!continued) add();
  }
  add();
  return lines;
}

std::vector<std::string> logical_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (auto& line : numbered_lines(text)) lines.push_back(std::move(line.text));
  return lines;
}

base::Result<Requirements> read_requirements(const fs::path& source, const std::vector<std::string>& files,
                                             const process::Environment& environment) {
  RequirementsReader reader(source, environment);
  for (const auto& file : files) BASE_TRY(reader.read(file, file));
  return reader.finish();
}

}  // namespace builder::python
