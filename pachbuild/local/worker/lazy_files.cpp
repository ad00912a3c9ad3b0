// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/lazy_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/errors.h"

namespace local {
namespace {

// How soon a thread whose reader does nothing notices finish().
constexpr int k_notice_ms = 20;

std::string path_of(const base::UniqueFd& place) { return "/proc/self/fd/" + std::to_string(place.get()); }

// Readable when a reader has closed the pipe.
base::UniqueFd watch_readers(const base::UniqueFd& place) {
  base::UniqueFd ends(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (ends && ::inotify_add_watch(ends.get(), path_of(place).c_str(), IN_CLOSE_NOWRITE) < 0) ends.reset();
  return ends;
}

}  // namespace

base::Status LazyFiles::add(const std::string& source, const base::fs::path& folder,
                            const std::string& name) {
  const std::string path = (folder / name).string();
  if (::mkfifo(path.c_str(), 0644) != 0) return base::fail(base::system_error("create", path, errno));
  auto pipe = std::make_unique<Pipe>();
  pipe->source = source;
  pipe->name = name;
  pipe->again = m_again;
  pipe->place.reset(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!pipe->place) return base::fail(base::system_error("read", path, errno));
  BASE_TRY(start(*pipe));
  m_pipes.push_back(std::move(pipe));
  return {};
}

base::Status LazyFiles::start(Pipe& pipe) {
  pipe.opened = false;
  pipe.stopping = false;
  pipe.status = {};
  try {
    pipe.thread = std::thread([&pipe] { serve(pipe); });
  } catch (const std::system_error& error) {
    return base::fail(base::system_error("start a thread for", pipe.name, error.code().value()));
  }
  return {};
}

void LazyFiles::serve(Pipe& pipe) {
  while (serve_once(pipe) && pipe.again) {
    // In this order: stop() has either been seen here, or sees this and lets open() go.
    pipe.opened = false;
    if (pipe.stopping) return;
  }
}

// False when the next reader cannot be served.
bool LazyFiles::serve_once(Pipe& pipe) {
  // Waits here until a process opens the other end, or stop() does.
  base::UniqueFd target(::open(path_of(pipe.place).c_str(), O_WRONLY | O_CLOEXEC));
  pipe.opened = true;
  if (pipe.stopping) return false;
  const base::UniqueFd ends(pipe.again ? watch_readers(pipe.place) : base::UniqueFd());
  const base::UniqueFd source(::open(pipe.source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!target || !source || ::fcntl(target.get(), F_SETFL, O_NONBLOCK) != 0) {
    pipe.status = base::fail(base::system_error("read", source ? pipe.name : pipe.source, errno));
    return false;
  }
  pipe.status = pump(source.get(), target.get(), pipe);
  target.reset();
  // Whoever opened the pipe to write before the reader has seen the end would hide it.
  while (ends && !pipe.stopping) {
    pollfd entry{ends.get(), POLLIN, 0};
    if (::poll(&entry, 1, k_notice_ms) > 0) return true;
  }
  return false;
}

base::Status LazyFiles::pump(int source, int target, const Pipe& pipe) {
  std::vector<char> buffer(std::size_t{64} * 1024);
  while (true) {
    const ssize_t count = ::read(source, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", pipe.source, errno));
    if (count == 0) return {};
    BASE_TRY(write_all(target, buffer.data(), static_cast<std::size_t>(count), pipe));
  }
}

base::Status LazyFiles::write_all(int target, const char* bytes, std::size_t size, const Pipe& pipe) {
  while (size > 0) {
    const ssize_t count = ::write(target, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EPIPE) return base::fail(base::system_error("write", pipe.name, errno));
    if (errno == EPIPE || pipe.stopping) {
      return base::fail(base::ErrorKind::step_failed, pipe.name,
                        "was opened but not read to its end, which fails a datum when an input is lazy",
                        "read it whole, or leave \"lazy\" out for this input");
    }
    pollfd entry{target, POLLOUT, 0};
    ::poll(&entry, 1, k_notice_ms);
  }
  return {};
}

void LazyFiles::stop(Pipe& pipe) {
  if (!pipe.thread.joinable()) return;
  pipe.stopping = true;
  // Lets a thread go that no process ever opened its pipe for.
  base::UniqueFd reader;
  if (!pipe.opened) reader.reset(::open(path_of(pipe.place).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  pipe.thread.join();
}

base::Status LazyFiles::finish(const base::fs::path& folder) {
  for (const auto& pipe : m_pipes) {
    if (pipe->opened) pipe->stopping = true;
  }
  base::Status first;
  for (const auto& pipe : m_pipes) {
    if (!pipe->opened) continue;
    stop(*pipe);
    if (pipe->status || !first) continue;
    first = std::exchange(pipe->status, {});
    if (first.error().where == pipe->name) first.error().where = (folder / pipe->name).string();
  }
  return first;
}

base::Status LazyFiles::renew() {
  for (const auto& pipe : m_pipes) {
    if (!pipe->opened) continue;
    stop(*pipe);
    BASE_TRY(start(*pipe));
  }
  return {};
}

void LazyFiles::drop(const std::string& folder_name) {
  std::erase_if(m_pipes, [&](const auto& pipe) {
    if (!folder_name.empty() && !pipe->name.starts_with(folder_name + "/")) return false;
    stop(*pipe);
    return true;
  });
}

LazyFiles::~LazyFiles() { drop(""); }

}  // namespace local
