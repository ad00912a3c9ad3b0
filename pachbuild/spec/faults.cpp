// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/faults.h"

#include <algorithm>
#include <iterator>

#include "base/errors.h"

namespace spec {
namespace {

// Whether `inner` is `outer` or below it.
bool is_within(const std::string& inner, const std::string& outer) {
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

}  // namespace

void Faults::add(std::string pointer, Position position, base::Error error) {
  m_all.push_back({std::move(pointer), position, std::move(error)});
}

void Faults::add(Faults others) {
  std::move(others.m_all.begin(), others.m_all.end(), std::back_inserter(m_all));
}

bool Faults::touch(const std::string& pointer) const {
  return std::any_of(m_all.begin(), m_all.end(), [&](const Fault& fault) {
    return is_within(fault.pointer, pointer) || is_within(pointer, fault.pointer);
  });
}

base::Error Faults::take() {
  std::stable_sort(m_all.begin(), m_all.end(),
                   [](const Fault& a, const Fault& b) { return a.position < b.position; });
  base::Errors errors;
  for (auto& fault : m_all) errors.add(std::move(fault.error));
  m_all.clear();
  return errors.take();
}

}  // namespace spec
