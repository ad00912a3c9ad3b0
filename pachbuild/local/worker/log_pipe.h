// SPDX-License-Identifier: Apache-2.0
// What a command prints, both streams through one pipe so that their order stays, on its way into a log. The
// command does not write there itself: a full disk must not become an error of the program's, and has to be
// told.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace local {

// A longer log keeps its beginning and its end.
inline constexpr std::uint64_t k_longest_log = std::uint64_t{64} << 20;

class LogPipe {
 public:
  // What is printed goes to the descriptor `log`; -1: nowhere.
  static base::Result<LogPipe> make(int log);

  // Another log for what is moved from now on, which has no error yet.
  void change_log(int log);

  // For the command; given up once it has a copy.
  [[nodiscard]] int write_end() const { return m_write.get(); }
  void close_write_end() { m_write.reset(); }
  // For poll(); -1 when nobody can write to it any more.
  [[nodiscard]] int read_end() const { return m_read.get(); }

  // Moves what is there, one buffer full; false when there was nothing.
  bool move_some();

  // All that is there when the command has ended, or waits. A process that left the command's group may print
  // for ever: no more is taken than a pipe can hold.
  void move_rest();

  // Why the log ends before what was printed does; 0: it does not.
  [[nodiscard]] int error_number() const { return m_error; }

 private:
  LogPipe(base::UniqueFd read, base::UniqueFd write, int log)
      : m_read(std::move(read)), m_write(std::move(write)), m_log(log) {}
  void begin_log();
  void keep(std::string_view bytes);
  void give_back_half() const;
  void leave_out_middle();

  base::UniqueFd m_read;
  base::UniqueFd m_write;
  int m_log;
  int m_error = 0;
  bool m_is_bounded = false;     // it is a file
  std::uint64_t m_size = 0;      // of the log
  std::uint64_t m_left_out = 0;  // bytes, from its middle
};

}  // namespace local
