// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/row.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/json_text.h"

namespace conformance {
namespace {

constexpr std::size_t k_outcome_width = 9;

std::string word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "ok";
    case Outcome::failed:
      return "FAILED";
    case Outcome::noted:
      return "note";
    case Outcome::skipped:
      break;
  }
  return "skipped";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : base::printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::size_t count(const std::vector<Row>& rows, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](const Row& row) { return row.outcome == outcome; }));
}

// What a test case has inside it; nothing when all is well.
std::string junit_body(const Row& row) {
  const std::string message = " message=\"" + escaped(row.text) + "\"/>";
  if (row.outcome == Outcome::failed) return "<failure" + message;
  if (row.outcome == Outcome::skipped) return "<skipped" + message;
  return "<system-out>" + escaped(row.text) + "</system-out>";
}

}  // namespace

std::string to_table(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  std::string text;
  for (const auto& row : rows) {
    text += padded(row.name, width + 2) + padded(word_of(row.outcome), k_outcome_width) +
            base::printable(row.text) + "\n";
  }
  return text;
}

std::string to_json(const std::string& subject, const std::vector<Row>& rows) {
  auto list = nlohmann::json::array();
  for (const auto& row : rows) {
    list.push_back({{"name", row.name},
                    {"outcome", row.outcome == Outcome::failed ? "failed" : word_of(row.outcome)},
                    {"text", base::printable(row.text)}});
  }
  const nlohmann::json document = {{"builder", subject}, {"rows", list}};
  return base::json_lines(document);
}

std::string to_junit(const std::string& subject, const std::vector<Row>& rows) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + escaped(subject) +
                     "\" tests=\"" + std::to_string(rows.size()) + "\" failures=\"" +
                     std::to_string(count(rows, Outcome::failed)) + "\" skipped=\"" +
                     std::to_string(count(rows, Outcome::skipped)) + "\">\n";
  for (const auto& row : rows) {
    text += "  <testcase classname=\"builder\" name=\"" + escaped(row.name) + "\">" + junit_body(row) +
            "</testcase>\n";
  }
  return text + "</testsuite>\n";
}

}  // namespace conformance
