// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/worker_host.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/digest.h"
#include "base/errors.h"
#include "contract/environment.h"
#include "pachbuild/local/worker/worker.h"

namespace local {
namespace {

namespace fs = base::fs;

// A worker ends at once when its channel closes, unless the kernel is busy for it; an engine then removes its
// container.
constexpr std::chrono::milliseconds k_patience{500};
constexpr std::chrono::milliseconds k_patience_with_engine{5'000};
constexpr std::size_t k_name_digits = 12;

// What programs need to find other programs, themselves, the person's language and the machine's
// certificates.
constexpr std::array k_machine_variables = {
    "PATH",           "HOME",       "USER",        "LOGNAME",       "LANG",         "LC_ALL",
    "LC_CTYPE",       "TZ",         "TMPDIR",      "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy",      "HTTP_PROXY",   "HTTPS_PROXY",
    "NO_PROXY"};

// What a container would give a program, and not what happens to be set here: PATH, HOME, locale, proxies and
// certificates of this machine.
process::Environment machine_environment(const fs::path& cache) {
  process::Environment environment;
  const auto current = process::current_environment();
  for (const char* name : k_machine_variables) {
    if (const auto entry = current.find(name); entry != current.end()) environment.insert(*entry);
  }
  environment[contract::k_cache_variable] = cache.string();
  return environment;
}

class Machine final : public WorkerHost {
 public:
  [[nodiscard]] base::Result<Started> start(const fs::path& folder) const override {
    BASE_TRY_ASSIGN(auto channel, Channel::make_pair());
    const int socket = channel.second.descriptor();
    BASE_TRY_ASSIGN(auto child, process::Child::start({.arguments = {"/proc/self/exe", k_worker_command,
                                                                     std::to_string(socket), folder.string()},
                                                       .environment = process::current_environment(),
                                                       .inherited = {socket},
                                                       .orphan_signal = SIGKILL}));
    return Started{std::move(child), std::move(channel.first), std::nullopt, ""};
  }
  [[nodiscard]] Task seen_inside(Task task) const override { return task; }
  [[nodiscard]] std::chrono::milliseconds patience() const override { return k_patience; }
  [[nodiscard]] bool kill(const std::string&) const override { return false; }
  [[nodiscard]] process::Environment environment(const fs::path& cache) const override {
    return machine_environment(cache);
  }
  [[nodiscard]] std::string folder() const override { return "/"; }
};

class Containers final : public WorkerHost {
 public:
  Containers(Container container, std::vector<SharedFolder> shared, std::optional<uid_t> user)
      : m_container(std::move(container)), m_shared(std::move(shared)), m_user(user) {}

  [[nodiscard]] base::Result<Started> start(const fs::path& folder) const override {
    const auto socket = folder / "socket";
    BASE_TRY_ASSIGN(auto listener, Listener::make(socket));
    BASE_TRY(base::make_folders(folder / "pfs", 0700));
    if (m_user) {
      for (const auto& path : {folder.parent_path(), folder, folder / "pfs", socket}) {
        if (::chown(path.c_str(), *m_user, *m_user) != 0)
          return base::fail(base::system_error("give away", path.string(), errno));
      }
    }
    // No other container has the name of a process of this machine and its worker.
    const std::string name = "pachbuild-" + std::to_string(::getpid()) + "-" + folder.filename().string() +
                             "-" + base::sha256(folder.string()).substr(0, k_name_digits);
    // It sees nothing of other workers, and of its own only /pfs to write in.
    auto shared = m_shared;
    shared.push_back({folder});
    BASE_TRY_ASSIGN(const auto program, program_for_images());
    BASE_TRY_ASSIGN(const auto command,
                    worker_command(m_container, shared, m_user, {name, folder, socket, program}));
    BASE_TRY_ASSIGN(auto child, process::Child::start(command));
    return Started{std::move(child), Channel(base::UniqueFd()), std::move(listener), name};
  }
  [[nodiscard]] Task seen_inside(Task task) const override {
    return moved_below(std::move(task), k_host_root);
  }
  [[nodiscard]] std::chrono::milliseconds patience() const override { return k_patience_with_engine; }
  // The engine's program that we have started is not the container.
  [[nodiscard]] bool kill(const std::string& name) const override {
    auto killer = process::Child::start({.arguments = {m_container.engine, "kill", name},
                                         .environment = process::current_environment(),
                                         .orphan_signal = SIGKILL});
    if (killer) static_cast<void>(killer->wait_for(k_patience_with_engine));
    return true;
  }
  [[nodiscard]] process::Environment environment(const fs::path&) const override {
    return network_environment();
  }
  [[nodiscard]] std::string folder() const override { return ""; }

 private:
  Container m_container;
  std::vector<SharedFolder> m_shared;
  std::optional<uid_t> m_user;
};

}  // namespace

std::unique_ptr<WorkerHost> this_machine() { return std::make_unique<Machine>(); }

std::unique_ptr<WorkerHost> containers_of(Container container, std::vector<SharedFolder> shared,
                                          std::optional<uid_t> user) {
  return std::make_unique<Containers>(std::move(container), std::move(shared), user);
}

}  // namespace local
