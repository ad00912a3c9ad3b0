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

// Where the commands run: on this machine, with its files, in an image that nobody has looked into, or in a
// builder's, which has nothing of the person's.
enum class CommandHost { this_machine, image, builder_image };

struct CommandFaults {
  // The command itself: no datum can succeed (on this machine; in an image most likely).
  std::vector<base::Error> errors;
  // Lines of shell scripts in the spec, which may be there for another case.
  std::vector<base::Error> doubts;
};

// What is wrong with cmd, stdin, err_cmd, err_stdin and (on this machine) working_dir, each with the line to
// write. Only files that the source has, or should have, are told; for a builder's image also those that
// nothing can have put there.
base::Result<CommandFaults> check_commands(const PipelineSpec& spec, const SourceView& source,
                                           CommandHost host);

// Whether a program runs scripts or other commands: a shell, python, env.
bool is_interpreter(const std::string& program);

// What has to start a file of a source, which has no permission to be executed: the program that its first
// line names, or the one that its name stands for; empty when neither tells.
std::string interpreter_for(const std::string& file, const std::string& first_line);

}  // namespace spec
