// SPDX-License-Identifier: Apache-2.0
// What comes of examining a builder: a row for each thing that the build.sh protocol asks for.
#pragma once

#include <string>
#include <vector>

namespace conformance {

enum class Outcome {
  passed,
  failed,
  noted,    // allowed, though not what one would wish
  skipped,  // could not be found out, for the reason that is given
};

struct Row {
  std::string name;
  Outcome outcome = Outcome::passed;
  std::string text;  // what was found
};

// The rows as people read them, a line each.
std::string to_table(const std::vector<Row>& rows);
std::string to_json(const std::string& subject, const std::vector<Row>& rows);
// As CI systems read it.
std::string to_junit(const std::string& subject, const std::vector<Row>& rows);

}  // namespace conformance
