// SPDX-License-Identifier: Apache-2.0
// All that is wrong with a spec: one look finds everything, and a person reads it in the order of the text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/spec/document.h"

namespace spec {

class Faults {
 public:
  // `pointer` is that of the value at fault, under Pachyderm's own names of fields.
  void add(std::string pointer, base::Position position, base::Error error);

  [[nodiscard]] bool none() const { return m_all.empty(); }

  // Whether something is wrong with the value, in it or around it: what it lacks is then no fault of its own.
  [[nodiscard]] bool touch(const std::string& pointer) const;

  // As one error. There is at least one fault.
  [[nodiscard]] base::Error take();

 private:
  struct Fault {
    std::string pointer;
    base::Error error;
  };
  std::multimap<base::Position, Fault> m_all;
};

// Of the second pipeline of a name.
base::Error repeated_name_fault(std::string where, const std::string& name, const std::string& first_place);

// Of pipelines that read each other: each of `names` the result of the next one, the last that of the first.
base::Error cycle_fault(std::string where, const std::vector<std::string>& names);

}  // namespace spec
