// SPDX-License-Identifier: Apache-2.0
// Workers in containers of an image, by the person's podman or docker: one container a worker. The worker in
// it is this very program, mounted into it; so it has to be static.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"
#include "process/interruption.h"

namespace local {

// Folders of this machine are below this one in a container, at their own paths.
inline constexpr char k_host_root[] = "/run/pachbuild/host";

struct Container {
  std::string engine;  // the program's path
  std::string image;
  std::string image_id;
  std::vector<std::string> memory_folders;  // that programs find in it: empty and not on a disk
};

enum class Pull { never, when_missing };

// `engine` is "podman" or "docker". Fails when it is not there or has no image with that name; `others` is
// what else the name is not: "folder".
base::Result<Container> find_container(const std::string& engine, const std::string& image, Pull pull,
                                       process::Interruption& interruption, const std::string& others = {});

// A folder of this machine that programs in a container can read, and write only if that is said.
struct SharedFolder {
  base::fs::path path;
  bool writable = false;
  std::string inside;  // where the container has it; empty: below k_host_root
};

// A worker to start in a container.
struct ContainerWorker {
  std::string name;       // of the container
  base::fs::path folder;  // the worker's own, with pfs/ in it, which becomes /pfs
  base::fs::path socket;  // to which it connects
  base::fs::path program;
};

// This program, if it can run in any image: without shared libraries.
base::Result<base::fs::path> program_for_images();

// The command that starts it, as `user` or else as this one, with `shared` at their own paths below
// k_host_root.
base::Result<process::Command> worker_command(const Container& container,
                                              const std::vector<SharedFolder>& shared,
                                              const std::optional<uid_t>& user,
                                              const ContainerWorker& worker);

// What the network of this machine asks of programs: proxies, and certificates, which worker_command()
// mounts.
process::Environment network_environment();

}  // namespace local
