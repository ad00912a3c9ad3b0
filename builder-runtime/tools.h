// SPDX-License-Identifier: Apache-2.0
// The tools of the machine: found once on PATH, called by absolute path, and asked only once what they are.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/settings.h"
#include "process/runner.h"

namespace builder {

class Tools {
 public:
  Tools(const Settings& settings, process::Runner& runner) : m_settings(settings), m_runner(runner) {}

  [[nodiscard]] const Settings& settings() const { return m_settings; }

  // The absolute path of a program on PATH; `hint` is for the error when it is not there.
  [[nodiscard]] base::Result<std::string> find(const std::string& name, const std::string& hint) const;

  // Runs a tool to its end; what it says on standard error is shown as it comes. It dies with us. That it
  // failed for a full disk is an error that names the disk.
  [[nodiscard]] base::Result<process::Finished> run(process::Command command) const;

  // The same, and what it says on standard error is not shown.
  [[nodiscard]] base::Result<process::Finished> run_quietly(process::Command command) const;

  // What the tool arguments[0] prints when it is run in "/" with this environment. The answer is kept in the
  // cache until the tool's file is another; the environment must not be one that varies.
  [[nodiscard]] base::Result<std::string> ask(const std::vector<std::string>& arguments,
                                              const process::Environment& environment) const;

  // The SHA-256 of a file that rarely changes, kept in the same way.
  [[nodiscard]] base::Result<std::string> digest_of(const fs::path& file) const;

 private:
  using Answer = std::function<base::Result<std::string>()>;
  [[nodiscard]] base::Result<std::string> remembered(const std::string& file,
                                                     const std::vector<std::string>& question,
                                                     const Answer& find_out) const;
  [[nodiscard]] base::Result<std::string> answer_of(const process::Command& command) const;

  const Settings& m_settings;
  process::Runner& m_runner;
};

}  // namespace builder
