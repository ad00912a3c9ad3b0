// SPDX-License-Identifier: Apache-2.0
// What an examination of this machine finds, a line for each thing.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace doctor {

// A note is about what is absent and optional.
enum class State { ok, note, warning, problem };

struct Finding {
  std::string check;  // "uv"
  State state = State::ok;
  std::string what;  // "0.9.18, /usr/bin/uv"
  std::string fix;   // the command that mends it, or what to do; empty when nothing has to be done
};
using Findings = std::vector<Finding>;

inline Finding ok(std::string check, std::string what) {
  return {std::move(check), State::ok, std::move(what), ""};
}
inline Finding note(std::string check, std::string what) {
  return {std::move(check), State::note, std::move(what), ""};
}
inline Finding warning(std::string check, std::string what, std::string fix) {
  return {std::move(check), State::warning, std::move(what), std::move(fix)};
}
inline Finding problem(std::string check, std::string what, std::string fix) {
  return {std::move(check), State::problem, std::move(what), std::move(fix)};
}

}  // namespace doctor
