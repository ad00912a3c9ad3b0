// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/args.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/digest.h"

namespace shim {
namespace {

constexpr char k_see_help[] = "worker-shim --help shows how it is used";

tl::unexpected<base::Error> usage_error(std::string_view where, std::string what,
                                        std::string hint = k_see_help) {
  return base::fail(base::ErrorKind::usage, std::string(where), std::move(what), std::move(hint));
}

struct Option {
  std::string_view name;
  std::optional<Mode> mode;                   // what it selects, if it does
  std::string Invocation::* value = nullptr;  // what its value sets, if it takes one
};

constexpr std::array k_options = {
    Option{"--build", {}, &Invocation::build_folder},
    Option{"--environment", {}, &Invocation::environment},
    Option{"--exec", Mode::command},
    Option{"--install", Mode::install, &Invocation::install_folder},
    Option{"--help", Mode::help},
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
    return usage_error(name, "is not an option of worker-shim",
                       "put -- before the arguments of your own program");
  }
  const bool has_value = name.size() < text.size();
  if (option->mode) invocation.mode = *option->mode;
  if (option->value == nullptr) {
    if (has_value) return usage_error(name, "takes no value");
    return {};
  }
  if (!has_value && *word == nullptr) return usage_error(name, "needs a value");
  const std::string_view value = has_value ? text.substr(name.size() + 1) : *word++;
  if (value.empty()) return usage_error(name, "has an empty value");
  invocation.*option->value = value;
  return {};
}

// The user's words begin: after `--` where it is given.
base::Status take_words(char* const* word, Invocation& invocation) {
  const bool separated = *word != nullptr && std::string_view(*word) == "--";
  invocation.words = separated ? word + 1 : word;
  if (invocation.mode != Mode::command) return {};
  if (*invocation.words == nullptr) return usage_error("--exec", "names no command");
  if (!separated && is_option(*word)) {
    return usage_error(*word, "follows --exec, which ends the options of worker-shim",
                       "put options before --exec, and -- before a command that begins with -");
  }
  return {};
}

base::Status check(const Invocation& invocation) {
  if (!invocation.environment.empty()) {
    if (invocation.mode != Mode::command) return usage_error("--environment", "needs --exec");
    if (!base::is_digest(invocation.environment)) {
      return usage_error("--environment",
                         "'" + invocation.environment + "' is not a digest (64 digits or letters a to f)");
    }
  }
  if (invocation.mode == Mode::install && *invocation.words != nullptr) {
    return usage_error(*invocation.words, "is one argument too many for --install");
  }
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
  BASE_TRY(check(invocation));
  return invocation;
}

std::string help_text() {
  return R"(worker-shim starts the program of a build pipeline.

  worker-shim [--] ARGS…                  sh /pfs/build/run.sh ARGS…: the default command
  worker-shim --exec [--] COMMAND ARGS…   COMMAND in the environment of the artifact in /pfs/build
  worker-shim --install DIR               copies itself to DIR/worker-shim

The artifact's environment (/pfs/build/bundle-DIGEST.tar.zst: packages, compiled programs) is unpacked once per
container. COMMAND finds its bin/ first on PATH and its folder in $PACHBUILD_ENV. Then the shim becomes COMMAND
by exec: no process of it stays.

Options, before --exec or --:
  --build DIR           the artifact's folder instead of /pfs/build
  --environment DIGEST  use this environment; /pfs/build is opened only when it has to be unpacked
  --help, --version

ARGS and what follows COMMAND are passed on as they are. Put -- before words that begin with -.

Environments are unpacked to env/DIGEST in the cache folder: $PACHBUILD_CACHE_DIR, else /var/cache/pachbuild
where this user may write, else /tmp/pachbuild-UID. It must not be writable by other users.

Exit codes: the program's own; 127 COMMAND was not found, 126 it cannot be executed, 125 the shim failed.

A pipeline's transform, for example:
  "cmd": ["worker-shim", "--exec", "--", "python3", "/pfs/source/main.py", "--width", "4"]
)";
}

}  // namespace shim
