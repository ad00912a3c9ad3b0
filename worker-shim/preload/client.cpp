// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/environment.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/folders.h"
#include "worker-shim/preload/context.h"
#include "worker-shim/preload/hook.h"
#include "worker-shim/preload/keeper.h"
#include "worker-shim/preload/messages.h"
#include "worker-shim/preload/socket.h"
#include "worker-shim/signals.h"

namespace shim::preload {
namespace {

using Clock = std::chrono::steady_clock;

// How long we wait for a sign: of a keeper, which has nothing else to do, of an interpreter that has to fork,
// and of one that imports first.
constexpr std::chrono::milliseconds k_keeper_patience{250};
constexpr std::chrono::milliseconds k_fork_patience{5'000};
constexpr std::chrono::milliseconds k_import_patience{60'000};
// How often we look whether the program is still in its group.
constexpr int k_look_at_group = 1'000;

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): tells contexts apart; nobody is kept out by it.
std::string digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> shown{};
  std::snprintf(shown.data(), shown.size(), "%016llx", static_cast<unsigned long long>(digest));
  return shown.data();
}

// "python", "python3" or "python3.12": not a script whose name begins like them.
bool is_name_of_python(std::string_view name) {
  constexpr std::string_view k_name = "python";
  if (!name.starts_with(k_name)) return false;
  const std::string_view version = name.substr(k_name.size());
  return version.empty() || version == "3" ||
         (version.starts_with("3.") && base::parse_number(version.substr(2)).has_value());
}

// A script instead of the interpreter may do anything before it starts one.
bool is_program(const std::string& path) {
  return read_executable_format(path).kind == ExecutableFormat::Kind::elf;
}

// Whether the command's first word is the environment's Python, of a version that interpreter.py is written
// for: another one might go on to the program instead of waiting.
bool is_known_python(const std::string& environment, const std::string& name) {
  if (!is_name_of_python(name) || !is_program(environment + "/bin/" + name)) return false;
  const Folder libraries = open_folder(environment + "/lib");
  if (!libraries) return false;
  constexpr std::string_view k_version = "python3.";
  constexpr std::uint64_t k_first = 9;  // os.pidfd_open
  while (const dirent* const entry = ::readdir(libraries.get())) {
    const std::string_view library = entry->d_name;
    if (!library.starts_with(k_version)) continue;
    return base::parse_number(library.substr(k_version.size())).value_or(0) >= k_first;
  }
  return false;
}

// Relative folders would be looked for where the interpreter is started first.
bool has_plain_python_path() {
  const char* const path = std::getenv("PYTHONPATH");
  if (path == nullptr) return true;
  const auto folders = base::split(path, ':');
  return std::all_of(folders.begin(), folders.end(), [](const auto& one) { return one.starts_with('/'); });
}

// How many words the interpreter and its program are; 0 when they are started in another way than builders
// write it. (A folder that the program is found in has to be known, and options may keep site away.)
std::size_t program_words(char* const* words) {
  if (words[1] == nullptr) return 0;
  const std::string_view first = words[1];
  if (first == "-m" || first == "-c") return words[2] == nullptr ? 0 : 3;
  // A folder or an archive is a program of another kind.
  return first.starts_with('/') && first.ends_with(".py") ? 2 : 0;
}

// The folder of sockets in the cache of the environment, whose folder is env/DIGEST there.
base::UniqueFd open_folder_of_sockets(const std::string& environment, std::string& path) {
  path = environment.substr(0, environment.rfind('/'));
  path = path.substr(0, path.rfind('/'));
  const base::UniqueFd cache(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  (path += '/') += contract::k_cache_interpreters;
  return cache ? make_own_folder(cache.get(), contract::k_cache_interpreters) : base::UniqueFd();
}

// What an interpreter needs to know of the program (messages.h).
base::UniqueFd write_content(char* const* words, std::size_t fixed) {
  std::size_t count = 0;
  std::string all;
  for (; words[count] != nullptr; ++count) (all += words[count]) += '\0';
  for (char** variable = environ; *variable != nullptr; ++variable) (all += *variable) += '\0';
  const std::string content =
      std::to_string(count) + " " + std::to_string(fixed) + " " + std::to_string(::getpgrp()) + '\0' + all;
  base::UniqueFd file(::memfd_create("request", MFD_CLOEXEC));
  if (file && write_all(file.get(), content) != 0) file.reset();
  return file;
}

// Nothing at the deadline.
std::optional<Received> receive_until(int connection, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{connection, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&entry, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    return receive(connection);
  }
}

struct Program {
  base::UniqueFd connection;
  base::UniqueFd process;  // pidfd_open(2)
  pid_t number = 0;
  pid_t keeper_group = 0;
  pid_t group = 0;  // of the program, when it starts
};

class Client {
 public:
  Client(const Request& request, std::size_t fixed) : m_request(request), m_fixed(fixed) {}

  // Nothing: it has to be started the plain way.
  std::optional<Program> start() {
    const auto context = current_context();
    if (!context) return std::nullopt;
    m_context = digest_of(context->rest);
    std::string path;
    const base::UniqueFd folder = open_folder_of_sockets(m_request.environment, path);
    if (!folder) return std::nullopt;
    m_name = digest_of(m_request.environment + "\n" + program_text() + "\n" + m_request.modules + "\n" +
                       context->place);
    Program program;
    program.connection = connect_in(folder.get(), m_name);
    if (!program.connection) {
      if (!start_keeper_in(folder.get(), path)) return std::nullopt;
      program.connection = connect_in(folder.get(), m_name);
    }
    // What is sent to a keeper that does not answer would keep the streams open.
    if (!program.connection || !is_of_this_user(program.connection.get()) ||
        !waits(program.connection.get()) || !ask(program.connection.get()) || !wait_for_program(program) ||
        !hand_over(program))
      return std::nullopt;
    return program;
  }

 private:
  [[nodiscard]] std::string program_text() const {
    std::string text;
    for (std::size_t i = 0; i < m_fixed; ++i) (text += m_request.words[i]) += '\n';
    return text;
  }

  // One that cannot be reached has ended, or somebody else starts it now.
  bool start_keeper_in(int folder, const std::string& path) {
    const std::string lock_name = m_name + contract::k_interpreter_lock_suffix;
    base::UniqueFd lock(::openat(folder, lock_name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return false;
    if (!make_hook(folder)) return false;
    ::unlinkat(folder, m_name.c_str(), 0);
    Keeping keeping{.listener = listen_in(folder, m_name),
                    .folder = base::UniqueFd(::fcntl(folder, F_DUPFD_CLOEXEC, 0)),
                    .lock = std::move(lock),
                    .socket = m_name,
                    .hook = path + "/" + k_hook,
                    .environment = m_request.environment,
                    .modules = m_request.modules,
                    .context = m_context};
    return keeping.listener && keeping.folder && start_keeper(std::move(keeping));
  }

  static bool waits(int connection) {
    const auto greeting = receive_until(connection, Clock::now() + k_keeper_patience);
    return greeting && greeting->is(Message::greeting);
  }

  bool ask(int connection) const {
    const base::UniqueFd folder(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const base::UniqueFd content = write_content(m_request.words, m_fixed);
    const Descriptors descriptors = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, folder.get(), content.get()};
    return folder && content && send(connection, m_context, descriptors.data(), descriptors.size());
  }

  // Until the program is there and waits for our word.
  static bool wait_for_program(Program& program) {
    auto deadline = Clock::now() + k_keeper_patience;
    while (true) {
      const auto message = receive_until(program.connection.get(), deadline);
      if (!message || message->text.empty()) return false;
      const bool imports = message->is(Message::importing);
      if (imports || message->is(Message::forking)) {
        program.keeper_group = static_cast<pid_t>(base::parse_number(message->rest()).value_or(0));
        deadline = Clock::now() + (imports ? k_import_patience : k_fork_patience);
      } else if (message->is(Message::left_out)) {
        tell(message->rest());
      } else if (message->is(Message::agreed)) {
        const auto number = base::parse_number(message->rest());
        if (!number) return false;
        program.number = static_cast<pid_t>(*number);
        return true;
      } else {
        if (message->is(Message::refused) && message->text.size() > 1)
          tell("the program is started without preloading: " + std::string(message->rest()));
        return false;
      }
    }
  }

  static void tell(std::string_view what) {
    std::fprintf(stderr, "worker-shim: %.*s\n", static_cast<int>(what.size()), what.data());
  }

  // Leaves the group to the program and lets it run. Signals wait for us from here on.
  static bool hand_over(Program& program) {
    program.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, program.number, 0)));
    if (!program.process || ::getpgid(program.number) != ::getpgrp()) return false;
    program.group = ::getpgrp();
    sigset_t before{};
    const sigset_t all = every_signal();
    ::sigprocmask(SIG_SETMASK, &all, &before);
    if (program.keeper_group > 0 && ::setpgid(0, program.keeper_group) == 0) {
      if (send(program.connection.get(), Message::go)) {
        // Who reads the program's output sees its end when the program closes it; nobody's folder is in use.
        base::UniqueFd(STDIN_FILENO).reset();
        base::UniqueFd(STDOUT_FILENO).reset();
        static_cast<void>(!::chdir("/"));
        return true;
      }
      ::setpgid(0, program.group);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return false;
  }

  const Request& m_request;
  std::size_t m_fixed;
  std::string m_context;
  std::string m_name;
};

// Hands signals on until the program has ended; its status, as waitpid() gives it.
std::optional<int> watch(const Program& program) {
  const sigset_t all = every_signal();
  const base::UniqueFd signals(::signalfd(-1, &all, SFD_CLOEXEC));
  bool is_back = false;
  while (true) {
    std::array<pollfd, 2> entries{pollfd{program.connection.get(), POLLIN, 0},
                                  pollfd{signals.get(), POLLIN, 0}};
    const int ready = ::poll(entries.data(), entries.size(), is_back ? -1 : k_look_at_group);
    if (ready == 0 && ::getpgid(program.number) != program.group) {
      // It has left its group. Who ends the group means it all the same: then we are who is killed, and the
      // keeper does the rest.
      is_back = ::setpgid(0, program.group) == 0;
    }
    if (ready <= 0) continue;
    signalfd_siginfo signal{};
    if (entries[1].revents != 0 && ::read(signals.get(), &signal, sizeof(signal)) == sizeof(signal) &&
        signal.ssi_signo != SIGCHLD) {
      ::syscall(SYS_pidfd_send_signal, program.process.get(), static_cast<int>(signal.ssi_signo), nullptr, 0);
    }
    if (entries[0].revents == 0) continue;
    const auto message = receive(program.connection.get());
    if (!message) continue;
    if (!message->is(Message::ended)) return std::nullopt;
    const auto status = base::parse_number(message->rest());
    return status ? std::optional(static_cast<int>(*status)) : std::nullopt;
  }
}

[[noreturn]] void end_like(int status) {
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  // The program has left the only core file that says something.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(signal, SIG_DFL);
  const sigset_t its_own = only(signal);
  ::sigprocmask(SIG_UNBLOCK, &its_own, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(contract::k_signal_base + signal);
}

}  // namespace

std::string modules_to_preload(const std::string& imports) {
  const char* const asked = std::getenv(contract::k_preload_variable);
  const std::string_view value = asked == nullptr ? "" : asked;
  for (const std::string_view no : {"", "0", "false", "no", "off"}) {
    if (value == no) return {};
  }
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (value == yes) return imports;
  }
  return std::string(value);
}

void run(const Request& request) {
  if (request.modules.empty() || !is_known_python(request.environment, request.words[0]) ||
      !has_plain_python_path())
    return;
  const std::size_t fixed = program_words(request.words);
  if (fixed == 0) return;
  const auto program = Client(request, fixed).start();
  if (!program) return;
  if (const auto status = watch(*program)) end_like(*status);
  // Only a kill does that: nobody else knows how the program ends.
  ::syscall(SYS_pidfd_send_signal, program->process.get(), SIGKILL, nullptr, 0);
  std::fputs(
      "worker-shim: the process that watches over preloaded programs was killed: the program's exit code is "
      "lost\n",
      stderr);
  ::_exit(contract::k_shim_failed);
}

}  // namespace shim::preload
