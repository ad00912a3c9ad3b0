// SPDX-License-Identifier: Apache-2.0
// A file's content without reading it: only what is looked at comes into memory.
#pragma once

#include <memory>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace base {

class MappedFile {
 public:
  // An empty file has no content to be mapped: it is an error of kind io, like one that cannot be read.
  static Result<MappedFile> open(const fs::path& path);

  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  // Valid as long as this lives and nobody shortens the file.
  [[nodiscard]] std::string_view content() const;

 private:
  struct State;
  explicit MappedFile(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace base
