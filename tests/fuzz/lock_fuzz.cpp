// SPDX-License-Identifier: Apache-2.0
// The manifests and locks of a Python source, each by its own reader: what uv is asked to install is a
// requirement a line, and nothing in a lock can make it an option.
#include <algorithm>

#include "base/inside.h"
#include "builder-runtime/languages/python/locks/pdm.h"
#include "builder-runtime/languages/python/locks/pipfile.h"
#include "builder-runtime/languages/python/locks/poetry.h"
#include "builder-runtime/languages/python/locks/uv_lock.h"
#include "builder-runtime/languages/python/manifests/manifest.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/program/entry.h"
#include "tests/fuzz/target.h"
#include "tests/python_markers.h"

namespace {

using fuzz::require;
namespace python = builder::python;

const python::MarkerEnvironment& markers() {
  static const python::MarkerEnvironment all = tests::markers_of_linux();
  return all;
}

void check_lines(const base::Result<python::RequirementList>& list) {
  if (!list) return fuzz::require_readable(list.error());
  for (const auto& line : list->lines) {
    const auto logical = python::logical_lines(line);
    require(logical.size() <= 1);
    require(logical.empty() || logical.front().front() != '-');
  }
}

base::Result<python::RequirementList> read_lock(const python::LockRequest& request) {
  switch (request.manifest.kind) {
    case python::ManifestKind::poetry_lock:
      return python::read_poetry_lock(request);
    case python::ManifestKind::poetry:
      return python::read_poetry_project(request);
    case python::ManifestKind::pdm_lock:
      return python::read_pdm_lock(request);
    case python::ManifestKind::pipfile_lock:
      return python::read_pipfile_lock(request);
    case python::ManifestKind::pipfile:
      return python::read_pipfile(request);
    case python::ManifestKind::uv_lock:
      if (const auto checked = python::check_uv_lock(request); !checked) return base::fail(checked.error());
      return python::RequirementList{};
    default:
      return python::RequirementList{};
  }
}

}  // namespace

// What the first byte chooses, a 0xff byte, pyproject.toml; a 0xff byte, Pipfile or .python-version.
FUZZ_TARGET(lock_fuzz, input) {
  static const fuzz::Folder folder;
  static constexpr const char* k_names[] = {
      "uv.lock", "poetry.lock",     "pdm.lock",    "Pipfile.lock",    "requirements.txt", "setup.cfg",
      "Pipfile", "environment.yml", "pylock.toml", ".python-version", "runtime.txt",      "main.py"};
  const char* const name = k_names[fuzz::take_choice(input, std::size(k_names))];
  const auto parts = fuzz::parts_of_input(input, 3);
  folder.clear();
  if (!parts[0].empty()) folder.write(name, parts[0]);
  if (!parts[1].empty()) folder.write("pyproject.toml", parts[1]);
  if (!parts[2].empty())
    folder.write(std::string_view(name) == "Pipfile.lock" ? "Pipfile" : "tool.py", parts[2]);

  const auto settings = builder::read_source_settings(folder.path());
  if (!settings) return fuzz::require_readable(settings.error());
  const auto manifest = python::find_manifest(folder.path(), *settings);
  if (!manifest) return fuzz::require_readable(manifest.error());
  for (const auto& file : manifest->files) require(base::stays_inside(file));
  if (const auto pins = python::find_pins(folder.path(), *manifest, *settings); !pins)
    fuzz::require_readable(pins.error());
  const auto entry = python::find_entry(folder.path(), manifest->project, *settings);
  if (!entry) fuzz::require_readable(entry.error());
  require(!entry || entry->file.empty() || base::stays_inside(entry->file.lexically_relative(folder.path())));
  check_lines(read_lock({folder.path(), *manifest, settings->python, markers()}));
}
