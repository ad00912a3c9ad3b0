// SPDX-License-Identifier: Apache-2.0
// Failures of datums that are the same but for what the datums have: told once, with how many there are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace commands {

// What failures of one kind have in common; `log` is what the program printed, or the end of it.
std::string failure_signature(const std::string& label, std::string_view reason, std::string_view log);

class FailureKinds {
 public:
  struct Kind {
    std::string first;                // the label of the datum that failed so first
    std::vector<std::string> others;  // labels of some that failed so after it
    std::size_t more = 0;             // how many these are in all
  };

  // Takes a failure. Whether it is the first of its kind.
  bool add(const std::string& label, std::string_view reason, std::string_view log);

  [[nodiscard]] const std::vector<Kind>& all() const { return m_kinds; }

 private:
  std::vector<Kind> m_kinds;
  std::vector<std::string> m_signatures;  // of the kinds
};

// "74 more datums failed in the same way as data/a: data/b, data/c, data/d, …"
std::string summary_of(const FailureKinds::Kind& kind);

}  // namespace commands
