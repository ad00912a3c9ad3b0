// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/failure_kinds.h"

#include <algorithm>

#include "base/text.h"
#include "pachbuild/local/plan/datum.h"

namespace commands {
namespace {

constexpr std::size_t k_others_named = 3;

bool is_digit(char character) { return character >= '0' && character <= '9'; }

// `text` without the names of the datum's files.
std::string without_names(std::string text, const std::string& label) {
  for (const auto part : local::parts_of_label(label)) {
    const std::string path(part);
    // "data/folder/a.txt": programs name it by its path, or by the last part of that.
    for (const auto& name :
         {path, path.substr(std::min(path.find('/'), path.size())), path.substr(path.rfind('/') + 1)}) {
      if (name.size() > 1) base::replace_all(text, name, "*");
    }
  }
  return text;
}

// `text` without numbers and what stands in quotes: values of the datum.
std::string without_values(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const char character = text[i];
    const auto end = character == '\'' || character == '"' ? text.find(character, i + 1) : std::string::npos;
    if (end != std::string::npos) {
      result += "'*'";
      i = end + 1;
    } else if (is_digit(character)) {
      result += '#';
      while (i < text.size() && is_digit(text[i])) ++i;
    } else {
      result += character;
      ++i;
    }
  }
  return result;
}

}  // namespace

std::string failure_signature(const std::string& label, std::string_view reason, std::string_view log) {
  // Of a traceback, a panic of a test or a compiler's list the last line says what it is.
  return without_names(std::string(reason), label) + "\n" +
         without_values(without_names(base::last_line(log), label));
}

bool FailureKinds::add(const std::string& label, std::string_view reason, std::string_view log) {
  const auto signature = failure_signature(label, reason, log);
  const auto known = std::find(m_signatures.begin(), m_signatures.end(), signature);
  if (known == m_signatures.end()) {
    m_signatures.push_back(signature);
    m_kinds.push_back({label, {}, 0});
    return true;
  }
  auto& kind = m_kinds[static_cast<std::size_t>(known - m_signatures.begin())];
  if (kind.others.size() < k_others_named) kind.others.push_back(label);
  ++kind.more;
  return false;
}

std::string summary_of(const FailureKinds::Kind& kind) {
  return base::count_of(kind.more, "more datum") + " failed in the same way as " + kind.first + ": " +
         base::join(kind.others, ", ") + (kind.more > kind.others.size() ? ", …" : "");
}

}  // namespace commands
