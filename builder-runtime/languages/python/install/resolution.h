// SPDX-License-Identifier: Apache-2.0
// From what a source asks for to what exactly is installed: files for uv in which every version is fixed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/credentials.h"
#include "base/files.h"
#include "base/result.h"
#include "base/workspace.h"
#include "builder-runtime/languages/python/install/installation.h"
#include "builder-runtime/languages/python/locks/pylock.h"
#include "builder-runtime/languages/python/manifests/git_credentials.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// What is installed together.
struct InstallStep {
  std::vector<std::string>
      arguments;           // of `uv pip install`, in the folder of the resolution; none: nothing to install
  bool is_chosen = false;  // every version is fixed: what variables say about versions is over
  std::vector<std::string>
      requirements;  // exact versions and hashes, a line each, without options and credentials
};

class Resolution {
 public:
  // Asks the package index where the source leaves a choice.
  static base::Result<std::shared_ptr<Resolution>> make(Installation installation, const Tools& tools);

  // What it was made for, with the indexes that the manifest names.
  [[nodiscard]] const Installation& installation() const { return m_installation; }
  // The source, or a copy of it where something in it gets installed: building writes into folders.
  [[nodiscard]] const base::fs::path& folder() const { return m_folder; }
  // What does not change while its lines stay the same, since each has its hashes. Where uv reads a lock
  // itself that is everything, without lines.
  [[nodiscard]] const InstallStep& fixed() const { return m_fixed; }
  // The rest: packages of the source itself, and others without hashes.
  [[nodiscard]] const InstallStep& unhashed() const { return m_unhashed; }
  // Of both.
  [[nodiscard]] const std::vector<std::string>& requirements() const { return m_requirements; }

 private:
  Resolution(Installation installation, base::Workspace workspace)
      : m_installation(std::move(installation)),
        m_workspace(std::move(workspace)),
        m_git(m_installation.configuration.environment) {}

  base::Status prepare_folder(const Tools& tools);
  [[nodiscard]] std::vector<std::string> files_that_uv_reads() const;
  [[nodiscard]] base::Result<bool> has_git_credentials() const;
  base::Status resolve(const Tools& tools);
  base::Status export_uv_lock(const Tools& tools);
  // Makes a lock in the copy of the source, and takes it.
  base::Status lock(const Tools& tools);
  base::Status choose(const Tools& tools, const std::vector<std::string>& inputs);
  base::Status write_lines(const std::vector<std::string>& lines, const std::string& name);
  // Runs uv, unless it is remembered what it chose.
  base::Status ask(const Installation& installation, const Tools& tools, std::vector<std::string> arguments);
  [[nodiscard]] std::optional<Pylock> recall() const;
  // Nothing is remembered of a source that changed meanwhile.
  void remember(const Pylock& chosen) const;
  base::Status take(const Pylock& chosen);
  // Of a lock that uv does not read.
  base::Status take_lines(const std::vector<std::string>& lines);
  [[nodiscard]] base::fs::path generated(const std::string& name) const;

  Installation m_installation;
  base::Workspace m_workspace;
  GitCredentials m_git;
  base::fs::path m_folder;
  InstallStep m_fixed;
  InstallStep m_unhashed;
  std::vector<std::string> m_requirements;
};

using base::without_credentials;

}  // namespace builder::python
