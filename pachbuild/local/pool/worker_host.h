// SPDX-License-Identifier: Apache-2.0
// Where workers run, and what they and their programs see there.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/local/pool/channel.h"
#include "pachbuild/local/pool/container.h"
#include "pachbuild/local/pool/task.h"
#include "process/child.h"
#include "process/command.h"

namespace local {

class WorkerHost {
 public:
  WorkerHost() = default;
  WorkerHost(const WorkerHost&) = delete;
  WorkerHost& operator=(const WorkerHost&) = delete;
  virtual ~WorkerHost() = default;

  struct Started {
    process::Child child;
    Channel channel;
    std::optional<Listener> listener;  // when the worker has yet to connect
    std::string name;                  // by which kill() knows it
  };
  // Starts a worker whose files are below `folder`, which exists.
  [[nodiscard]] virtual base::Result<Started> start(const base::fs::path& folder) const = 0;

  // The task with this machine's files where a worker finds them.
  [[nodiscard]] virtual Task seen_inside(Task task) const = 0;

  // How long a worker that was told to end may take.
  [[nodiscard]] virtual std::chrono::milliseconds patience() const = 0;

  // Ends a worker of which `child` is only the client; false when there is no such thing.
  [[nodiscard]] virtual bool kill(const std::string& name) const = 0;

  // What programs find there before anything of their pipeline's; `cache` is that of the environments.
  [[nodiscard]] virtual process::Environment environment(const base::fs::path& cache) const = 0;

  // The folder of a program whose spec names none; empty: the image's.
  [[nodiscard]] virtual std::string folder() const = 0;
};

// This machine, all of it.
std::unique_ptr<WorkerHost> this_machine();

// Containers of an image, which see `shared` of this machine and run as `user`, by default this one (others
// are for root only).
std::unique_ptr<WorkerHost> containers_of(Container container, std::vector<SharedFolder> shared,
                                          std::optional<uid_t> user = std::nullopt);

}  // namespace local
