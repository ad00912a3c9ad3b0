// SPDX-License-Identifier: Apache-2.0
// The tools of the machine: found once on PATH, called by absolute path, and asked only once what they are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/settings.h"
#include "process/runner.h"

namespace builder {

class Tools {
 public:
  Tools(const Settings& settings, process::Runner& runner);

  [[nodiscard]] const Settings& settings() const { return m_settings; }

  // What tools get of the environment of this process (variables.h).
  [[nodiscard]] const process::Environment& environment() const { return m_environment; }

  // The absolute path of a program on PATH; `hint` is for the error when it is not there.
  [[nodiscard]] base::Result<std::string> find(const std::string& name, const std::string& hint) const;

  // The same for a tool that may be installed together with this program (process/find_tool.h).
  [[nodiscard]] base::Result<std::string> find_tool(const std::string& name, const std::string& hint) const;

  // What is shown of a line that a tool has said; nothing: the line is left out.
  using LineFilter = std::function<std::optional<std::string>(std::string_view line)>;

  // Runs a tool to its end; what it says on standard error is shown as it comes, by lines where there is a
  // filter. It dies with us. That it failed for a full disk is an error that names the disk.
  [[nodiscard]] base::Result<process::Finished> run(process::Command command,
                                                    const LineFilter& filter = {}) const;

  // The same, and what it says on standard error is not shown.
  [[nodiscard]] base::Result<process::Finished> run_quietly(process::Command command) const;

  // What the tool arguments[0] prints when it is run in "/" with this environment. The answer is kept in the
  // cache until the tool's file is another; the environment must not be one that varies. A script may start
  // another program tomorrow: it is asked each time, in `folder`, with the environment of tools besides.
  [[nodiscard]] base::Result<std::string> ask(const std::vector<std::string>& arguments,
                                              const process::Environment& environment,
                                              const fs::path& folder = "/") const;

  // What is in a key of a tool that says `answer` of itself. Of a script that is its text as well: it decides
  // with which flags and variables the program behind it is started.
  [[nodiscard]] static std::string identity(const std::string& program, std::string answer);

  // What a tool says of itself on either stream when it is run with these words, of which the first is its
  // absolute path. Kept until a file that decides it is another; a script is asked each time.
  [[nodiscard]] base::Result<std::string> said_by(const std::vector<std::string>& arguments) const;

  // Adds the program of this name on PATH, by what it says to --version, to the inputs. A name with a '/' is
  // a path. What is not there, or has no version, adds what of it is known.
  void add_version(const std::string& name, Inputs& inputs) const;

  // The SHA-256 of a file that rarely changes, kept in the same way.
  [[nodiscard]] base::Result<std::string> digest_of(const fs::path& file) const;

 private:
  using Answer = std::function<base::Result<std::string>()>;
  [[nodiscard]] base::Result<std::string> remembered(const std::vector<std::string>& files,
                                                     const std::vector<std::string>& question,
                                                     const Answer& find_out) const;
  [[nodiscard]] base::Result<std::string> said_by(const std::vector<std::string>& arguments,
                                                  std::string& failing) const;
  [[nodiscard]] base::Result<std::string> answer_of(const process::Command& command) const;

  const Settings& m_settings;
  process::Runner& m_runner;
  process::Environment m_environment;
};

}  // namespace builder
