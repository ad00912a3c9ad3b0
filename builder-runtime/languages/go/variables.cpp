// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/variables.h"

#include <algorithm>
#include <array>

#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "report/report.h"

namespace builder::go {
namespace {

using base::ErrorKind;
using process::value_of;

constexpr std::string_view k_space = " \t\r\n";
constexpr char k_system[] = "linux";
constexpr char k_environment[] = "the environment";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Flag flag_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('-'), text.size()));
  const auto sign = text.find('=');
  if (sign == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, sign)), std::string(text.substr(sign + 1))};
}

fs::path file_of(const process::Environment& environment) {
  const auto file = value_of(environment, "GOENV");
  if (file == "off") return {};
  if (!file.empty()) return file;
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  return (config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config)) / "go" /
         "env";
}

}  // namespace

std::vector<Flag> flags_in(std::string_view text) {
  std::vector<Flag> flags;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(k_space), text.size()));
    if (text.empty()) return flags;
    const bool is_quoted = text.front() == '\'' || text.front() == '"';
    const auto end = is_quoted ? text.find(text.front(), 1) : text.find_first_of(k_space);
    const std::size_t begin = is_quoted ? 1 : 0;
    flags.push_back(flag_of(text.substr(begin, end == std::string_view::npos ? end : end - begin)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

GoVariables::GoVariables(const GoSettings& settings, const process::Environment& environment)
    : m_places(settings.places), m_settings(settings.environment), m_environment(environment) {
  auto all = environment;
  for (const auto& [name, value] : m_settings) all[name] = value;
  m_file = file_of(all);
  if (!m_file.empty()) {
    for (const auto& line : base::split(base::read_input_file(m_file).value_or(""), '\n')) {
      const auto sign = line.find('=');
      if (sign != std::string::npos && !line.starts_with('#'))
        m_written[line.substr(0, sign)] = base::trim(std::string_view(line).substr(sign + 1));
    }
  }
  m_flags = flags_in(value("GOFLAGS"));
}

std::string GoVariables::value(const std::string& name) const {
  // What a setting makes empty is empty for Go, which then looks into its file.
  const auto setting = m_settings.find(name);
  const auto given = setting != m_settings.end() ? setting->second : value_of(m_environment, name);
  return given.empty() ? value_of(m_written, name) : given;
}

std::string GoVariables::origin(const std::string& name) const {
  const auto setting = m_settings.find(name);
  if (setting != m_settings.end() && !setting->second.empty())
    return m_places.where_in("go.environment", "go.environment." + name);
  if (setting == m_settings.end() && !value_of(m_environment, name).empty()) return k_environment;
  return m_file.string();
}

std::optional<std::string> GoVariables::flag(const std::string& name) const {
  const auto found =
      std::find_if(m_flags.rbegin(), m_flags.rend(), [&](const Flag& flag) { return flag.name == name; });
  return found == m_flags.rend() ? std::nullopt : std::optional(found->value);
}

bool GoVariables::may_use_c() const {
  const auto chosen = value("CGO_ENABLED");
  return chosen.empty() ? architecture() == builder::architecture() : chosen != "0";
}

bool GoVariables::needs_c() const {
  return std::any_of(m_flags.begin(), m_flags.end(), [](const Flag& flag) {
    return is_one_of(flag.name, {"race", "msan", "asan"}) && flag.value != "false" && flag.value != "0";
  });
}

std::vector<std::string> GoVariables::tags() const {
  auto text = flag("tags").value_or("");
  std::replace(text.begin(), text.end(), ' ', ',');
  auto tags = base::split(text, ',');
  std::erase(tags, "");
  return tags;
}

std::string GoVariables::architecture() const {
  const auto chosen = value("GOARCH");
  return chosen.empty() ? builder::architecture() : chosen;
}

void GoVariables::put_into(process::Environment& environment) const {
  for (const auto& [name, value] : m_settings) environment[name] = value;
  if (const auto system = value("GOOS"); !system.empty() && system != k_system)
    environment["GOOS"] = k_system;
}

void GoVariables::warn_ignored(const std::string& name, const std::string& text,
                               const std::string& reason) const {
  const auto place = origin(name);
  report::warn((place == k_environment ? text + " from " + place : place + ": " + text) + " is ignored; " +
               reason);
}

base::Status GoVariables::check() const {
  const auto mode = flag("buildmode").value_or("");
  if (!is_one_of(mode, {"", "default", "exe", "pie"})) {
    return base::fail(ErrorKind::bad_input, "GOFLAGS", "-buildmode=" + mode + " does not produce a program",
                      "remove it from GOFLAGS in " + origin("GOFLAGS"));
  }
  if (const auto dry = flag("n"); dry && *dry != "false") {
    return base::fail(ErrorKind::bad_input, "GOFLAGS", "-n prints commands and builds nothing",
                      "remove it from GOFLAGS in " + origin("GOFLAGS"));
  }
  if (const auto system = value("GOOS"); !system.empty() && system != k_system)
    warn_ignored("GOOS", "GOOS=" + system, "pipelines run on Linux");
  if (const auto trim = flag("trimpath"); trim && is_one_of(*trim, {"false", "0"}))
    warn_ignored("GOFLAGS", "-trimpath=false", "the same source must give the same program in every folder");
  if (const auto vcs = flag("buildvcs"); vcs && !is_one_of(*vcs, {"false", "0"}))
    warn_ignored("GOFLAGS", "-buildvcs", "the source has no repository when it is built on a cluster");
  return {};
}

}  // namespace builder::go
