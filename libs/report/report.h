// SPDX-License-Identifier: Apache-2.0
// How builder-runtime and pachbuild speak: log lines and errors on standard error, as text or, with
// PACHBUILD_LOG=json, one JSON object a line ({"level", "message", and for errors "where", "hint", "code"}).
// Linked by programs only; libraries return errors. Passwords in URLs are hidden, but for those in output().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace report {

// Sets up the log by the environment. Call once, first thing in main().
void set_up();

// Whether lines are JSON.
bool is_json();

// A milestone, in the words of a person: "resolve: 3 requirements".
void info(std::string_view message);

// Something that works but should be looked at.
void warn(std::string_view message);

// The error, those found along with it, and the exit code that it stands for.
int fail(const base::Error& error);

// Where everything goes that is printed: standard error, or while a Redirection exists its writer, on any
// thread.
using Writer = std::function<void(std::string_view)>;
class Redirection {
 public:
  explicit Redirection(Writer writer);
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;
  ~Redirection();
};

// Writes to standard error itself, past the writer.
void write_error(std::string_view text);

// Text that is fit to be shown, or a log of another of these programs: as it is.
void write(std::string_view text);

// The output of the user's own tool or program, as it came, on a terminal without what could change the
// terminal (terminal_text.h); in JSON as {"level": "output", …}, a line each.
void output(std::string_view text);

// Runs a program's main part: its exit code, that of the bug (70) that an exception is, or that of standard
// output that could not be written. Standard streams that are closed lead to /dev/null.
int guard(const std::function<int()>& program);

}  // namespace report
