// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/unpack.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/errors.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/environment.h"
#include "worker-shim/bundle_stream.h"
#include "worker-shim/digest_speed.h"
#include "worker-shim/extract.h"

namespace shim {
namespace {

struct Room {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

// What the disk of a folder has free for this user.
Room measure_room(int folder) {
  struct statvfs disk{};
  if (::fstatvfs(folder, &disk) != 0) return {};
  return {std::uint64_t{disk.f_bavail} * disk.f_frsize, disk.f_favail};
}

base::Error disk_full(const UnpackOrder& order, const Extraction& extraction, const Room& room) {
  return {base::ErrorKind::cannot_write, order.disk,
          "no space left: the environment needs " + base::format_bytes(extraction.bytes) + " and " +
              base::count_of(extraction.files, "inode") + "; the disk has " + base::format_bytes(room.bytes) +
              " and " + base::count_of(room.files, "inode") + " free",
          std::string("free some space there, or set ") + contract::k_cache_variable +
              " to a folder on another disk"};
}

}  // namespace

base::Status unpack(const UnpackOrder& order) {
  base::UniqueFd file(::open(order.bundle.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return base::fail(base::system_error("read", order.bundle, errno));
  const Room room = measure_room(order.target);  // before anything is written, since that goes again
  let_openssl_see_the_processor();
  BundleStream stream(std::move(file), order.bundle);
  const auto read = [&] { return stream.read(); };
  const Extraction extraction = extract_tar(read, order.target, order.bundle, order.make_room);
  BASE_TRY_ASSIGN(const std::string digest, stream.finish());
  if (const auto& failure = extraction.write_failure) {
    const bool is_full = failure->error_number == ENOSPC || failure->error_number == EDQUOT;
    return base::fail(is_full ? disk_full(order, extraction, room)
                              : base::system_error("write", base::join({order.disk, failure->path}, "/"),
                                                   failure->error_number));
  }
  if (digest != order.digest) {
    return base::fail(base::ErrorKind::bad_input, order.bundle, "is damaged: its SHA-256 is " + digest,
                      "build it again; if the damage persists, check how it is stored or copied");
  }
  return extraction.content;
}

}  // namespace shim
