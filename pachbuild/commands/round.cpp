// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/round.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "base/files.h"
#include "base/json_text.h"
#include "base/text.h"

namespace commands {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RoundSummary, text, failed, ended)

void RoundEvents::tell(const local::Event& event) {
  const auto* const phase = std::get_if<local::PhaseEnds>(&event.what);
  if (phase != nullptr && phase->phase == local::Phase::building && !phase->succeeded) m_build_failed = true;
  const auto* const end = std::get_if<local::PipelineEnds>(&event.what);
  if (end == nullptr) return;
  m_run += end->run;
  m_skipped += end->skipped;
  m_failed += end->failed;
  m_conflicting += end->conflicting;
  m_any = true;
}

std::optional<RoundSummary> RoundEvents::summary(bool succeeded) const {
  if (!m_any && m_build_failed) return RoundSummary{.text = "build failed", .failed = 1, .ended = false};
  if (!m_any) return std::nullopt;
  std::string text = base::count_of(m_run, "datum") + " processed, " + std::to_string(m_skipped) +
                     " skipped, " + std::to_string(m_failed) + " failed";
  if (m_conflicting > 0)
    text += ", " + std::to_string(m_conflicting) + " left out because of conflicting paths";
  if (m_failed == 0 && m_conflicting == 0 && !succeeded) text += ", not all pipelines could be run";
  return RoundSummary{.text = std::move(text), .failed = m_failed};
}

void write_summary(int descriptor, const RoundSummary& summary) {
  // Nobody is left to read it when it fails.
  const auto text = base::json_text(nlohmann::json(summary));
  static_cast<void>(base::write_all(descriptor, text, "the summary"));
}

std::optional<RoundSummary> read_summary(int descriptor) {
  constexpr std::size_t k_longest = 65536;  // what a pipe holds
  std::string text(k_longest, '\0');
  const ssize_t count = ::read(descriptor, text.data(), text.size());
  if (count <= 0) return std::nullopt;
  const auto json =
      nlohmann::json::parse(text.begin(), text.begin() + count, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json.get<RoundSummary>();
}

}  // namespace commands
