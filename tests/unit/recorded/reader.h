// SPDX-License-Identifier: Apache-2.0
// Recorded answers: what a reader of a format says to inputs that people write, and to many small changes of
// these. A change of the code that changes any answer is noticed, also where nobody thought of a test.
// tests/golden/README.md tells how to record them again.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/result.h"

namespace recorded {

// Files by name. Inputs that are a line each have it under "".
using Files = std::map<std::string, std::string>;

class Answers {
 public:
  // `folder` is taken out of all that is told: it has another name in each run.
  explicit Answers(std::string folder) : m_folder(std::move(folder)) {}

  void tell(const std::string& name, nlohmann::ordered_json value);
  void tell_error(const std::string& name, const base::Error& error);

  // The value, put into JSON by `describe`, or the error.
  template <class Value, class Describe>
  void tell(const std::string& name, const base::Result<Value>& result, const Describe& describe) {
    result ? tell(name, nlohmann::ordered_json(describe(*result))) : tell_error(name, result.error());
  }

  // JSON in one line. Bytes that are no UTF-8 are escaped.
  [[nodiscard]] std::string line() const;

 private:
  std::string m_folder;
  nlohmann::ordered_json m_all = nlohmann::ordered_json::object();
};

// What an input is: its files, which are also in `folder`.
struct Input {
  const Files& files;
  const base::fs::path& folder;

  [[nodiscard]] std::string file(const std::string& name) const {
    const auto found = files.find(name);
    return found == files.end() ? "" : found->second;
  }
  [[nodiscard]] const std::string& line() const { return files.begin()->second; }
};

using Reader = void (*)(const Input& input, Answers& answers);
bool add_reader(const std::string& name, Reader reader);
const std::map<std::string, Reader>& readers();

}  // namespace recorded

// The reader of tests/golden/answers/NAME.lines (an input a line) or NAME.files (`==== title`, and before
// each file of the input `---- name`).
#define RECORDED_READER(name, input, answers)                                 \
  static void name(const recorded::Input& input, recorded::Answers& answers); \
  static const bool name##_added = recorded::add_reader(#name, name);         \
  static void name(const recorded::Input& input, recorded::Answers& answers)
