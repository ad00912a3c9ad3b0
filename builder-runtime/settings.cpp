// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/settings.h"

#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "base/trusted_folder.h"
#include "contract/builders.h"
#include "contract/cache_variable.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace builder {
namespace {

using base::ErrorKind;

// Makes the folder where it is not there.
base::Status check_cache(const fs::path& folder) {
  if (auto opened = base::make_trusted_folder(folder.string(), ::geteuid()); !opened) {
    base::Error error = std::move(opened).error();
    if (error.kind == ErrorKind::bad_input) {
      error.kind = ErrorKind::cannot_write;
      error.hint += std::string("; name one in ") + contract::k_cache_variable;
    }
    return base::fail(std::move(error));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return base::fail(base::system_error("write", folder.string(), errno));
  }
  return {};
}

bool is_usable(const fs::path& folder) { return check_cache(folder).has_value(); }

base::Result<fs::path> chosen_cache(const fs::path& folder) {
  BASE_TRY(contract::check_cache_variable(folder.string()));
  if (!folder.is_absolute()) {
    return base::fail(ErrorKind::usage, contract::k_cache_variable,
                      "the cache folder must be an absolute path, not " + base::quoted(folder.string()));
  }
  BASE_TRY(check_cache(folder));
  return folder;
}

// See ARCHITECTURE.md, "Caches".
base::Result<fs::path> find_cache(const process::Environment& environment) {
  if (const auto chosen = value_of(environment, contract::k_cache_variable); !chosen.empty()) {
    return chosen_cache(chosen);
  }
  if (is_usable(contract::k_image_cache)) return fs::path(contract::k_image_cache);
  const auto home = value_of(environment, "HOME");
  const auto caches = value_of(environment, "XDG_CACHE_HOME");
  if (caches.starts_with('/') && is_usable(fs::path(caches) / "pachbuild")) {
    return fs::path(caches) / "pachbuild";
  }
  if (!home.empty() && is_usable(fs::path(home) / ".cache" / "pachbuild")) {
    return fs::path(home) / ".cache" / "pachbuild";
  }
  return chosen_cache(contract::k_private_cache_prefix + ("-" + std::to_string(::geteuid())));
}

base::Result<fs::path> find_shim(const std::string& given) {
  if (!given.empty()) {
    fs::path path = fs::absolute(given);
    boost::system::error_code error;
    const bool is_there = fs::exists(path, error);
    if (is_there && process::find_program(path.string(), "")) return path;
    return base::fail(ErrorKind::usage, "--shim",
                      path.string() + (is_there ? " is not a program" : " does not exist"),
                      std::string("pass the path of ") + contract::k_shim + ", or omit the option");
  }
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  for (const fs::path& shim : {own / contract::k_shim, fs::path(contract::k_image_shim)}) {
    boost::system::error_code error;
    if (fs::is_regular_file(shim, error)) return shim;
  }
  return base::fail(ErrorKind::unavailable, contract::k_shim,
                    "is neither in " + own.string() + " nor at " + contract::k_image_shim,
                    "install it there, or name it with --shim");
}

fs::path absolute_or(const std::string& given, const char* otherwise) {
  const auto path = fs::absolute(given.empty() ? otherwise : given).lexically_normal();
  // "folder/" and "folder" are the same folder.
  return path.filename_is_dot() ? path.parent_path() : path;
}

}  // namespace

base::Result<Settings> settle(const Options& options, process::Environment environment) {
  Settings settings;
  settings.source = absolute_or(options.source, contract::k_source);
  settings.out = absolute_or(options.out, contract::k_out);
  settings.language = options.language;
  if (!options.builder.empty()) settings.builder = absolute_or(options.builder, "");
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  settings.builders = contract::builders_folder(own);
  settings.default_steps_only = value_of(environment, contract::k_default_steps_variable) == "1";
  BASE_TRY_ASSIGN(settings.shim, find_shim(options.shim));
  BASE_TRY_ASSIGN(settings.cache, find_cache(environment));
  settings.environment = std::move(environment);
  return settings;
}

}  // namespace builder
