// SPDX-License-Identifier: Apache-2.0
// What a worker process is asked to do and what it answers: one datum, or the build, as the worker of a
// cluster would run it. Both travel over a socket (channel.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "process/command.h"

namespace local {

// A part of a repo that appears below /pfs/<name>.
struct TaskInput {
  std::string name;
  std::string root;          // the repo's folder on this machine
  std::string path;          // what of it, relative to root: a file or folder; empty for all
  std::string version;       // same version, same content
  bool lazy = false;         // named pipes instead of files
  bool empty_files = false;  // files of size 0
  bool read_only = false;    // without the permission to write, for whoever is not root
  // The digest of the paths of its files (a field each) when `version` was taken; empty: not known. A program
  // must not be given a file that was added since.
  std::string listing;
  bool resident = false;      // of a batch: there for as long as its program runs
  std::int64_t modified = 0;  // when its files were last written, in seconds since 1970; 0: when they came
};

struct Task {
  std::string id;  // 64 hexadecimal digits; names the folder below /pfs/.scratch
  std::vector<TaskInput> inputs;
  std::vector<std::string> command;  // looked up in the PATH of `environment`
  std::string standard_input;
  std::vector<std::string> error_command;  // run when the command failed; its success recovers the datum
  std::string error_standard_input;
  std::vector<int> accepted_codes;   // success besides 0
  process::Environment environment;  // of the command; in a container besides what its image has
  // Set after these, in this order: a name can come several times, and the last value counts. /pfs/.env has
  // all.
  std::vector<std::pair<std::string, std::string>> datum_variables;
  // Of secrets: values that only the command gets, and no file of this machine. The folders are shown once.
  process::Environment secret_variables;
  std::map<std::string, std::map<std::string, std::string>> secret_folders;
  std::string folder;  // the command's current folder; empty: that of the image
  // Gets what the command prints. The pool makes it and hands the worker its descriptor: a worker never opens
  // it. Empty: what is printed goes to whoever asks the pool for it, else where ours goes.
  std::string log;
  std::string output;  // where what the command leaves in /pfs/out is moved to; is free, or an empty folder
  std::int64_t timeout_ms = 0;  // of one try; 0: none
  int tries = 1;
  bool tells_strangers = false;  // whether the outcome says what the command has made in /pfs beside out
  // Whether one program takes the datums of all tasks that are alike, one by one (worker/batch.h); and the
  // environment in which it starts.
  bool batching = false;
  process::Environment batch_environment;
  // Whether a person attends the command (pool/attended.h): it has their own streams, or a terminal of its
  // own, and is run once, whatever the limits are.
  bool attended = false;
  bool has_terminal = false;
};

// All variables of the task's command.
process::Environment environment_of(const Task& task);
// Those that may be shown, in their order: what /pfs/.env has.
std::vector<std::pair<std::string, std::string>> shown_variables(const Task& task);

// The same task where this machine's folders are below `root`.
Task moved_below(Task task, const std::string& root);

enum class TaskResult {
  succeeded,
  recovered,  // the error command dealt with it: no output, but no failure
  failed,
  never_asked,  // the program of a batch ended before it had asked for any datum
};

struct TaskOutcome {
  std::string id;
  TaskResult result = TaskResult::failed;
  std::string reason;  // of a failure: "exit code 3", "timed out after 10 s"
  int exit_code = 0;   // of the command, as a shell tells it
  std::int64_t duration_ns = 0;
  std::optional<base::Error> error;  // when the worker itself could not do its part
  int log_errno = 0;  // why the log lacks what the command printed from some point on; 0: it is whole
  bool left_processes = false;  // that may have its files open
  std::string stranger;         // of a task that asks for it: a name in /pfs; empty: there is none
};

// The reason of a try that was ended by its time limit.
std::string timeout_reason(const Task& task);

// What a worker says while it runs a task with a time limit: that the command starts, or that it has ended.
// In between the pool watches the limit too, should the program have found a way to stop its worker.
std::string encode_running(bool is_running);
// Nothing for every other message.
std::optional<bool> decode_running(const std::string& message);

// What a worker says when a command that is attended can start; its end of a terminal that the command has
// comes along. It is then sent three descriptors, for standard input, output and errors, a message each,
// which has none where that is the terminal; and, while the command runs, signals for it.
std::string encode_ready();
bool is_ready(const std::string& message);
std::string encode_stream();
std::string encode_signal(int signal);
std::optional<int> decode_signal(const std::string& message);

// The messages, in CBOR (cbor.h).
std::string encode(const Task& task);
std::string encode(const TaskOutcome& outcome);
// Of what encode() gave; anything else throws, since both ends are this program.
Task decode_task(const std::string& message);
// Nothing when it is not what encode() gave: programs run beside the worker, and may have got at it.
std::optional<TaskOutcome> decode_outcome(const std::string& message);

}  // namespace local
