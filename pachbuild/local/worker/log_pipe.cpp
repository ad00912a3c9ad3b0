// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/log_pipe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"

namespace local {

base::Result<LogPipe> LogPipe::make(int log) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(base::system_error("create", "a pipe", errno));
  LogPipe pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1]), log};
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
    return base::fail(base::system_error("create", "a pipe", errno));
  pipe.begin_log();
  return pipe;
}

void LogPipe::change_log(int log) {
  m_log = log;
  m_error = 0;
  begin_log();
}

// Of earlier tries there may be something in it.
void LogPipe::begin_log() {
  struct stat status{};
  m_is_bounded = ::fstat(m_log, &status) == 0 && S_ISREG(status.st_mode);
  m_size = m_is_bounded ? static_cast<std::uint64_t>(status.st_size) : 0;
  m_left_out = 0;
}

bool LogPipe::move_some() {
  if (!m_read) return false;
  std::array<char, std::size_t{64} * 1024> buffer;
  const ssize_t count = ::read(m_read.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR;
  if (count == 0) {
    m_read.reset();
    return false;
  }
  keep({buffer.data(), static_cast<std::size_t>(count)});
  return true;
}

void LogPipe::move_rest() {
  constexpr int k_buffers = 16;  // 1 MiB, the most that a pipe holds
  for (int i = 0; i < k_buffers && move_some(); ++i) {
  }
}

void LogPipe::keep(std::string_view bytes) {
  while (!bytes.empty() && m_log >= 0 && m_error == 0) {
    const ssize_t count = ::write(m_log, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      m_size += static_cast<std::uint64_t>(count);
      if (m_is_bounded && m_size > k_longest_log) leave_out_middle();
    } else if (errno != EINTR) {
      m_error = errno;
      if (base::is_full(m_error)) give_back_half();
    }
  }
}

// Keeps the first and the last quarter. A log that cannot be read ends here instead.
void LogPipe::leave_out_middle() {
  constexpr off_t k_quarter = k_longest_log / 4;
  std::string end(k_quarter, '\0');
  const ssize_t count = ::pread(m_log, end.data(), end.size(), static_cast<off_t>(m_size) - k_quarter);
  end.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  m_left_out += m_size - static_cast<std::uint64_t>(k_quarter) - end.size();
  if (::ftruncate(m_log, k_quarter) != 0) {
    m_error = errno;
    return;
  }
  m_size = static_cast<std::uint64_t>(k_quarter);
  keep("\n[pachbuild: the log is longer than " + base::format_bytes(k_longest_log) + "; " +
       base::format_bytes(m_left_out) + " are left out here]\n" + end);
}

// A log must not be what fills the disk: the outputs and what is known of them need room there too.
void LogPipe::give_back_half() const {
  struct stat status{};
  if (::fstat(m_log, &status) != 0 || ::ftruncate(m_log, status.st_size / 2) != 0) return;
  constexpr std::string_view k_line = "\n[pachbuild: the disk was full; the rest of this log is missing]\n";
  static_cast<void>(!::write(m_log, k_line.data(), k_line.size()));
}

}  // namespace local
