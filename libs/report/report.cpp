// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/text.h"
#include "contract/environment.h"
#include "report/terminal_text.h"

namespace report {
namespace {

bool g_json = false;

std::string json_line(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void log(spdlog::level::level_enum level, std::string_view line) {
  spdlog::default_logger_raw()->log(level, spdlog::string_view_t(line.data(), line.size()));
}

void print(spdlog::level::level_enum level, std::string_view name, std::string_view prefix,
           std::string_view whole) {
  const std::string message = base::shortened(base::hide_credentials(whole), base::k_longest_message);
  if (g_json) {
    log(level, json_line({{"level", name}, {"message", message}}));
  } else {
    log(level, std::string(prefix) + base::printable(message));
  }
}

int bug(const std::exception& error) {
  return fail({base::ErrorKind::bug, "", std::string("a bug in pachbuild: ") + error.what(),
               "please report it with the command line and the lines above"});
}

}  // namespace

void set_up() {
  const char* format = std::getenv(contract::k_log_variable);
  g_json = format != nullptr && std::string_view(format) == "json";
  auto logger = spdlog::stderr_logger_mt("pachbuild");
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

bool is_json() { return g_json; }

void info(std::string_view message) { print(spdlog::level::info, "info", "", message); }

void warn(std::string_view message) { print(spdlog::level::warn, "warning", "warning: ", message); }

int fail(const base::Error& failure) {
  // A line or name of a source is part of many errors.
  base::Error error{failure.kind, failure.where, failure.what, failure.hint};
  for (auto* text : {&error.where, &error.what, &error.hint}) *text = base::hide_credentials(*text);
  const int code = static_cast<int>(error.kind);
  if (g_json) {
    const base::Error shown = base::readable(error);
    nlohmann::ordered_json object = {{"level", "error"}, {"message", shown.what}};
    if (!shown.where.empty()) object["where"] = shown.where;
    if (!shown.hint.empty()) object["hint"] = shown.hint;
    object["code"] = code;
    log(spdlog::level::err, json_line(object));
  } else {
    log(spdlog::level::err, base::trim(base::format_error(error)));
  }
  for (const auto& other : failure.more) report::fail(other);
  if (failure.untold > 0)
    report::fail({failure.kind, "", "and " + base::count_of(failure.untold, "more error")});
  return code;
}

void output(std::string_view text) {
  if (!g_json) {
    spdlog::default_logger()->flush();
    std::string shown;
    if (::isatty(STDERR_FILENO) == 1) {
      // https://no-color.org
      const char* const no_colour = std::getenv("NO_COLOR");
      const bool has_colours = no_colour == nullptr || *no_colour == '\0';
      shown = for_terminal(text, has_colours ? Colours::keep : Colours::drop);
      text = shown;
    }
    while (!text.empty()) {
      const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return;
  }
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return;
  for (const auto& line : base::split(text, '\n')) {
    log(spdlog::level::info, json_line({{"level", "output"}, {"message", line}}));
  }
}

int guard(const std::function<int()>& program) {
  try {
    return program();
  } catch (const std::bad_alloc&) {
    return fail({base::ErrorKind::unavailable, "", "out of memory",
                 "grant more memory (resource_limits), or stop others"});
  } catch (const std::system_error& error) {
    // A thread that could not be started, where no other could do its work.
    if (error.code() != std::errc::resource_unavailable_try_again) return bug(error);
    return fail({base::ErrorKind::unavailable, "", "cannot start another thread",
                 "raise the process limit (ulimit -u, or the container's pids limit)"});
  } catch (const std::exception& error) {
    return bug(error);
  }
}

}  // namespace report
