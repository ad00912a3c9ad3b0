// SPDX-License-Identifier: Apache-2.0
// `pachbuild shell`: a datum is laid out as for its program, and a command of the person's starts in the
// program's place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/pool/attended.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/interruption.h"

namespace local {

// What the person is told before the command starts.
struct ShellBegins {
  DatumName datum;
  std::size_t datums = 0;                // in all
  std::vector<std::string> program;      // what would be started; in the shell it can be
  std::vector<std::string> input_lines;  // of its standard input
};

// What the command has left in /pfs/out, which nobody keeps.
struct ShellEnds {
  std::vector<OutputTree::File> files;
  std::string fault;  // why it could not be a datum's output; empty: it could
};

struct ShellOptions {
  std::vector<std::string> command;  // empty: a shell
  bool has_terminal = false;         // the command gets one, as there is one
  std::function<void(const ShellBegins&)> begins;
  std::function<void(const ShellEnds&)> ends;
};

// Which shell: on this machine that of the person, else what is there. `folder` is the person's alone, and
// gets a file if the shell needs one to start as the program would: what else it reads may change PATH.
base::Result<std::vector<std::string>> find_shell(bool in_container, const base::fs::path& folder);

// Where an artifact with this build.json starts the program of this pipeline, which has no command itself;
// empty: where its run.sh is started.
std::string start_folder_of_artifact(const std::string& build_record, const spec::Transform& transform);

// The task with `command`, in the artifact's environment already, in the place of its program.
Task attended_task(Task task, std::vector<std::string> command, bool has_terminal);

// Starts the command on the terminal, or with the streams, of this process, and passes on what the person
// does, signals included, until it has ended.
base::Status attend(AttendedCommand& command, bool has_terminal, process::Interruption& interruption);

}  // namespace local
