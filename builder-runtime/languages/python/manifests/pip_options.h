// SPDX-License-Identifier: Apache-2.0
// The options of requirements files, as pip reads them (pip.pypa.io, "Requirements File Format"). uv reads
// fewer of them, in fewer spellings, and forgets them once it has chosen versions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace builder::python {

// What options say about all that is installed.
struct PipOptions {
  std::string index_url;  // of the last that is named
  std::vector<std::string> extra_index_urls;
  std::vector<std::string> find_links;
  std::vector<std::string> trusted_hosts;
  std::vector<std::string> no_binary;  // names of packages, ":all:", ":none:"
  std::vector<std::string> only_binary;
  std::vector<std::string> all_releases;  // packages whose pre-releases count, and those whose do not
  std::vector<std::string> only_final;
  std::vector<std::string> config_settings;  // "six:key=value"
  bool no_index = false;
  bool require_hashes = false;
};

// A logical line, taken apart.
struct RequirementLine {
  std::string requirement;  // what comes before the options; empty: there are only options
  std::vector<std::pair<std::string, std::string>>
      options;           // by their long names: {"--index-url", "https://…"}
  bool is_plain = true;  // spelled as uv reads it

  // The value of an option, "" where it is not there.
  [[nodiscard]] std::string value(std::string_view option) const;
};

// An error when the line has an option that pip does not have.
base::Result<RequirementLine> parse_requirement_line(const std::string& line, const std::string& where);

// The words of a text as a POSIX shell splits them.
std::vector<std::string> shell_words(std::string_view text);

// A requirements file as UTF-8: with a byte order mark, or the encoding that one of the first two lines names
// (PEP 263), as pip reads it.
base::Result<std::string> decode_requirements(const std::string& bytes, const std::string& where);

}  // namespace builder::python
