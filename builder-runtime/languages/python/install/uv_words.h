// SPDX-License-Identifier: Apache-2.0
// What uv prints, in the user's terms: uv works on private copies and with flags that nobody else knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace builder::python {

class UvWords {
 public:
  // `work` is the folder below which all private folders are, `folder` the one that stands for `source`,
  // `manifest` what generated files stand for, `arguments` the ones of uv that only we have chosen: flags,
  // and generated files by their paths.
  UvWords(std::string work, std::string folder, std::string source, std::string manifest,
          const std::vector<std::string>& arguments);

  // The line as it is shown; nothing for a line that says nothing to the user.
  [[nodiscard]] std::optional<std::string> shown(std::string_view line) const;

 private:
  std::string m_work;
  std::string m_folder;
  std::string m_source;
  std::string m_manifest;
  std::vector<std::string> m_flags;
  std::vector<std::string> m_generated;  // paths, each before its relative form
};

}  // namespace builder::python
