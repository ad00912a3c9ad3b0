// SPDX-License-Identifier: Apache-2.0
// The person's own pachctl: how this program speaks to a cluster. Context, authentication and TLS are
// pachctl's.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"
#include "process/runner.h"

namespace cluster {

// Which cluster, and which project there.
struct Target {
  std::string context;  // of pachctl's configuration; empty: the active one
  std::string project;  // empty: the context's
};

class Pachctl {
 public:
  // $PACHCTL, else pachctl in PATH. Starts nothing. Files for pachctl are made below `scratch`, and go with
  // what made them.
  static base::Result<Pachctl> find(const Target& target, const base::fs::path& scratch,
                                    process::Runner& runner);

  [[nodiscard]] const base::fs::path& scratch() const { return m_scratch; }
  // Whether several threads may call it at the same time.
  [[nodiscard]] bool is_shared() const;

  // Runs `pachctl WORDS…` about things of the project and gives its standard output. When it fails, its own
  // words are the error, of `kind`.
  [[nodiscard]] base::Result<std::string> call(std::vector<std::string> words,
                                               base::ErrorKind kind = base::ErrorKind::bad_input) const;
  // The same for what it does alone.
  [[nodiscard]] base::Status run(std::vector<std::string> words) const;

  // The same with `--raw`, whose answer is one JSON object after the other: `take` gets each. An answer
  // without something that `take` asks for is an error, like one that is no JSON.
  using Take = std::function<void(const nlohmann::json&)>;
  [[nodiscard]] base::Status list(std::vector<std::string> words, const Take& take) const;

  // The same as list() and call() for what belongs to no project.
  [[nodiscard]] base::Status list_anywhere(std::vector<std::string> words, const Take& take) const;
  [[nodiscard]] base::Result<std::string> call_anywhere(
      std::vector<std::string> words, base::ErrorKind kind = base::ErrorKind::bad_input) const;

  // The project that was chosen; empty: the context's.
  [[nodiscard]] const std::string& project() const { return m_target.project; }
  // The same pachctl for another project.
  [[nodiscard]] Pachctl with_project(const std::string& project) const;
  // The same pachctl whose calls `runner` does.
  [[nodiscard]] Pachctl with_runner(process::Runner& runner) const;
  // The same pachctl, each of whose calls may take so long; 0: as long as it takes.
  [[nodiscard]] Pachctl limited_to(std::chrono::milliseconds limit) const;
  // The same pachctl with another configuration file.
  [[nodiscard]] Pachctl with_configuration(const base::fs::path& file) const;
  // The same pachctl with a copy of its configuration in `file`, which only this user can read: the session's
  // token is in it.
  [[nodiscard]] base::Result<Pachctl> with_copied_configuration(const base::fs::path& file) const;
  // The configuration file that is in use: $PACH_CONFIG, else where pachctl looks. It may be missing.
  [[nodiscard]] base::fs::path configuration() const;
  // What tells the cluster from others, as that file has it: an address, or the name of a context; empty when
  // the file says nothing. Needs no pachctl.
  static std::string cluster_identity();

 private:
  Pachctl(std::string program, Target target, base::fs::path scratch, process::Environment environment,
          process::Runner& runner);
  [[nodiscard]] process::Command command(std::vector<std::string> words) const;

  std::string m_program;
  Target m_target;
  base::fs::path m_scratch;
  process::Environment m_environment;
  process::Runner* m_runner;
  std::chrono::milliseconds m_limit{0};
};

}  // namespace cluster
