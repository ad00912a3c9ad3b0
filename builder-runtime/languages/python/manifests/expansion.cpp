// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/expansion.h"

#include <algorithm>
#include <cctype>

namespace builder::python {
namespace {

bool is_of_name(char character, Notation notation) {
  const auto byte = static_cast<unsigned char>(character);
  return character == '_' || std::isdigit(byte) != 0 || std::isupper(byte) != 0 ||
         (notation == Notation::shell && std::islower(byte) != 0);
}

}  // namespace

std::vector<VariableUse> variables_in(std::string_view text, Notation notation) {
  std::vector<VariableUse> uses;
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    const bool has_brace = text.substr(at + 1, 1) == "{";
    if (!has_brace && notation == Notation::braces) continue;
    const auto begin = at + (has_brace ? 2 : 1);
    auto end = begin;
    while (end < text.size() && is_of_name(text[end], notation)) ++end;
    if (end == begin || (has_brace && text.substr(end, 1) != "}")) continue;
    uses.push_back({at, end + (has_brace ? 1 : 0), std::string(text.substr(begin, end - begin))});
  }
  return uses;
}

std::string expanded(std::string_view text, const process::Environment& environment, Notation notation) {
  std::string result;
  std::size_t done = 0;
  for (const auto& use : variables_in(text, notation)) {
    const auto entry = environment.find(use.name);
    if (entry == environment.end()) continue;
    result.append(text.substr(done, use.begin - done)).append(entry->second);
    done = use.end;
  }
  return result.append(text.substr(done));
}

}  // namespace builder::python
