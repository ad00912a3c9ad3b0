// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/record.h"

#include "base/text.h"

namespace builder::python {
namespace {

// The first field of a line of CSV: up to the comma or, when it has one itself, in quotes.
std::string first_field(std::string_view line) {
  if (line.substr(0, 1) != "\"") return std::string(line.substr(0, line.find(',')));
  std::string field;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] != '"') {
      field += line[i];
    } else if (line.substr(i + 1, 1) == "\"") {
      field += line[i++];
    } else {
      break;
    }
  }
  return field;
}

}  // namespace

std::vector<std::string> paths_of_record(std::string_view text) {
  std::vector<std::string> paths;
  for (const auto& line : base::split(text, '\n')) {
    if (auto path = first_field(base::trim(line)); !path.empty()) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace builder::python
