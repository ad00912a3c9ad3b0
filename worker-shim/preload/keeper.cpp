// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <list>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "contract/layout.h"
#include "worker-shim/exec.h"
#include "worker-shim/folders.h"
#include "worker-shim/preload/hook.h"
#include "worker-shim/preload/memory.h"
#include "worker-shim/preload/messages.h"
#include "worker-shim/preload/socket.h"
#include "worker-shim/signals.h"

namespace shim::preload {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes k_idle{10};
constexpr std::chrono::seconds k_look_around{20};  // whether the environment is still there
constexpr std::chrono::seconds k_silence{2};       // of the interpreter, after a program has ended
constexpr int k_most_failures = 3;           // of interpreters, until programs are started the plain way
constexpr std::size_t k_most_programs = 64;  // at once

// A request, from the connection until its program has ended.
struct Started {
  unsigned number = 0;
  base::UniqueFd connection;
  bool has_asked = false;
  std::vector<base::UniqueFd> descriptors;  // until the program has them
  pid_t program = 0;                        // 0: not forked yet
  base::UniqueFd process;                   // of the program
  // When we saw that it has ended, while the interpreter has not told how.
  std::optional<Clock::time_point> has_ended;
};

// The words and variables of a request (messages.h).
struct Content {
  std::vector<std::string> words;      // the interpreter and the program
  std::vector<std::string> variables;  // "NAME=value"
};

std::optional<Content> read_content(int file) {
  if (::lseek(file, 0, SEEK_SET) != 0) return std::nullopt;
  const auto text = read_to_end(file);
  if (!text) return std::nullopt;
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text->size();) {
    const auto end = text->find('\0', at);
    if (end == std::string::npos) return std::nullopt;
    parts.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  if (parts.empty()) return std::nullopt;
  const auto numbers = base::split(parts[0], ' ');
  if (numbers.size() != 3) return std::nullopt;
  const auto count = base::parse_number(numbers[0]);
  const auto fixed = base::parse_number(numbers[1]);
  if (!count || !fixed || *fixed > *count || *count >= parts.size()) return std::nullopt;
  const auto begin = parts.begin() + 1;
  return Content{{begin, begin + static_cast<std::ptrdiff_t>(*fixed)},
                 {begin + static_cast<std::ptrdiff_t>(*count), parts.end()}};
}

class Keeper {
 public:
  Keeper(Keeping keeping, const sigset_t& mask) : m_keeping(std::move(keeping)), m_mask(mask) {
    const sigset_t all = every_signal();
    m_signals.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  void run() {
    m_last_use = Clock::now();
    while (is_wanted()) wait_and_handle();
    stop_listening();
  }

 private:
  void wait_and_handle();
  void accept_one();
  void take(Started& request);
  void pass_on(Started& request);
  bool start_interpreter(const Started& request);
  [[noreturn]] void become_interpreter(const Content& content, int socket, int text,
                                       const Started& request) const;
  bool hear_interpreter();
  void handle(const Received& message);
  void handle_signals();
  void reap();
  void interpreter_ended();
  void finish(unsigned number, int status);
  void refuse(unsigned number, std::string_view why);
  void drop_hung_up(const Started& request);
  void check_silence();
  void kill_interpreter() const;
  [[nodiscard]] bool is_wanted();
  // Those that run end as always; the next program starts another keeper.
  void stop_listening() {
    if (std::exchange(m_listens, false)) ::unlinkat(m_keeping.folder.get(), m_keeping.socket.c_str(), 0);
  }

  Started* find(unsigned number) {
    const auto found = std::find_if(m_started.begin(), m_started.end(),
                                    [&](const Started& one) { return one.number == number; });
    return found == m_started.end() ? nullptr : &*found;
  }
  void forget(unsigned number) {
    m_started.remove_if([&](const Started& one) { return one.number == number; });
  }

  Keeping m_keeping;
  const sigset_t& m_mask;  // as programs find it
  base::UniqueFd m_signals;
  base::UniqueFd m_interpreter;  // our end of the socket to it
  pid_t m_interpreter_process = 0;
  bool m_is_ready = false;
  int m_failures = 0;
  std::string m_left_out;
  bool m_restarts = false;    // the interpreter has asked to be started without a module
  std::string m_why;          // it cannot
  bool m_makes_room = false;  // it was killed for its memory
  std::list<Started> m_started;
  unsigned m_next_number = 1;
  std::vector<std::string> m_told;
  Clock::time_point m_last_use;
  bool m_listens = true;
};

void Keeper::wait_and_handle() {
  std::vector<pollfd> entries = {{m_listens ? m_keeping.listener.get() : -1, POLLIN, 0},
                                 {m_signals.get(), POLLIN, 0},
                                 {m_interpreter.get(), POLLIN, 0}};
  std::vector<unsigned> numbers;
  for (const auto& one : m_started) {
    const int events = one.has_asked ? POLLRDHUP : POLLIN | POLLRDHUP;
    entries.push_back({one.connection.get(), static_cast<short>(events), 0});
    numbers.push_back(one.number);
  }
  const std::size_t connections = entries.size();
  bool some_have_ended = false;
  for (const auto& one : m_started) {
    if (one.process && !one.has_ended) entries.push_back({one.process.get(), POLLIN, 0});
    some_have_ended = some_have_ended || one.has_ended.has_value();
  }
  const auto wait =
      std::chrono::duration_cast<std::chrono::milliseconds>(some_have_ended ? k_silence : k_look_around);
  if (::poll(entries.data(), entries.size(), static_cast<int>(wait.count())) < 0) return;
  entries.resize(connections);
  if (entries[2].revents != 0 && !hear_interpreter()) {
    // It may have closed the socket without having ended.
    kill_interpreter();
    m_interpreter.reset();
  }
  if (entries[1].revents != 0) handle_signals();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (entries[i + 3].revents == 0) continue;
    Started* const request = find(numbers[i]);
    if (request == nullptr) continue;
    if (!request->has_asked && (entries[i + 3].revents & POLLIN) != 0) {
      take(*request);
    } else {
      drop_hung_up(*request);
    }
  }
  if (entries[0].revents != 0 && m_listens) accept_one();
  check_silence();
}

// Who asked is gone: by a signal that it could not hand on. The program ends as if it had got that.
void Keeper::drop_hung_up(const Started& request) {
  if (request.process) {
    ::syscall(SYS_pidfd_send_signal, request.process.get(), SIGKILL, nullptr, 0);
  } else if (request.has_asked) {
    // The interpreter has not answered in time, and has the program's streams until it is gone.
    kill_interpreter();
  }
  forget(request.number);
}

// A program's end is told at once, unless the interpreter was stopped or hangs. Without it we are the
// programs' parent.
void Keeper::check_silence() {
  const auto is_silent = [](const Started& one) {
    return one.has_ended && Clock::now() - *one.has_ended > k_silence;
  };
  if (std::any_of(m_started.begin(), m_started.end(), is_silent)) kill_interpreter();
  for (auto& one : m_started) {
    pollfd entry{one.process.get(), POLLIN, 0};
    if (one.process && !one.has_ended && ::poll(&entry, 1, 0) > 0) one.has_ended = Clock::now();
  }
}

void Keeper::kill_interpreter() const {
  if (m_interpreter_process != 0) ::kill(m_interpreter_process, SIGKILL);
}

void Keeper::accept_one() {
  base::UniqueFd connection(::accept4(m_keeping.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  // One that is not taken starts its program the plain way.
  if (!connection || !is_of_this_user(connection.get()) || m_started.size() >= k_most_programs) return;
  m_last_use = Clock::now();
  send(connection.get(), Message::greeting);
  m_started.push_back({m_next_number++, std::move(connection)});
}

void Keeper::take(Started& request) {
  auto message = receive(request.connection.get(), MSG_DONTWAIT);
  if (!message) return;
  const unsigned number = request.number;
  if (message->descriptors.size() != k_descriptors) return forget(number);
  request.has_asked = true;
  request.descriptors = std::move(message->descriptors);
  if (message->text != m_keeping.context)
    return refuse(number,
                  "its current folder, session, limits, signals, capabilities, control group or streams "
                  "differ from those of the first");
  if (m_failures >= k_most_failures) return refuse(number, m_why);
  if (is_memory_scarce()) {
    // It gives back what it alone has; the next one is started when there is room again.
    m_makes_room = true;
    kill_interpreter();
    return refuse(number, "the container has hardly any memory left");
  }
  if (m_interpreter_process == 0) {
    if (!start_interpreter(request)) return refuse(number, "no interpreter can be started");
  } else if (!m_is_ready) {
    return refuse(number, {});
  }
  pass_on(request);
}

// The interpreter reads it when it is ready.
void Keeper::pass_on(Started& request) {
  send(request.connection.get(), m_is_ready ? Message::forking : Message::importing,
       std::to_string(::getpid()));
  std::vector<int> descriptors = {request.connection.get()};
  for (const auto& one : request.descriptors) descriptors.push_back(one.get());
  send(m_interpreter.get(), std::to_string(request.number), descriptors.data(), descriptors.size());
}

bool Keeper::start_interpreter(const Started& request) {
  const auto content = read_content(request.descriptors.at(k_content).get());
  std::array<int, 2> pair{};
  if (!content || content->words.empty() ||
      ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return false;
  m_interpreter.reset(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  const base::UniqueFd text = interpreter_text();
  if (!text || !make_hook(m_keeping.folder.get())) return false;
  m_is_ready = false;
  m_restarts = false;
  m_why.clear();
  m_interpreter_process = ::fork();
  if (m_interpreter_process == 0) become_interpreter(*content, theirs.get(), text.get(), request);
  if (m_interpreter_process > 0) return true;
  m_interpreter_process = 0;
  return false;
}

void Keeper::become_interpreter(const Content& content, int socket, int text, const Started& request) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Some packages look for files where the program starts.
  if (::fchdir(request.descriptors.at(k_folder).get()) != 0) ::_exit(1);
  for (int stream = 0; stream <= STDERR_FILENO; ++stream)
    ::dup2(request.descriptors.at(static_cast<std::size_t>(stream)).get(), stream);
  ::fcntl(socket, F_SETFD, 0);
  ::clearenv();
  std::string path;
  for (const auto& variable : content.variables) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    // Of two of one name the first counts, as for Python.
    ::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 0);
  }
  if (const char* const before = std::getenv("PYTHONPATH")) path = std::string(":") + before;
  ::setenv("PYTHONPATH", (m_keeping.hook + path).c_str(), 1);
  ::setenv(k_hook_variable,
           (std::to_string(socket) + "\n" + std::to_string(text) + "\n" + m_keeping.modules + "\n" +
            m_left_out + "\n" + m_keeping.hook)
               .c_str(),
           1);
  std::vector<char*> words;
  for (const auto& word : content.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::sigprocmask(SIG_SETMASK, &m_mask, nullptr);
  static_cast<void>(execute(words.data()));
  ::_exit(1);
}

// Everything that it has said; whether it goes on.
bool Keeper::hear_interpreter() {
  while (m_interpreter) {
    const auto message = receive(m_interpreter.get(), MSG_DONTWAIT);
    if (!message) return true;
    if (message->text.empty()) break;
    handle(*message);
  }
  return false;
}

void Keeper::handle(const Received& message) {
  const std::string_view text = message.rest();
  const std::string_view first = text.substr(0, text.find(' '));
  const std::string_view second = text.substr(std::min(text.size(), first.size() + 1));
  const auto number = static_cast<unsigned>(base::parse_number(first).value_or(0));
  if (message.is(Message::ready)) {
    m_is_ready = true;
  } else if (message.is(Message::must_not_share)) {
    const std::string module(text.substr(0, text.find('\t')));
    m_left_out += (m_left_out.empty() ? "" : ",") + module;
    m_restarts = true;
    const std::string line = "each program imports " + module + " by itself: " +
                             std::string(text.substr(std::min(text.size(), module.size() + 1)));
    for (const auto& one : m_started) {
      if (one.program == 0) send(one.connection.get(), Message::left_out, line);
    }
  } else if (message.is(Message::cannot)) {
    m_why = "its packages cannot be imported beforehand: " + std::string(text);
  } else if (message.is(Message::refused)) {
    refuse(number, second);
  } else if (message.is(Message::forked)) {
    if (Started* const request = find(number)) {
      request->program = static_cast<pid_t>(base::parse_number(second).value_or(0));
      request->process.reset(static_cast<int>(::syscall(SYS_pidfd_open, request->program, 0)));
      request->descriptors.clear();
      m_failures = 0;
    }
  } else if (message.is(Message::program_ended)) {
    finish(number, static_cast<int>(base::parse_number(second).value_or(0)));
  }
}

void Keeper::finish(unsigned number, int status) {
  if (const Started* const request = find(number)) {
    send(request->connection.get(), Message::ended, std::to_string(status));
    m_last_use = Clock::now();
  }
  forget(number);
}

// Each reason is told once.
void Keeper::refuse(unsigned number, std::string_view why) {
  const bool is_told = std::find(m_told.begin(), m_told.end(), why) != m_told.end();
  if (!is_told) m_told.emplace_back(why);
  if (const Started* const request = find(number))
    send(request->connection.get(), Message::refused, is_told ? std::string_view() : why);
  forget(number);
}

void Keeper::handle_signals() {
  signalfd_siginfo signal{};
  while (::read(m_signals.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT || signal.ssi_signo == SIGQUIT)
      stop_listening();
  }
  reap();
}

// The interpreter, and what it or its programs left to us.
void Keeper::reap() {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return;
    if (ended == m_interpreter_process) {
      interpreter_ended();
      continue;
    }
    const auto found = std::find_if(m_started.begin(), m_started.end(),
                                    [&](const Started& one) { return one.program == ended; });
    if (found != m_started.end()) finish(found->number, status);
  }
}

void Keeper::interpreter_ended() {
  // Programs that have not told us of themselves yet cannot any more, and end; all others are known after
  // this.
  if (m_interpreter) ::shutdown(m_interpreter.get(), SHUT_RD);
  hear_interpreter();
  m_interpreter.reset();
  m_interpreter_process = 0;
  if (!m_restarts && !m_makes_room) ++m_failures;
  m_makes_room = false;
  std::vector<unsigned> waiting;
  for (const auto& one : m_started) {
    if (one.has_asked && one.program == 0) waiting.push_back(one.number);
  }
  for (const unsigned number : waiting) {
    Started* const request = find(number);
    const bool may_start = m_restarts || m_interpreter_process != 0;
    if (!may_start || (m_interpreter_process == 0 && !start_interpreter(*request))) {
      refuse(number, m_why.empty() ? "the preloaded interpreter has ended" : m_why);
    } else {
      pass_on(*request);
    }
  }
}

bool Keeper::is_wanted() {
  if (!m_started.empty()) return true;
  if (!m_listens) return false;
  if (Clock::now() - m_last_use > k_idle) return false;
  struct stat status{};
  return ::fstatat(m_keeping.folder.get(), m_keeping.socket.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::stat(m_keeping.environment.c_str(), &status) == 0;
}

// Out of the group, which is killed when the program ends, and of everything that the first program has open.
void leave_everything(const Keeping& keeping) {
  ::setpgid(0, 0);
  if (::chdir("/") != 0) ::_exit(1);
  const base::UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int stream = 0; stream <= STDERR_FILENO; ++stream) ::dup2(nothing.get(), stream);
  std::array kept = {keeping.listener.get(), keeping.folder.get(), keeping.lock.get(), nothing.get()};
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int one : kept) {
    if (static_cast<unsigned>(one) > from) ::close_range(from, static_cast<unsigned>(one) - 1, 0);
    from = static_cast<unsigned>(one) + 1;
  }
  ::close_range(from, UINT_MAX, 0);
  ::prctl(PR_SET_NAME, contract::k_keeper_name);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

}  // namespace

bool start_keeper(Keeping keeping) {
  sigset_t mask{};
  const sigset_t all = every_signal();
  ::sigprocmask(SIG_SETMASK, &all, &mask);
  const pid_t between = ::fork();
  if (between == 0) {
    if (::fork() != 0) ::_exit(0);
    leave_everything(keeping);
    Keeper(std::move(keeping), mask).run();
    ::_exit(0);
  }
  if (between > 0) {
    while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  return between > 0;
}

}  // namespace shim::preload
