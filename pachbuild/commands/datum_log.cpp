// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/datum_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace commands {

base::UniqueFd open_log(const std::string& path) {
  base::UniqueFd log(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (log && (::fstat(log.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1))
    log.reset();
  return log;
}

std::string end_of_log(const std::string& path, std::size_t most) {
  const auto log = open_log(path);
  const off_t size = log ? ::lseek(log.get(), 0, SEEK_END) : 0;
  if (size <= 0 || most == 0) return "";
  const auto limit = static_cast<off_t>(most);
  std::string text(static_cast<std::size_t>(std::min(size, limit)), '\0');
  const ssize_t count = ::pread(log.get(), text.data(), text.size(), std::max<off_t>(size - limit, 0));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (size <= limit) return text;
  // Half a URL would show its password.
  auto begin = text.find('\n');
  if (begin == std::string::npos) begin = text.find(' ');
  return "[…]\n" + text.substr(begin == std::string::npos ? 0 : begin + 1);
}

}  // namespace commands
