// SPDX-License-Identifier: Apache-2.0
#include "base/measure.h"

#include <utility>

namespace base {
namespace {

thread_local const Measure::Advance* t_advance = nullptr;

}  // namespace

Measure::Measure(Advance advance)
    : m_advance(std::move(advance)), m_previous(std::exchange(t_advance, &m_advance)) {}

Measure::~Measure() { t_advance = m_previous; }

void advance(std::uint64_t more) {
  if (t_advance != nullptr && *t_advance) (*t_advance)(more);
}

Measure::Advance current_measure() { return t_advance == nullptr ? Measure::Advance() : *t_advance; }

}  // namespace base
