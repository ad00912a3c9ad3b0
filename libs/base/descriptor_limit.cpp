// SPDX-License-Identifier: Apache-2.0
#include "base/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/errors.h"

namespace base {
namespace {

// A linker has all packages of a program open, uv tens of downloads.
constexpr rlim_t k_least = 256;
// More are never needed. Some programs close all that they may have, one by one.
constexpr rlim_t k_most_descriptors = 65'536;

}  // namespace

Status raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(system_error("read", "RLIMIT_NOFILE", errno));
  const rlim_t wanted = std::max(limit.rlim_cur, std::min(limit.rlim_max, k_most_descriptors));
  if (wanted > limit.rlim_cur) {
    const rlimit raised{wanted, limit.rlim_max};
    // Where even that is denied, what there is decides.
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_cur = wanted;
  }
  if (limit.rlim_cur >= k_least) return {};
  return fail(ErrorKind::unavailable, "ulimit -n",
              "only " + std::to_string(limit.rlim_cur) + " files may be open at once; a build needs " +
                  std::to_string(k_least),
              "raise the limit of the shell or container (ulimit -n 1024, --ulimit nofile=1024)");
}

}  // namespace base
