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
  if (name.empty()) return false;
  if (pattern.front() != '*' && pattern.front() != name.front()) return false;  // most
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
                                                           "PYENV_VERSION",
                                                           "UV_CONFIG_FILE",
                                                           "PIP_CONFIG_FILE",
                                                           "CARGO_HOME",
                                                           "ASDF_DIR",
                                                           "ASDF_DATA_DIR",
                                                           "GOENV_ROOT",
                                                           "VOLTA_HOME",
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
                                                               "AWS_PROFILE",
                                                               "AWS_DEFAULT_PROFILE",
                                                               "AWS_REGION",
                                                               "AWS_DEFAULT_REGION",
                                                               "AWS_ROLE_*",
                                                               "AWS_STS_*",
                                                               "AWS_SSO_*",
                                                               "AWS_CONFIG_FILE",

                                                               "CLOUDSDK_*",
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
// worker; services that run builds; schedulers; traces.
constexpr auto k_jobs = std::to_array<std::string_view>(
    {"PACH_*",        "PPS_*",        "PACHBUILD_*",      "PACHD_*",        "HOSTNAME",
     "FILESET_ID",    "PEER_PORT",    "KUBERNETES_*",     "*_SERVICE_HOST", "POD_NAME",
     "POD_IP",        "POD_UID",      "NODE_NAME",        "GITHUB_*",       "RUNNER_*",
     "GITLAB_*",      "CI_*",         "JENKINS_*",        "HUDSON_*",       "BUILDKITE_*",
     "CIRCLE_*",      "TRAVIS_*",     "BITBUCKET_*",      "DRONE_*",        "APPVEYOR_*",
     "TEAMCITY_*",    "CODEBUILD_*",  "SEMAPHORE_*",      "CIRRUS_*",       "GITEA_*",
     "FORGEJO_*",     "NOMAD_*",      "ECS_CONTAINER_*",  "SLURM_JOB*",     "SLURM_STEP*",
     "SLURM_TASK*",   "SLURM_NODE*",  "SLURM_CPUS*",      "SLURM_SUBMIT_*", "SLURM_PROCID",
     "SLURM_LOCALID", "SLURM_GTIDS",  "SLURM_TOPOLOGY_*", "SLURMD_*",       "PBS_JOBID",
     "PBS_JOBNAME",   "PBS_NODEFILE", "PBS_O_*",          "LSB_*",          "BUILD_ID",
     "BUILD_NUMBER",  "BUILD_TAG",    "BUILD_URL",        "TRACEPARENT",    "TRACESTATE",
     "BAGGAGE",       "*SAN_OPTIONS", "INVOCATION_ID"});

// Names of services that run builds which are as well anybody's own: only where the service says that it
// runs.
struct NameOfService {
  const char* sign;  // a variable that this service always sets
  std::string_view pattern;
};
constexpr auto k_names_of_services =
    std::to_array<NameOfService>({{"JENKINS_URL", "BUILD_DISPLAY_NAME"},
                                  {"JENKINS_URL", "BUILD_TIMESTAMP"},
                                  {"JENKINS_URL", "GIT_COMMIT"},
                                  {"JENKINS_URL", "GIT_BRANCH"},
                                  {"JENKINS_URL", "GIT_LOCAL_BRANCH"},
                                  {"JENKINS_URL", "GIT_URL*"},
                                  {"JENKINS_URL", "GIT_PREVIOUS_*"},
                                  {"JENKINS_URL", "JOB_*"},
                                  {"JENKINS_URL", "WORKSPACE*"},
                                  {"JENKINS_URL", "EXECUTOR_NUMBER"},
                                  {"JENKINS_URL", "NODE_LABELS"},
                                  {"JENKINS_URL", "STAGE_NAME"},
                                  {"JENKINS_URL", "CHANGE_*"},
                                  {"JENKINS_URL", "BRANCH_NAME"},
                                  {"JENKINS_URL", "BRANCH_IS_PRIMARY"},
                                  {"JENKINS_URL", "TAG_NAME"},
                                  {"JENKINS_URL", "TAG_TIMESTAMP"},
                                  {"JENKINS_URL", "TAG_UNIXTIME"},
                                  {"JENKINS_URL", "TAG_DATE"},
                                  {"JENKINS_URL", "RUN_DISPLAY_URL"},
                                  {"JENKINS_URL", "RUN_CHANGES_DISPLAY_URL"},
                                  {"JENKINS_URL", "RUN_ARTIFACTS_DISPLAY_URL"},
                                  {"JENKINS_URL", "RUN_TESTS_DISPLAY_URL"},
                                  {"TF_BUILD", "AGENT_*"},
                                  {"TF_BUILD", "SYSTEM_*"},
                                  {"TF_BUILD", "BUILD_BUILD*"},
                                  {"TF_BUILD", "BUILD_SOURCE*"},
                                  {"TF_BUILD", "BUILD_REQUESTEDFOR*"},
                                  {"TF_BUILD", "BUILD_QUEUEDBY*"},
                                  {"TF_BUILD", "BUILD_REASON"},
                                  {"TF_BUILD", "BUILD_CONTAINERID"},
                                  {"TF_BUILD", "BUILD_DEFINITION*"},
                                  {"TF_BUILD", "BUILD_REPOSITORY_*"},
                                  {"TF_BUILD", "BUILD_ARTIFACTSTAGINGDIRECTORY"},
                                  {"TF_BUILD", "BUILD_BINARIESDIRECTORY"},
                                  {"TF_BUILD", "BUILD_STAGINGDIRECTORY"},
                                  {"TF_BUILD", "PIPELINE_WORKSPACE"},
                                  {"TF_BUILD", "TASK_DISPLAYNAME"},
                                  {"TEAMCITY_VERSION", "BUILD_VCS_NUMBER*"},
                                  {"ATC_EXTERNAL_URL", "BUILD_NAME"},
                                  {"ATC_EXTERNAL_URL", "BUILD_JOB_NAME"},
                                  {"ATC_EXTERNAL_URL", "BUILD_PIPELINE_*"},
                                  {"ATC_EXTERNAL_URL", "BUILD_TEAM_*"},
                                  {"ATC_EXTERNAL_URL", "BUILD_CREATED_BY"},
                                  {"GITHUB_ACTIONS", "ACTIONS_*"},
                                  {"GITHUB_ACTIONS", "STATS_*"}});

// Of a login, a terminal, an editor or a desktop, and what is activated in a shell: that changes PATH, too.
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
                                                             "FORCE_COLOR",
                                                             "NO_COLOR",
                                                             "GCC_COLORS",
                                                             "LESS*",
                                                             "PAGER",
                                                             "EDITOR",
                                                             "VISUAL",
                                                             "MANPATH",
                                                             "INFOPATH",
                                                             "MANPAGER",
                                                             "PS1",
                                                             "PS2",
                                                             "PS4",
                                                             "PROMPT*",
                                                             "RPROMPT",
                                                             "RPS1",
                                                             "HIST*",
                                                             "BASH_IT*",
                                                             "FPATH",
                                                             "MOTD_SHOWN",
                                                             "LOGIN_SHELL",
                                                             "GIT_EDITOR",
                                                             "GIT_PAGER",
                                                             "GPG_TTY",
                                                             "GPG_AGENT_INFO",
                                                             "SSH_CLIENT",
                                                             "SSH_CONNECTION",
                                                             "SSH_TTY",
                                                             "SSH_AGENT_PID",
                                                             "SUDO_*",
                                                             "*_SESSION_ID",
                                                             "*_SESSION",
                                                             "*_WINDOW_ID",
                                                             "*_SOCKET",
                                                             "*_SOCK",
                                                             "JOURNAL_STREAM",
                                                             "SYSTEMD_*",
                                                             "MANAGERPID*",
                                                             "MEMORY_PRESSURE_*",
                                                             "DEBUGINFOD_*",
                                                             "DISPLAY",
                                                             "WAYLAND_*",
                                                             "XAUTHORITY",
                                                             "WINDOWID",
                                                             "WINDOWPATH",
                                                             "XMODIFIERS",
                                                             "*_IM_MODULE",
                                                             "IM_CONFIG_PHASE",
                                                             "XCURSOR_*",
                                                             "XDG_SESSION_*",
                                                             "XDG_SEAT*",
                                                             "XDG_VTNR",
                                                             "XDG_CURRENT_DESKTOP",
                                                             "XDG_DATA_DIRS",
                                                             "XDG_MENU_PREFIX",
                                                             "ORIGINAL_XDG_*",
                                                             "DESKTOP_*",
                                                             "GNOME_*",
                                                             "KDE_*",
                                                             "GDK_*",
                                                             "GTK_*",
                                                             "QT_QPA_*",
                                                             "QT_ACCESSIBILITY",
                                                             "QT_AUTO_SCREEN_*",
                                                             "QT_SCALE_FACTOR",
                                                             "GIO_*",
                                                             "GSM_*",
                                                             "GDMSESSION",
                                                             "SESSION_MANAGER",
                                                             "CHROME_DESKTOP",
                                                             "PULSE_SERVER",
                                                             "SNAP",
                                                             "SNAP_*",
                                                             "ZSH",
                                                             "ZSH_*",
                                                             "ZDOTDIR",
                                                             "OSH",
                                                             "STARSHIP_*",
                                                             "POWERLEVEL9K_*",
                                                             "P9K_*",
                                                             "_P9K_*",
                                                             "POSH_*",
                                                             "ATUIN_*",
                                                             "FZF_*",
                                                             "_ZO_*",
                                                             "DIRENV_*",
                                                             "BAT_*",
                                                             "EXA_COLORS",
                                                             "EZA_COLORS",
                                                             "FIG_*",
                                                             "QTERM_*",
                                                             "TMUX*",
                                                             "STY",
                                                             "ZELLIJ*",
                                                             "ITERM_*",
                                                             "KITTY_*",
                                                             "ALACRITTY_*",
                                                             "WEZTERM_*",
                                                             "GHOSTTY_*",
                                                             "KONSOLE_*",
                                                             "TILIX_ID",
                                                             "GUAKE_*",
                                                             "TERMINATOR_*",
                                                             "VTE_VERSION",
                                                             "WARP_IS_LOCAL_SHELL_SESSION",
                                                             "WARP_HONOR_PS1",
                                                             "WARP_USE_SSH_WRAPPER",
                                                             "WT_*",
                                                             "WSL_*",
                                                             "WSL2_*",
                                                             "WSLENV",
                                                             "VSCODE_*",
                                                             "INTELLIJ_*",
                                                             "JETBRAINS_*",
                                                             "IDEA_*",
                                                             "PYCHARM_*",
                                                             "TERMINAL_EMULATOR",
                                                             "ZED_TERM",
                                                             "CURSOR_*",
                                                             "ELECTRON_*",
                                                             "BUNDLED_DEBUGPY_PATH",
                                                             "DEBUGPY_*",
                                                             "PYTHON_BASIC_REPL",
                                                             "INSIDE_EMACS",
                                                             "NVIM",
                                                             "NVIM_*",
                                                             "VIM",
                                                             "VIMRUNTIME",
                                                             "MYVIMRC",
                                                             "__CF*",
                                                             "XPC_*",
                                                             "Apple_PubSub_Socket_Render",
                                                             "SECURITYSESSIONID",
                                                             "COMMAND_MODE",
                                                             "LaunchInstanceID",
                                                             "VIRTUAL_ENV",
                                                             "VIRTUAL_ENV_*",
                                                             "CONDA_PREFIX*",
                                                             "CONDA_DEFAULT_ENV",
                                                             "CONDA_SHLVL",
                                                             "CONDA_PROMPT_MODIFIER",
                                                             "CONDA_EXE",
                                                             "CONDA_PYTHON_EXE",
                                                             "_CONDA_*",
                                                             "_CE_*",
                                                             "MAMBA_EXE",
                                                             "_OLD_VIRTUAL_*",
                                                             "NVM_*",
                                                             "FNM_*",
                                                             "MISE_SHELL",
                                                             "__MISE_*",
                                                             "PYENV_SHELL",
                                                             "PYENV_DIR",
                                                             "PYENV_HOOK_PATH",
                                                             "_PYENV_INSTALL_PREFIX",
                                                             "GOENV_DIR",
                                                             "GOENV_HOOK_PATH",
                                                             "PYENV_VIRTUALENV_INIT",
                                                             "PYENV_VIRTUAL_ENV",
                                                             "PYENV_ACTIVATE_SHELL",
                                                             "GOENV_SHELL",
                                                             "RBENV_SHELL",
                                                             "NODENV_SHELL",
                                                             "SDKMAN_*"});

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

bool is_of_build_service(const std::string& name, const process::Environment& environment) {
  return std::any_of(k_names_of_services.begin(), k_names_of_services.end(), [&](const NameOfService& row) {
    return matches(row.pattern, name) && environment.contains(row.sign);
  });
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
  const bool is_set = is_set_by_spec(name, environment);
  if (is_one_of(name, k_places)) return VariableRole::place;
  if (is_one_of(name, k_transports)) return VariableRole::transport;
  if (!is_set && is_one_of(name, k_sessions)) return VariableRole::job;
  if (is_credential(name)) return VariableRole::credential;
  if (is_set) return VariableRole::input;
  if (is_one_of(name, k_jobs) || is_of_service(name, environment) || is_of_input(name, environment) ||
      is_of_build_service(name, environment))
    return VariableRole::job;
  return is_one_of(name, k_locales) ? VariableRole::locale : VariableRole::input;
}

bool is_set_by_spec(const std::string& name, const process::Environment& environment) {
  return lists(environment, contract::k_build_variables, name);
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
