// SPDX-License-Identifier: Apache-2.0
// Whether the files that a pipeline's own commands start are where the commands say. In a spec that came from
// an image they are where the image had them ("python3", "/edges.py"), and each datum would fail.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {

// What is known about a source; paths are relative to it.
struct SourceView {
  // All files; asked for only when one is looked for.
  std::function<base::Result<std::vector<std::string>>()> files;
  std::function<bool(const std::string& path)> has;  // a file or folder
  std::function<std::string(const std::string& path)> first_line;
};

// Where the commands run: on this machine, with its files, or in an image that nobody has looked into.
enum class CommandHost { this_machine, image };

struct CommandFaults {
  // The command itself: no datum can succeed (on this machine; in an image most likely).
  std::vector<base::Error> errors;
  // Lines of shell scripts in the spec, which may be there for another case.
  std::vector<base::Error> doubts;
};

// What is wrong with cmd, stdin, err_cmd, err_stdin and (on this machine) working_dir, each with the line to
// write. Only files that the source has, or should have, are told.
base::Result<CommandFaults> check_commands(const PipelineSpec& spec, const SourceView& source,
                                           CommandHost host);

// What has to start a file of a source, which has no permission to be executed: the program that its first
// line names, or the one that its name stands for; empty when neither tells.
std::string interpreter_for(const std::string& file, const std::string& first_line);

}  // namespace spec
