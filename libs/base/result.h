// SPDX-License-Identifier: Apache-2.0
// How functions of this project fail: an expected failure is a value that says where, what and what to do;
// a bug is an exception, caught once in main().
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace base {

// What a failure means to the caller of the program. The numbers are the exit codes of builder-runtime and
// pachbuild (sysexits.h where it has a fitting one); nothing decides on the text of an error.
enum class ErrorKind : int {
  step_failed = 1,    // the user's own step: dependencies, compiling, build.sh, the program
  usage = 64,         // the command line
  bad_input = 65,     // the source or the spec
  unavailable = 69,   // a needed tool or service is missing
  bug = 70,           // ours
  cannot_write = 73,  // an output cannot be made; a full disk
  io = 74,            // reading or writing failed
  network = 75,       // may work when tried again
};

// One failure, for a person. Printed as "error: WHERE: WHAT" and, where there is one, "hint: HINT"; those
// that were found along with it follow in the same form.
struct Error {
  ErrorKind kind = ErrorKind::bug;
  std::string where;  // the file, field or option at fault; may be empty
  std::string what;   // what is wrong, in one line
  std::string hint;   // what to do about it; may be empty
  std::vector<Error> more;
  std::size_t untold = 0;  // so many others are not even in `more`
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// The failing return value: `return fail(ErrorKind::bad_input, "pipeline.json", "is empty");`
inline tl::unexpected<Error> fail(ErrorKind kind, std::string where, std::string what,
                                  std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(where), std::move(what), std::move(hint), {}});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace base

#define BASE_JOIN_IMPL(a, b) a##b
#define BASE_JOIN(a, b) BASE_JOIN_IMPL(a, b)

// Returns from the current function when EXPRESSION failed, with its error.
#define BASE_TRY(expression)                                                      \
  do {                                                                            \
    if (auto&& base_try_result = (expression); !base_try_result)                  \
      return ::tl::unexpected<::base::Error>(std::move(base_try_result).error()); \
  } while (false)

// The same, and binds the value: `BASE_TRY_ASSIGN(auto text, read_file(path));`
#define BASE_TRY_ASSIGN(declaration, expression) \
  BASE_TRY_ASSIGN_IMPL(BASE_JOIN(base_try_result_, __LINE__), declaration, expression)
#define BASE_TRY_ASSIGN_IMPL(result, declaration, expression)                     \
  auto result = (expression);                                                     \
  if (!result) return ::tl::unexpected<::base::Error>(std::move(result).error()); \
  declaration = std::move(*result)
