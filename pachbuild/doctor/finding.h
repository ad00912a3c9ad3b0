// SPDX-License-Identifier: Apache-2.0
// What an examination of this machine finds, a line for each thing.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace doctor {

enum class State { ok, warning, bad };

struct Finding {
  std::string check;  // "uv"
  State state = State::ok;
  std::string what;  // "0.9.18, /usr/bin/uv"
  std::string fix;   // the command that mends it, or what to do; empty when all is well
};
using Findings = std::vector<Finding>;

inline Finding ok(std::string check, std::string what) {
  return {std::move(check), State::ok, std::move(what), ""};
}
inline Finding warning(std::string check, std::string what, std::string fix) {
  return {std::move(check), State::warning, std::move(what), std::move(fix)};
}
inline Finding bad(std::string check, std::string what, std::string fix) {
  return {std::move(check), State::bad, std::move(what), std::move(fix)};
}

}  // namespace doctor
