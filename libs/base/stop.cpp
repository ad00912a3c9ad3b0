// SPDX-License-Identifier: Apache-2.0
#include "base/stop.h"

#include <atomic>
#include <utility>

namespace base {
namespace {

std::atomic<const std::function<bool()>*> g_question = nullptr;

}  // namespace

StopQuestion::StopQuestion(std::function<bool()> question)
    : m_question(std::move(question)), m_previous(g_question.exchange(&m_question)) {}

StopQuestion::~StopQuestion() { g_question = m_previous; }

bool is_stop_watched() { return g_question != nullptr; }

Status check_stop() {
  const auto* question = g_question.load();
  if (question != nullptr && (*question)()) return fail(interrupted());
  return {};
}

Error interrupted() { return {ErrorKind::step_failed, "", "interrupted", ""}; }

}  // namespace base
