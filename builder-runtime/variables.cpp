// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/variables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/text.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace builder {
namespace {

using process::value_of;

// A name, or with a '*' at the end or the beginning all names that begin or end so.
bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
  return name == pattern;
}

template <std::size_t count>
bool is_one_of(std::string_view name, const std::array<std::string_view, count>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](std::string_view pattern) { return matches(pattern, name); });
}

// Words between the '_' of a name that make it one of a credential.
constexpr auto k_credential_words = std::to_array<std::string_view>(
    {"PASSWORD", "PASSWD",  "PASSPHRASE", "PASS",        "PW",   "TOKEN",  "TOKENS",
     "SECRET",   "SECRETS", "CREDENTIAL", "CREDENTIALS", "AUTH", "GOAUTH", "APIKEY",
     "USERNAME", "KEY",     "KEYRING",    "NETRC",       "PAT",  "COOKIE"});

constexpr auto k_places = std::to_array<std::string_view>({"HOME",
                                                           "PATH",
                                                           "PWD",
                                                           "TMPDIR",
                                                           "TMP",
                                                           "TEMP",
                                                           "XDG_CACHE_HOME",
                                                           "XDG_CONFIG_HOME",
                                                           "XDG_DATA_HOME",
                                                           "XDG_STATE_HOME",
                                                           "XDG_BIN_HOME",
                                                           "XDG_CONFIG_DIRS",
                                                           "GOCACHE",
                                                           "GOMODCACHE",
                                                           "GOPATH",
                                                           "GOTMPDIR",
                                                           "GOBIN",
                                                           "GOROOT",
                                                           "GOENV",
                                                           "UV_CACHE_DIR",
                                                           "PIP_CACHE_DIR",
                                                           "PYENV_ROOT",
                                                           "UV_CONFIG_FILE",
                                                           "PIP_CONFIG_FILE",
                                                           "CARGO_HOME",
                                                           "RUSTUP_HOME"});

constexpr auto k_transports = std::to_array<std::string_view>({"HTTP_PROXY",
                                                               "HTTPS_PROXY",
                                                               "ALL_PROXY",
                                                               "NO_PROXY",
                                                               "http_proxy",
                                                               "https_proxy",
                                                               "all_proxy",
                                                               "no_proxy",
                                                               "SSL_CERT_FILE",
                                                               "SSL_CERT_DIR",
                                                               "SSL_CLIENT_CERT",
                                                               "REQUESTS_CA_BUNDLE",
                                                               "CURL_CA_BUNDLE",
                                                               "NODE_EXTRA_CA_CERTS",
                                                               "GIT_SSL*",
                                                               "GIT_ASKPASS",
                                                               "SSH_ASKPASS*",
                                                               "GIT_SSH*",
                                                               "GIT_TERMINAL_PROMPT",
                                                               "SSH_AUTH_SOCK",
                                                               "UV_HTTP_*",
                                                               "UV_CONCURRENT_*",
                                                               "UV_LINK_MODE",
                                                               "UV_NO_PROGRESS",
                                                               "UV_LOCK_TIMEOUT",
                                                               "UV_REQUEST_TIMEOUT",
                                                               "UV_OFFLINE",
                                                               "UV_NATIVE_TLS",
                                                               "UV_COMPILE_BYTECODE",
                                                               "UV_PYTHON_DOWNLOADS",
                                                               "GOPROXY",
                                                               "PIP_PROXY",
                                                               "PIP_CERT",
                                                               "PIP_CLIENT_CERT",
                                                               "PIP_TIMEOUT",
                                                               "DBUS_SESSION_BUS_ADDRESS",
                                                               "XDG_RUNTIME_DIR",
                                                               "KRB5*",
                                                               "GOMAXPROCS",
                                                               "GOMEMLIMIT",
                                                               "GOGC"});

constexpr auto k_locales = std::to_array<std::string_view>({"LANG",
                                                            "LANGUAGE",
                                                            "LC_*",
                                                            "TZ",
                                                            "CHARSET",
                                                            "PYTHONHASHSEED",
                                                            "PYTHONDONTWRITEBYTECODE",
                                                            "PYTHONUNBUFFERED",
                                                            "PYTHONOPTIMIZE",
                                                            "PYTHONFAULTHANDLER",
                                                            "PYTHONVERBOSE",
                                                            "PYTHONWARNINGS",
                                                            "PYTHONDEVMODE",
                                                            "PYTHONINSPECT",
                                                            "PYTHONSTARTUP",
                                                            "PYTHONPYCACHEPREFIX",
                                                            "PYTHONUTF8",
                                                            "PYTHONIOENCODING",
                                                            "PYTHONBREAKPOINT",
                                                            "PYTHON_COLORS"});

// Of a job, a pod or a cluster's services: kubernetes.io, "Service environment variables"; Pachyderm's
// worker; services that run builds.
constexpr auto k_jobs = std::to_array<std::string_view>(
    {"PACH_*",       "PPS_*",        "PACHBUILD_*",    "PACHD_*",      "HOSTNAME",  "FILESET_ID",
     "PEER_PORT",    "KUBERNETES_*", "*_SERVICE_HOST", "POD_NAME",     "POD_IP",    "POD_UID",
     "NODE_NAME",    "GITHUB_*",     "RUNNER_*",       "GITLAB_*",     "CI_*",      "JENKINS_*",
     "BUILDKITE_*",  "CIRCLE_*",     "BUILD_ID",       "BUILD_NUMBER", "BUILD_TAG", "BUILD_URL",
     "*SAN_OPTIONS", "INVOCATION_ID"});

// Of a login, a terminal or a desktop.
constexpr auto k_sessions = std::to_array<std::string_view>({"_",
                                                             "SHLVL",
                                                             "OLDPWD",
                                                             "USER",
                                                             "USERNAME",
                                                             "LOGNAME",
                                                             "MAIL",
                                                             "SHELL",
                                                             "TERM",
                                                             "TERM_*",
                                                             "TERMINFO*",
                                                             "COLORTERM",
                                                             "COLUMNS",
                                                             "LINES",
                                                             "COLORFGBG",
                                                             "LS_COLORS",
                                                             "LSCOLORS",
                                                             "CLICOLOR*",
                                                             "GCC_COLORS",
                                                             "LESS*",
                                                             "PAGER",
                                                             "EDITOR",
                                                             "VISUAL",
                                                             "PS1",
                                                             "PS2",
                                                             "PS4",
                                                             "PROMPT*",
                                                             "HIST*",
                                                             "SSH_CLIENT",
                                                             "SSH_CONNECTION",
                                                             "SSH_TTY",
                                                             "SSH_AGENT_PID",
                                                             "DISPLAY",
                                                             "WAYLAND_*",
                                                             "XAUTHORITY",
                                                             "WINDOWID",
                                                             "XDG_SESSION_*",
                                                             "XDG_SEAT*",
                                                             "XDG_VTNR",
                                                             "FORCE_COLOR",
                                                             "XDG_CURRENT_DESKTOP",
                                                             "XDG_DATA_DIRS",
                                                             "NO_COLOR",
                                                             "DESKTOP_*",
                                                             "GNOME_*",
                                                             "KDE_*",
                                                             "TMUX*",
                                                             "STY",
                                                             "VSCODE_*",
                                                             "SUDO_*",
                                                             "JOURNAL_STREAM",
                                                             "SYSTEMD_*",
                                                             "MANAGERPID",
                                                             "DEBUGINFOD_*"});

bool is_credential(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto words = base::split(upper, '_');
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return std::find(k_credential_words.begin(), k_credential_words.end(), word) != k_credential_words.end();
  });
}

// "DB_PORT=tcp://10.0.0.1:5432", "DB_PORT_5432_TCP_ADDR", "DB_SERVICE_PORT_HTTP": Kubernetes sets seven for
// each service, among them always <NAME>_SERVICE_HOST.
bool is_of_service(const std::string& name, const process::Environment& environment) {
  for (const std::string_view part : {"_SERVICE_PORT", "_PORT"}) {
    for (auto at = name.find(part); at != std::string::npos; at = name.find(part, at + 1)) {
      const auto rest = std::string_view(name).substr(at + part.size());
      const bool ends = rest.empty() || rest.front() == '_';
      if (ends && environment.contains(name.substr(0, at) + "_SERVICE_HOST")) return true;
    }
  }
  return false;
}

// "images=/pfs/images/a.txt" and "images_COMMIT" of an input.
bool is_of_input(const std::string& name, const process::Environment& environment) {
  constexpr std::string_view k_commit = "_COMMIT";
  const std::string input = name.ends_with(k_commit) ? name.substr(0, name.size() - k_commit.size()) : name;
  return value_of(environment, input).starts_with(std::string(contract::k_pfs) + "/") &&
         environment.contains(input + std::string(k_commit));
}

// Whether a variable has this name among its own, which are separated by commas.
bool lists(const process::Environment& environment, const char* list, const std::string& name) {
  const auto names = base::split(value_of(environment, list), ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_passed_on(VariableRole role) { return role != VariableRole::job && role != VariableRole::locale; }

std::string reason_of(VariableRole role) {
  switch (role) {
    case VariableRole::place:
      return "a location on this machine";
    case VariableRole::credential:
      return "a credential";
    default:
      return "access and storage, not content";
  }
}

}  // namespace

VariableRole role_of_variable(const std::string& name, const process::Environment& environment) {
  if (lists(environment, contract::k_build_secrets, name)) return VariableRole::credential;
  const bool is_set_by_spec = lists(environment, contract::k_build_variables, name);
  if (is_one_of(name, k_places)) return VariableRole::place;
  if (is_one_of(name, k_transports)) return VariableRole::transport;
  if (!is_set_by_spec && is_one_of(name, k_sessions)) return VariableRole::job;
  if (is_credential(name)) return VariableRole::credential;
  if (is_set_by_spec) return VariableRole::input;
  if (is_one_of(name, k_jobs) || is_of_service(name, environment) || is_of_input(name, environment))
    return VariableRole::job;
  return is_one_of(name, k_locales) ? VariableRole::locale : VariableRole::input;
}

process::Environment environment_of_tools(const process::Environment& environment) {
  process::Environment passed;
  for (const auto& [name, value] : environment) {
    if (is_passed_on(role_of_variable(name, environment))) passed.emplace(name, value);
  }
  passed.emplace("LC_ALL", "C.UTF-8");
  passed.emplace("TZ", "UTC");
  passed.emplace("PYTHONHASHSEED", "0");
  return passed;
}

void add_variables(const process::Environment& environment, const process::Environment& given,
                   Inputs& inputs) {
  for (const auto& [name, value] : environment) {
    const auto role = role_of_variable(name, given);
    // What has no part in a build by its name but is in it was put there for a reason: it counts.
    if (role == VariableRole::input || !is_passed_on(role)) {
      inputs.add_variable(name, value);
    } else {
      inputs.except("variable", name, {}, reason_of(role));
    }
  }
}

}  // namespace builder
