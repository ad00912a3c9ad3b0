// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "base/text.h"

namespace base {
namespace {

// The words for the errors that people really meet; everything else has the system's own.
std::string reason(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "no such file or folder";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EISDIR:
      return "is a folder";
    case ENOTDIR:
      return "a part of the path is not a folder";
    case EROFS:
      return "the file system is read-only";
    case ELOOP:
      return "too many symbolic links";
    case ENAMETOOLONG:
      return "the name is too long";
    case EMFILE:
    case ENFILE:
      return "too many files are open (ulimit -n)";
    default:
      return std::strerror(error_number);
  }
}

// A file system or a part of one, as proc_pid_mountinfo(5) has it.
struct Mount {
  std::string device;
  std::string root;   // what of the device is shown
  std::string point;  // where
};

// Spaces and the like are written as \040.
std::string unescaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    unsigned code = 0;
    if (text[0] == '\\' && text.size() >= 4 &&
        std::from_chars(text.data() + 1, text.data() + 4, code, 8).ptr == text.data() + 4) {
      result += static_cast<char>(code);
      text.remove_prefix(4);
    } else {
      result += text[0];
      text.remove_prefix(1);
    }
  }
  return result;
}

std::vector<Mount> list_mounts() {
  constexpr std::size_t k_device = 2;
  constexpr std::size_t k_root = 3;
  constexpr std::size_t k_point = 4;
  std::vector<Mount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto words = split(line, ' ');
    if (words.size() <= k_point) continue;
    mounts.push_back({words[k_device], unescaped(words[k_root]), unescaped(words[k_point])});
  }
  return mounts;
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// The folder at which a person finds the disk of `path`, which exists. A worker sees parts of disks at places
// that nobody else knows (/pfs); another mount of the same disk, closer to its root, is one of the machine's
// own.
std::string mount_point_of(const std::string& path) {
  boost::system::error_code error;
  const std::string real = boost::filesystem::canonical(path, error).string();
  const auto mounts = list_mounts();
  const Mount* own = nullptr;
  for (const auto& mount : mounts) {
    // Of several at one place the last hides the others.
    if (is_at_or_below(real, mount.point) && (own == nullptr || mount.point.size() >= own->point.size())) {
      own = &mount;
    }
  }
  if (error || own == nullptr) return path;
  const Mount* best = own;
  for (const auto& mount : mounts) {
    const bool holds_own = mount.device == own->device && is_at_or_below(own->root, mount.root);
    if (holds_own && mount.root.size() < best->root.size() && !is_at_or_below(mount.point, own->point)) {
      best = &mount;
    }
  }
  return best->point;
}

// By the nearest folder of `path` that exists, since a file that could not be made has no disk of its own.
std::string describe_disk(std::string path) {
  struct statvfs disk{};
  while (::statvfs(path.c_str(), &disk) != 0) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") return "the disk";
    path.resize(slash == 0 ? 1 : slash);
  }
  const auto free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  return "the disk of " + mount_point_of(path) + " (" + format_bytes(free_bytes) + " and " +
         std::to_string(disk.f_favail) + " inodes free)";
}

}  // namespace

bool is_full(int error_number) { return error_number == ENOSPC || error_number == EDQUOT; }

Error system_error(std::string_view attempt, const std::string& path, int error_number) {
  if (is_full(error_number)) {
    return {ErrorKind::cannot_write, path,
            "cannot " + std::string(attempt) + ": no space left on " + describe_disk(path),
            "free some space there, or choose another disk"};
  }
  const bool writing = attempt == "write" || attempt == "create" || attempt == "rename";
  return {writing ? ErrorKind::cannot_write : ErrorKind::io,
          path,
          "cannot " + std::string(attempt) + ": " + reason(error_number),
          {}};
}

Error read_error(const std::string& path, int error_number) {
  const bool leads_nowhere = error_number == ENOENT || error_number == ELOOP;
  auto fault = leads_nowhere ? broken_link(path) : std::nullopt;
  if (!fault) return system_error("read", path, error_number);
  return {ErrorKind::io, path, std::move(*fault), "remove the link, or create its target"};
}

std::optional<std::string> broken_link(const std::string& path) {
  boost::system::error_code error;
  const auto target = boost::filesystem::read_symlink(path, error);
  if (error || boost::filesystem::exists(path, error)) return std::nullopt;
  return "is a broken symbolic link to " + target.string();
}

Error readable(Error error) {
  for (auto* text : {&error.where, &error.what, &error.hint}) *text = shortened(*text, k_longest_message);
  return error;
}

std::string format_error(const Error& error) {
  const Error shown = readable(error);
  std::string text = "error: ";
  if (!shown.where.empty()) text += printable(shown.where) + ": ";
  text += printable(shown.what) + "\n";
  if (!shown.hint.empty()) text += "hint: " + printable(shown.hint) + "\n";
  return text;
}

std::string without_hint(const Error& error) {
  return (error.where.empty() ? "" : error.where + ": ") + error.what;
}

std::string in_one_line(const Error& error) {
  return without_hint(error) + (error.hint.empty() ? "" : "; " + error.hint);
}

std::string printable(std::string_view text) {
  // Bidi_Control in PropList.txt of Unicode: with them one text looks like another.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> k_directions = {
      {{"\u061C", "\\u061c"},
       {"\u200E", "\\u200e"},
       {"\u200F", "\\u200f"},
       {"\u202A", "\\u202a"},
       {"\u202B", "\\u202b"},
       {"\u202C", "\\u202c"},
       {"\u202D", "\\u202d"},
       {"\u202E", "\\u202e"},
       {"\u2066", "\\u2066"},
       {"\u2067", "\\u2067"},
       {"\u2068", "\\u2068"},
       {"\u2069", "\\u2069"}}};
  static constexpr char k_hex[] = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (const auto length = utf8_length(text.substr(i)); length > 0) {
      const auto character = text.substr(i, length);
      // Nearly all of a text is shorter.
      const auto* direction = length == 1
                                  ? k_directions.end()
                                  : std::find_if(k_directions.begin(), k_directions.end(),
                                                 [&](const auto& one) { return one.first == character; });
      result += direction == k_directions.end() ? character : direction->second;
      i += length;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i++]);
    if (byte == '\n') {
      result += "\\n";
    } else if (byte == '\t') {
      result += "\\t";
    } else {
      result += {'\\', 'x', k_hex[byte >> 4], k_hex[byte & 15]};
    }
  }
  return result;
}

void Errors::add(Error error) {
  constexpr std::size_t k_most = 100;
  auto more = std::exchange(error.more, {});
  m_untold += std::exchange(error.untold, 0);
  if (!std::exchange(m_any, true)) {
    m_first = std::move(error);
  } else if (m_first.more.size() + 1 < k_most) {
    m_first.more.push_back(std::move(error));
  } else {
    ++m_untold;
  }
  for (auto& other : more) add(std::move(other));
}

Error Errors::take() {
  m_first.untold = std::exchange(m_untold, 0);
  m_any = false;
  return std::exchange(m_first, {});
}

}  // namespace base
