// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

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
    default:
      return std::strerror(error_number);
  }
}

// The nearest folder of `path` that exists, since a file that could not be made has no disk of its own.
std::string describe_disk(std::string path) {
  struct statvfs disk{};
  while (::statvfs(path.c_str(), &disk) != 0) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") return "the disk";
    path.resize(slash == 0 ? 1 : slash);
  }
  const auto free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  return "the disk of " + path + " (" + format_bytes(free_bytes) + " and " + std::to_string(disk.f_favail) +
         " files free)";
}

}  // namespace

Error system_error(std::string_view attempt, const std::string& path, int error_number) {
  if (error_number == ENOSPC || error_number == EDQUOT) {
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

std::string format_error(const Error& error) {
  std::string text = "error: ";
  if (!error.where.empty()) text += printable(error.where) + ": ";
  text += printable(error.what) + "\n";
  if (!error.hint.empty()) text += "hint: " + printable(error.hint) + "\n";
  return text;
}

std::string printable(std::string_view text) {
  static constexpr char k_hex[] = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (const auto length = utf8_length(text.substr(i)); length > 0) {
      result.append(text.substr(i, length));
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

}  // namespace base
