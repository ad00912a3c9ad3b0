// SPDX-License-Identifier: Apache-2.0
// What uv chose, package by package, in the form that it writes and reads itself: pylock.toml (PEP 751).
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"

namespace builder::python {

class Pylock {
 public:
  // The file as uv wrote it, with paths relative to `folder`. Those that lead into `source` become relative
  // to that, so that the same choice is the same text wherever it was made.
  static base::Result<Pylock> read(const base::fs::path& file, const base::fs::path& folder,
                                   const base::fs::path& source);

  // The packages whose files are known by hashes; the others.
  [[nodiscard]] Pylock fixed() const;
  [[nodiscard]] Pylock unhashed() const;

  [[nodiscard]] bool is_empty() const { return m_packages.empty(); }
  // As lines of a requirements file, with hashes and without credentials.
  [[nodiscard]] std::vector<std::string> requirements() const;
  // As a file that may lie anywhere, of packages of that source.
  [[nodiscard]] std::string text(const base::fs::path& source) const;
  // The same for every source.
  [[nodiscard]] std::string text() const;

 private:
  std::string m_python;  // the specifiers of the interpreters that it is for
  std::vector<data::Value> m_packages;
};

}  // namespace builder::python
