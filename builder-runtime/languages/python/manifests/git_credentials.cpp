// SPDX-License-Identifier: Apache-2.0
// Source: git-scm.com, gitcredentials(7) and git-config(1), GIT_CONFIG_COUNT.
#include "builder-runtime/languages/python/manifests/git_credentials.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "builder-runtime/languages/python/manifests/expansion.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"

namespace builder::python {
namespace {

constexpr std::string_view k_separator = "://";

// One URL for git that has credentials.
struct Found {
  std::size_t begin = 0;  // of the credentials
  std::size_t end = 0;    // behind their '@'
  std::string scheme;     // "https"
  std::string info;       // "user:password", as it is written
  std::string host;
  std::string path;
};

bool ends_url(char character) {
  return static_cast<unsigned char>(character) <= ' ' || character == '"' || character == '\'';
}

// "git+https" in any text; "https" behind a key `git`, as uv's sources have it.
std::optional<std::string> scheme_for_git(std::string_view before) {
  for (const std::string scheme : {"https", "http"}) {
    if (!before.ends_with(scheme)) continue;
    before.remove_suffix(scheme.size());
    if (before.ends_with("git+")) return scheme;
    if (before.empty() || (before.back() != '"' && before.back() != '\'')) return std::nullopt;
    before = base::trim(before.substr(0, before.size() - 1));
    if (before.empty() || (before.back() != '=' && before.back() != ':')) return std::nullopt;
    before = base::trim(before.substr(0, before.size() - 1));
    if (before.ends_with('"') || before.ends_with('\'')) before.remove_suffix(1);
    const bool is_git =
        before.ends_with("git") &&
        (before.size() == 3 || std::isalnum(static_cast<unsigned char>(before[before.size() - 4])) == 0);
    return is_git ? std::optional(scheme) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Found> find_next(std::string_view text, std::size_t from) {
  for (std::size_t at = from; (at = text.find(k_separator, at)) != std::string_view::npos;) {
    const auto scheme = scheme_for_git(text.substr(0, at));
    at += k_separator.size();
    if (!scheme) continue;
    const auto url =
        text.substr(at, static_cast<std::size_t>(std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at),
                                                              text.end(), ends_url) -
                                                 text.begin()) -
                            at);
    const auto authority = url.substr(0, url.find_first_of("/?#"));
    const auto sign = authority.rfind('@');
    if (sign == std::string_view::npos || sign == 0) continue;
    // "repository.git@v1#subdirectory=x"
    auto path = url.substr(std::min(authority.size() + 1, url.size()));
    path = path.substr(0, path.find_first_of("?#@"));
    return Found{at,
                 at + sign + 1,
                 *scheme,
                 std::string(authority.substr(0, sign)),
                 std::string(authority.substr(sign + 1)),
                 std::string(path)};
  }
  return std::nullopt;
}

// "p%40ss" is "p@ss". What would be a line of its own in what a helper says is left out.
std::string decoded_word(std::string_view text) {
  std::string result = percent_decoded(text);
  std::erase_if(result, [](unsigned char byte) { return byte < ' '; });
  return result;
}

// The variables by which git is configured.
class Configuration {
 public:
  explicit Configuration(process::Environment& environment) : m_environment(environment) {
    const auto count = process::value_of(environment, "GIT_CONFIG_COUNT");
    std::from_chars(count.data(), count.data() + count.size(), m_count);
  }
  void add(const std::string& key, const std::string& value) {
    m_environment["GIT_CONFIG_KEY_" + std::to_string(m_count)] = key;
    m_environment["GIT_CONFIG_VALUE_" + std::to_string(m_count)] = value;
    m_environment["GIT_CONFIG_COUNT"] = std::to_string(++m_count);
  }

 private:
  process::Environment& m_environment;
  unsigned m_count = 0;
};

}  // namespace

bool GitCredentials::are_in(std::string_view text) { return find_next(text, 0).has_value(); }

std::string GitCredentials::take(std::string_view text) {
  std::string result;
  while (const auto found = find_next(text, 0)) {
    const std::string info = expanded(found->info, m_environment);
    const auto colon = info.find(':');
    Entry entry{.scope = found->scheme + "://" + found->host,
                .path = found->path,
                .user = decoded_word(std::string_view(info).substr(0, colon)),
                .password = {},
                .has_password = colon != std::string::npos};
    if (entry.has_password) entry.password = decoded_word(std::string_view(info).substr(colon + 1));
    if (std::find(m_entries.begin(), m_entries.end(), entry) == m_entries.end())
      m_entries.push_back(std::move(entry));
    result.append(text.substr(0, found->begin));
    text.remove_prefix(found->end);
  }
  return result.append(text);
}

void GitCredentials::add_to(process::Environment& environment) const {
  Configuration git(environment);
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    const Entry& entry = m_entries[i];
    const auto differs = [&](const Entry& other) {
      return other.scope == entry.scope && (other.user != entry.user || other.password != entry.password);
    };
    const bool is_by_path = std::any_of(m_entries.begin(), m_entries.end(), differs);
    if (is_by_path) git.add("credential." + entry.scope + ".useHttpPath", "true");
    const std::string section = "credential." + entry.scope + (is_by_path ? "/" + entry.path : "");
    if (!entry.has_password) {
      // Whoever knows the password of this user is asked as before.
      git.add(section + ".username", entry.user);
      continue;
    }
    const std::string name = "PACHBUILD_GIT_" + std::to_string(i);
    environment[name + "_USER"] = entry.user;
    environment[name + "_PASSWORD"] = entry.password;
    // Before all other helpers: none of them.
    git.add(section + ".helper", "");
    git.add(section + ".helper", "!f() { test \"$1\" != get || printf 'username=%s\\npassword=%s\\n' \"$" +
                                     name + "_USER\" \"$" + name + "_PASSWORD\"; }; f");
  }
}

}  // namespace builder::python
