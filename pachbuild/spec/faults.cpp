// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/faults.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace spec {
namespace {

// Whether `inner` is `outer` or below it.
bool is_within(const std::string& inner, const std::string& outer) {
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

}  // namespace

void Faults::add(std::string pointer, base::Position position, base::Error error) {
  m_all.emplace(position, Fault{std::move(pointer), std::move(error)});
}

bool Faults::touch(const std::string& pointer) const {
  return std::any_of(m_all.begin(), m_all.end(), [&](const auto& entry) {
    const std::string& other = entry.second.pointer;
    return is_within(other, pointer) || is_within(pointer, other);
  });
}

base::Error Faults::take() {
  base::Errors errors;
  for (auto& [position, fault] : m_all) errors.add(std::move(fault.error));
  m_all.clear();
  return errors.take();
}

base::Error repeated_name_fault(std::string where, const std::string& name, const std::string& first_place) {
  return {base::ErrorKind::bad_input, std::move(where),
          "pipeline name " + base::quoted(name) + " is already used: " + first_place,
          "rename one of them, or omit one of the files"};
}

base::Error cycle_fault(std::string where, const std::vector<std::string>& names) {
  std::string circle = names.front();
  for (std::size_t i = 1; i <= names.size(); ++i)
    circle += (i == 1 ? " reads " : ", which reads ") + names[i % names.size()];
  return {base::ErrorKind::bad_input, std::move(where), "the pipelines form a cycle: " + circle,
          "remove one of the inputs"};
}

}  // namespace spec
