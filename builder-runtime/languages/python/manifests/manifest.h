// SPDX-License-Identifier: Apache-2.0
// Which file of a source says what to install, and which Python it is for: found by looking, nothing is
// resolved.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/source_settings.h"

namespace builder::python {

enum class ManifestKind {
  none,  // nothing is installed
  uv_lock,
  pylock,
  poetry_lock,
  pdm_lock,
  pipfile_lock,
  requirements,
  project,  // [project] of pyproject.toml: PEP 621
  poetry,   // [tool.poetry] of pyproject.toml
  setup,    // setup.py or setup.cfg
  pipfile,
};

struct Manifest {
  ManifestKind kind = ManifestKind::none;
  std::vector<std::string> files;  // relative to the source; of requirements there may be several
  data::Value project;             // pyproject.toml; absent where there is none
  // The source is itself a package that gets installed beside what it needs.
  bool installs_project = false;
  // Of a program that says itself what it needs (inline_metadata.h): the pyproject.toml that says the same.
  // The kind is `project`, or `uv_lock` where the program has a lock; then `program` is what uv is given.
  std::string inline_project;
  std::string program;
  bool is_chosen = false;  // by the settings

  [[nodiscard]] bool is_lock() const;
  [[nodiscard]] bool is_inline() const { return !inline_project.empty(); }
};

// The first of the table in manifest.cpp that is there, or what the settings choose.
base::Result<Manifest> find_manifest(const base::fs::path& source, const SourceSettings& settings);

// Where no file says what to install: what the program says itself, `program` being relative to the source
// ("" where the program is not one of its files). A conda file alone is an error.
base::Status add_inline_metadata(const base::fs::path& source, const std::string& program,
                                 Manifest& manifest);

// What the manifest, .python-version, runtime.txt and the settings say about the interpreter; checked for
// agreement.
base::Result<std::vector<Pin>> find_pins(const base::fs::path& source, const Manifest& manifest,
                                         const SourceSettings& settings);

}  // namespace builder::python
