// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/json_text.h"
#include "base/text.h"
#include "contract/environment.h"
#include "report/terminal.h"
#include "report/terminal_text.h"

namespace report {
namespace {

using Json = nlohmann::ordered_json;

bool g_json = false;
std::mutex g_mutex;  // of what follows
Writer g_writer;

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line(message.payload.data(), message.payload.size());
    report::write(line += '\n');
  }
  void flush_() override {}
};

void log(spdlog::level::level_enum level, std::string_view line) {
  spdlog::default_logger_raw()->log(level, spdlog::string_view_t(line.data(), line.size()));
}

void print(spdlog::level::level_enum level, std::string_view name, std::string_view prefix,
           std::string_view whole) {
  const std::string message = base::shortened(base::hide_credentials(whole), base::k_longest_message);
  if (g_json) {
    log(level, base::json_text(Json{{"level", name}, {"message", message}}));
  } else {
    log(level, std::string(prefix) + base::printable(message));
  }
}

int bug(const std::exception& error) {
  return fail({base::ErrorKind::bug, "", std::string("a bug in pachbuild: ") + error.what(),
               "please report it with the command line and the lines above"});
}

// A file that is opened in the place of a closed standard stream would get what is printed.
void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number: this one.
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

int finish_output(int code) {
  const bool is_whole = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_whole || code != 0) return code;
  return fail({base::ErrorKind::cannot_write, "standard output", "not all of it could be written",
               "check whether the disk is full"});
}

}  // namespace

void set_up() {
  const char* format = own_variable(contract::k_log_variable);
  g_json = format != nullptr && std::string_view(format) == "json";
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("pachbuild", std::make_shared<Sink>()));
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
    Json object = {{"level", "error"}, {"message", shown.what}};
    if (!shown.where.empty()) object["where"] = shown.where;
    if (!shown.hint.empty()) object["hint"] = shown.hint;
    object["code"] = code;
    log(spdlog::level::err, base::json_text(object));
  } else {
    log(spdlog::level::err, base::trim(base::format_error(error)));
  }
  for (const auto& other : failure.more) report::fail(other);
  if (failure.untold > 0)
    report::fail({failure.kind, "", base::count_of(failure.untold, "more error") + " not shown"});
  return code;
}

Redirection::Redirection(Writer writer) {
  const std::lock_guard lock(g_mutex);
  g_writer = std::move(writer);
}

Redirection::~Redirection() {
  const std::lock_guard lock(g_mutex);
  g_writer = nullptr;
}

void write_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write(std::string_view text) {
  const std::lock_guard lock(g_mutex);
  if (g_writer) {
    g_writer(text);
  } else {
    write_error(text);
  }
}

void output(std::string_view text) {
  if (!g_json) return write(is_terminal() ? for_terminal(text) : std::string(text));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return;
  for (const auto& line : base::split(text, '\n')) {
    log(spdlog::level::info, base::json_text(Json{{"level", "output"}, {"message", line}}));
  }
}

int guard(const std::function<int()>& program) {
  hold_standard_streams();
  try {
    return finish_output(program());
  } catch (const std::bad_alloc&) {
    return fail({base::ErrorKind::unavailable, "", "out of memory",
                 "raise the memory limit (resource_limits), or stop other programs"});
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
