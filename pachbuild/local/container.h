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
};

enum class Pull { never, when_missing };

// `engine` is "podman" or "docker". Fails when it is not there or has no such image.
base::Result<Container> find_container(const std::string& engine, const std::string& image, Pull pull,
                                       process::Interruption& interruption);

// A folder of this machine that programs in a container can read, and write only if that is said.
struct SharedFolder {
  base::fs::path path;
  bool writable = false;
};

// Where workers run and what they are shown: on this machine and all of it, unless there is a container.
struct Place {
  const Container* container = nullptr;
  std::vector<SharedFolder> shared;
  std::optional<uid_t> user;  // of a container, instead of this one; for root only
};

// The command that starts a worker in a container of this name; `folder` is the worker's own, with pfs/ in
// it, which becomes /pfs. The worker connects to `socket`. It runs as the place's user, else as this one.
base::Result<process::Command> worker_command(const Place& place, const std::string& name,
                                              const base::fs::path& folder, const base::fs::path& socket);

// What the network of this machine asks of programs: proxies, and certificates, which worker_command()
// mounts.
process::Environment network_environment();

}  // namespace local
