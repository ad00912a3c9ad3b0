// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/container.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include "base/elf_needs.h"
#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "pachbuild/local/worker/worker.h"
#include "process/child.h"
#include "process/runner.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_own_program[] = "/run/pachbuild/pachbuild";
constexpr char k_certificates[] = "/run/pachbuild/ca-certificates.crt";
constexpr std::array k_proxies = {"http_proxy", "https_proxy", "no_proxy",
                                  "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"};

std::string variable(const char* name) { return process::value_of(process::current_environment(), name); }

// The file of certificates that this machine is told to trust; empty when there is none.
std::string certificates() {
  const auto file = variable("SSL_CERT_FILE");
  return ::access(file.c_str(), R_OK) == 0 ? file : "";
}

// A program with an interpreter needs shared libraries, which an image may lack.
base::Status check_static(const fs::path& program) {
  BASE_TRY_ASSIGN(const std::string text, base::read_file(program));
  if (const auto needs = base::elf_needs(text); !needs || needs->loader.empty()) return {};
  return base::fail(ErrorKind::unavailable, program.string(),
                    "needs shared libraries, which an image may lack",
                    "use a static one: cmake --preset release, then build/release/bin/pachbuild");
}

base::Result<std::string> find_engine(const std::string& name) {
  if (auto program = process::find_program(name, variable("PATH"))) return *program;
  return base::fail(ErrorKind::unavailable, name, "is not on PATH", "install it, or omit --runtime");
}

// Waits for the end, or for a signal to this program.
base::Result<process::Ending> wait_for(process::Child& child, const process::Interruption& interruption) {
  BASE_TRY(base::check_stop());
  std::array<pollfd, 2> entries{pollfd{child.descriptor(), POLLIN, 0},
                                pollfd{interruption.descriptor(), POLLIN, 0}};
  while (::poll(entries.data(), entries.size(), -1) < 0 && errno == EINTR) {
  }
  if (entries[0].revents == 0) return base::fail(base::interrupted());
  return child.wait();
}

base::Status pull_image(const Container& container, const process::Interruption& interruption) {
  BASE_TRY_ASSIGN(auto child, process::Child::start({.arguments = {container.engine, "pull", container.image},
                                                     .environment = process::current_environment(),
                                                     .standard_output = STDERR_FILENO,
                                                     .orphan_signal = SIGKILL}));
  BASE_TRY_ASSIGN(const auto ending, wait_for(child, interruption));
  if (ending.succeeded()) return {};
  return base::fail(ErrorKind::unavailable, container.image, "cannot be pulled", "see the output above");
}

base::Result<process::Finished> ask(const Container& container, std::vector<std::string> words,
                                    process::Interruption& interruption) {
  words.insert(words.begin(), container.engine);
  return process::SystemRunner(&interruption)
      .run({.arguments = std::move(words),
            .environment = process::current_environment(),
            .orphan_signal = SIGKILL},
           {});
}

// Empty when the engine has no image with that name.
base::Result<std::string> image_id(const Container& container, process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const auto finished,
                  ask(container, {"image", "inspect", "--format", "{{.Id}}", container.image}, interruption));
  if (finished.ending.succeeded()) return std::string(base::trim(finished.output));
  // An engine that does not work at all (docker without its daemon) gives the same exit code.
  BASE_TRY_ASSIGN(const auto list, ask(container, {"images", "--quiet"}, interruption));
  if (list.ending.succeeded()) return std::string();
  return base::fail(ErrorKind::unavailable, container.engine,
                    "does not work: " + base::last_line(list.errors),
                    "start its service, or try another --runtime");
}

// The engines' own separator in the words of a mount.
base::Result<std::string> mount_word(const fs::path& from, const std::string& to, bool writable) {
  if (base::contains(from.string(), ',')) {
    return base::fail(ErrorKind::usage, from.string(), "has a comma, which a container's mounts cannot have",
                      "rename it, or omit --runtime");
  }
  return "--mount=type=bind,source=" + from.string() + ",target=" + to + (writable ? "" : ",readonly");
}

std::vector<std::string> user_words(const std::string& engine, const std::optional<uid_t>& other) {
  std::vector<std::string> words = {"--user=" + std::to_string(other.value_or(::geteuid())) + ":" +
                                    std::to_string(other.value_or(::getegid()))};
  // Without root podman makes its user the root of the container, unless it is told to keep the number.
  const bool rootless = ::geteuid() != 0 && fs::path(engine).filename() == "podman";
  if (rootless) words.emplace_back("--userns=keep-id");
  return words;
}

}  // namespace

base::Result<Container> find_container(const std::string& engine, const std::string& image, Pull pull,
                                       process::Interruption& interruption, const std::string& others) {
  Container container{.image = image};
  BASE_TRY_ASSIGN(container.engine, find_engine(engine));
  BASE_TRY_ASSIGN(container.image_id, image_id(container, interruption));
  if (container.image_id.empty() && pull == Pull::when_missing) {
    BASE_TRY(pull_image(container, interruption));
    BASE_TRY_ASSIGN(container.image_id, image_id(container, interruption));
  }
  if (!container.image_id.empty()) return container;
  return base::fail(
      ErrorKind::unavailable, image,
      others.empty() ? engine + " has no image with that name"
                     : "no such " + others + " or " + engine + " image",
      "pull it with --pull; official builder images can also be built with scripts/images build");
}

base::Result<fs::path> program_for_images() {
  boost::system::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  BASE_TRY(check_static(own));
  return own;
}

base::Result<process::Command> worker_command(const Container& container,
                                              const std::vector<SharedFolder>& folders,
                                              const std::optional<uid_t>& user,
                                              const ContainerWorker& worker) {
  // The network is this machine's, as without a container. Labels of SELinux would hide the folders.
  std::vector<std::string> words = {container.engine, "run",
                                    "--rm",           "--name=" + worker.name,
                                    "--pull=never",   "--log-driver=none",
                                    "--network=host", "--security-opt=label=disable"};
  for (auto& word : user_words(container.engine, user)) words.push_back(std::move(word));
  auto mount = [&, seen = std::set<std::string>()](const fs::path& from, const std::string& to,
                                                   bool writable) mutable -> base::Status {
    if (!seen.insert(to).second) return {};  // one folder for two repos
    BASE_TRY_ASSIGN(auto word, mount_word(from, to, writable));
    words.push_back(std::move(word));
    return {};
  };
  BASE_TRY(mount(worker.program, k_own_program, false));
  BASE_TRY(mount(worker.folder / "pfs", "/pfs", true));
  if (const auto file = certificates(); !file.empty()) BASE_TRY(mount(file, k_certificates, false));
  for (const auto& shared : folders) {
    const auto inside = shared.inside.empty() ? k_host_root + shared.path.string() : shared.inside;
    BASE_TRY(mount(shared.path, inside, shared.writable));
  }
  for (const auto& path : container.memory_folders) words.push_back("--mount=type=tmpfs,destination=" + path);
  words.insert(words.end(),
               {std::string("--entrypoint=") + k_own_program, container.image_id, k_worker_command,
                k_host_root + worker.socket.string(), k_host_root + worker.folder.string()});
  return process::Command{
      .arguments = std::move(words), .environment = process::current_environment(), .orphan_signal = SIGKILL};
}

process::Environment network_environment() {
  process::Environment environment;
  for (const char* name : k_proxies) {
    if (auto value = variable(name); !value.empty()) environment[name] = std::move(value);
  }
  if (!certificates().empty()) {
    for (const char* name : {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
      environment[name] = k_certificates;
    }
  }
  return environment;
}

}  // namespace local
