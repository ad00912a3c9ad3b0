// SPDX-License-Identifier: Apache-2.0
#include "report/progress.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "contract/environment.h"
#include "report/report.h"
#include "report/terminal.h"

namespace report {
namespace {

constexpr std::string_view k_begin = R"({"level":"progress",)";
constexpr std::chrono::milliseconds k_between{200};

bool is_asked() {
  const char* const value = own_variable(contract::k_progress_variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool is_progress(std::string_view line) { return line.starts_with(k_begin); }

std::optional<Progress> parse_progress(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return Progress{.step = json.at("step").get<std::string>(),
                    .done = json.at("done").get<std::uint64_t>(),
                    .all = json.at("all").get<std::uint64_t>(),
                    .counts_files = json.at("unit").get<std::string>() == "files"};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Step::Step(std::string name, std::uint64_t all, Unit unit)
    : m_name(std::move(name)), m_all(all), m_unit(unit), m_is_asked(is_asked()) {
  tell(0);
}

void Step::advance(std::uint64_t more) {
  const auto done = m_done.fetch_add(more) + more;
  if (m_is_asked) tell(done);
}

void Step::tell(std::uint64_t done) {
  if (!m_is_asked) return;
  const std::unique_lock lock(m_mutex, std::try_to_lock);
  const auto now = std::chrono::steady_clock::now();
  if (!lock || now < m_next) return;
  m_next = now + k_between;
  const nlohmann::ordered_json line = {{"level", "progress"},
                                       {"step", m_name},
                                       {"done", done},
                                       {"all", m_all},
                                       {"unit", m_unit == Unit::bytes ? "bytes" : "files"}};
  write_error(base::json_text(line) + "\n");
}

}  // namespace report
