// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/args.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/digest.h"
#include "base/text.h"

namespace shim {
namespace {

constexpr char k_see_help[] = "see worker-shim --help";

tl::unexpected<base::Error> usage_error(std::string_view where, std::string what,
                                        std::string hint = k_see_help) {
  return base::fail(base::ErrorKind::usage, std::string(where), std::move(what), std::move(hint));
}

tl::unexpected<base::Error> invalid_value(std::string_view option, std::string_view value,
                                          std::string_view form) {
  return usage_error(option, "invalid value " + base::quoted(value) + ": expected " + std::string(form));
}

// A number from 0 to `most`; nothing else before or after it.
std::optional<unsigned> read_number(std::string_view text, unsigned most) {
  const auto number = base::parse_number(text);
  if (!number || *number > most) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// "10s", "500ms", "2m", "1h".
bool read_grace(std::string_view text, Invocation& invocation) {
  auto& supervision = invocation.supervision;
  constexpr unsigned k_most = 1'000'000;
  struct Unit {
    std::string_view name;
    std::chrono::milliseconds length;
  };
  constexpr std::array k_units = {Unit{"ms", std::chrono::milliseconds(1)},
                                  Unit{"s", std::chrono::seconds(1)}, Unit{"m", std::chrono::minutes(1)},
                                  Unit{"h", std::chrono::hours(1)}};
  for (const auto& unit : k_units) {
    if (!text.ends_with(unit.name)) continue;
    const auto count = read_number(text.substr(0, text.size() - unit.name.size()), k_most);
    if (!count) continue;
    supervision.grace = *count * unit.length;
    return true;
  }
  return false;
}

// "143:0".
bool read_remapping(std::string_view text, Invocation& invocation) {
  auto& supervision = invocation.supervision;
  constexpr unsigned k_greatest_code = 255;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto from = read_number(text.substr(0, colon), k_greatest_code);
  const auto to = read_number(text.substr(colon + 1), k_greatest_code);
  if (!from || !to) return false;
  supervision.remap(*from, *to);
  return true;
}

// "TERM", "SIGTERM" or "15".
bool read_signal(std::string_view text, Invocation& invocation) {
  auto& supervision = invocation.supervision;
  const auto number = read_number(text, static_cast<unsigned>(SIGRTMAX)).value_or(0);
  const std::string_view name = text.starts_with("SIG") ? text.substr(3) : text;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (static_cast<unsigned>(signal) != number && (known == nullptr || name != known)) continue;
    supervision.parent_death_signal = signal;
    return true;
  }
  return false;
}

// How many words of the command.
bool read_count(std::string_view text, Invocation& invocation) {
  constexpr unsigned k_most = 1'000'000;
  const auto count = read_number(text, k_most);
  invocation.expanded = count.value_or(0);
  return count.has_value();
}

// How the value of an option is read that is more than text, and what it is called in errors.
struct Reading {
  bool (*read)(std::string_view value, Invocation& invocation);
  std::string_view form;
};
constexpr Reading k_count = {read_count, "a number of arguments"};
constexpr Reading k_grace = {read_grace, "a duration, such as 10s, 500ms or 2m"};
constexpr Reading k_remapping = {read_remapping, "two exit codes, such as 143:0"};
constexpr Reading k_signal = {read_signal, "a signal, such as TERM or 15"};

struct Option {
  std::string_view name;
  std::optional<Mode> mode;                       // what it selects, if it does
  std::string Invocation::* text = nullptr;       // what its value sets, if it takes one as it is
  const Reading* reading = nullptr;               // or how its value is read
  void (*set)(Invocation& invocation) = nullptr;  // what it does besides
};

void ask_for_supervision(Invocation& invocation) { invocation.supervision.asked = true; }

constexpr std::array k_options = {
    Option{"--build", {}, &Invocation::build_folder},
    Option{"--chdir", {}, &Invocation::working_folder},
    Option{"--check", {}, nullptr, nullptr, [](Invocation& invocation) { invocation.check = true; }},
    Option{"--environment", {}, &Invocation::environment},
    Option{"--exec", Mode::command},
    Option{"--expand", {}, nullptr, &k_count},
    Option{"--grace", {}, nullptr, &k_grace, ask_for_supervision},
    Option{"--imports", {}, &Invocation::imports},
    Option{"--install", Mode::install, &Invocation::install_folder},
    Option{"--help", Mode::help},
    Option{"--parent-death-signal", {}, nullptr, &k_signal, ask_for_supervision},
    Option{"--remap-exit", {}, nullptr, &k_remapping, ask_for_supervision},
    Option{"--single-process",
           {},
           nullptr,
           nullptr,
           [](Invocation& invocation) {
             invocation.supervision.receiver = Receiver::process;
             ask_for_supervision(invocation);
           }},
    Option{"--supervise", {}, nullptr, nullptr, ask_for_supervision},
    Option{"--version", Mode::version},
};

const Option* find_option(std::string_view name) {
  const auto* const found =
      std::find_if(k_options.begin(), k_options.end(), [&](const Option& o) { return o.name == name; });
  return found == k_options.end() ? nullptr : found;
}

bool is_option(const char* word) { return word != nullptr && word[0] == '-' && word[1] != '\0'; }

// Reads the option at `*word` and moves on to the word after it and its value.
base::Status read_option(char* const*& word, Invocation& invocation) {
  const std::string_view text = *word++;
  const std::string_view name = text.substr(0, text.find('='));
  const Option* const option = find_option(name);
  if (option == nullptr) {
    return usage_error("", "unknown option " + std::string(name),
                       "put -- before the arguments of your own program");
  }
  const bool has_value = name.size() < text.size();
  if (option->mode) invocation.mode = *option->mode;
  if (option->set != nullptr) option->set(invocation);
  if (option->text == nullptr && option->reading == nullptr) {
    if (has_value) return usage_error(name, "does not take a value");
    return {};
  }
  if (!has_value && *word == nullptr) return usage_error(name, "requires a value");
  const std::string_view value = has_value ? text.substr(name.size() + 1) : *word++;
  if (value.empty()) return usage_error(name, "has an empty value");
  if (option->text != nullptr) {
    invocation.*option->text = value;
  } else if (!option->reading->read(value, invocation)) {
    return invalid_value(name, value, option->reading->form);
  }
  return {};
}

// The user's words begin: after `--` where it is given.
base::Status take_words(char* const* word, Invocation& invocation) {
  const bool separated = *word != nullptr && std::string_view(*word) == "--";
  invocation.words = separated ? word + 1 : word;
  if (invocation.mode != Mode::command) return {};
  if (*invocation.words == nullptr) return usage_error("--exec", "no command given");
  if (!separated && is_option(*word)) {
    return usage_error(*word, "follows --exec, which ends the options of worker-shim",
                       "put options before --exec, and -- before a command that begins with -");
  }
  return {};
}

base::Status check_modes(const Invocation& invocation) {
  if (!invocation.environment.empty()) {
    if (invocation.mode != Mode::command) return usage_error("--environment", "requires --exec");
    if (!base::is_digest(invocation.environment)) {
      return invalid_value("--environment", invocation.environment, "64 hexadecimal digits");
    }
  }
  if (invocation.mode == Mode::install && *invocation.words != nullptr) {
    return usage_error("--install", "unexpected argument " + std::string(*invocation.words));
  }
  if (invocation.mode == Mode::install && invocation.check)
    return usage_error("--check", "cannot be used with --install");
  return {};
}

bool ends_options(Mode mode) { return mode == Mode::command || mode == Mode::help || mode == Mode::version; }

}  // namespace

base::Result<Invocation> parse_arguments(int argc, char* const* argv) {
  Invocation invocation;
  char* const* word = argc > 0 ? argv + 1 : argv;
  while (is_option(*word) && std::string_view(*word) != "--" && !ends_options(invocation.mode)) {
    BASE_TRY(read_option(word, invocation));
  }
  BASE_TRY(take_words(word, invocation));
  BASE_TRY(check_modes(invocation));
  return invocation;
}

std::string help_text() {
  return R"(worker-shim starts the program of a pipeline with a build.

  worker-shim [--] [ARGS...]      sh /pfs/build/run.sh ARGS...: the default
  worker-shim --exec [--] COMMAND [ARGS...]
                                  COMMAND in the environment of the artifact
                                  in /pfs/build
  worker-shim --check [--exec COMMAND...]
                                  shows what it would run, from where, and
                                  whether the platform matches
  worker-shim --install DIR       copies itself to DIR/worker-shim

The artifact's environment (/pfs/build/bundle-DIGEST.tar.zst: packages, compiled
programs) is unpacked once per container. Its bin/ comes first on COMMAND's
PATH, and its folder is in $PACHBUILD_ENV. Then the shim becomes COMMAND by exec
and leaves no process of its own. As PID 1 of a container, or on request, it
stays and supervises COMMAND.

Options, before --exec or --:
  --build DIR           the artifact's folder instead of /pfs/build
  --chdir DIR           work in this folder
  --environment DIGEST  use this environment; /pfs/build is opened only when it
                        has to be unpacked
  --expand N            replace {env} in the first N arguments of COMMAND with
                        the environment's folder
  --imports MODULES     the modules that COMMAND, a Python program, imports:
                        kept in memory for the next program if
                        PACHBUILD_PRELOAD is true (docs/python.md, "Preloading")
  --help, --version
Supervisor options; each of them turns the supervisor on:
  --supervise           forward signals, reap orphans, hand over the terminal,
                        exit with COMMAND's exit code
  --grace DURATION      time from SIGTERM to SIGKILL for everything COMMAND
                        started: 10s, 500ms, 2m (default: 10s)
  --single-process      forward signals to COMMAND alone instead of its process
                        group
  --remap-exit OLD:NEW  exit with NEW if COMMAND's exit code is OLD; may be
                        repeated
  --parent-death-signal SIGNAL
                        act as if SIGNAL had been received when the parent
                        process dies

ARGS and the arguments of COMMAND are passed on unchanged. Put -- before
arguments that begin with -.

Environments are unpacked to env/DIGEST in the cache folder:
$PACHBUILD_CACHE_DIR, else /var/cache/pachbuild if this user may write there,
else /tmp/pachbuild-UID. Only this user and root may have write access to it and
to the folders above it.

Exit codes: the program's own (under a supervisor 128+N if signal N ended it);
127 COMMAND was not found, 126 it cannot be executed, 125 the shim failed.

A pipeline's transform, for example:
  "cmd": ["worker-shim", "--exec", "--", "python3", "/pfs/source/main.py"]
An image's entry point, for example:
  ENTRYPOINT ["worker-shim", "--grace", "30s", "--"]
)";
}

}  // namespace shim
