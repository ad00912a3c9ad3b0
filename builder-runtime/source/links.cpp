// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/links.h"

#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/inside.h"

namespace builder {
namespace {

namespace fs = base::fs;

// What Python's venv puts into the root of each: PEP 405.
constexpr char k_virtual_environment[] = "pyvenv.cfg";

}  // namespace

base::Status check_links(const fs::path& source) {
  boost::system::error_code error;
  const fs::path real_source = fs::canonical(source, error);
  if (error) return base::fail(base::system_error("read", source.string(), error.value()));
  for (fs::recursive_directory_iterator entry(source, error), end; entry != end; entry.increment(error)) {
    const auto type = entry->symlink_status(error).type();
    if (error) break;
    if (type == fs::directory_file && fs::exists(entry->path() / k_virtual_environment)) {
      entry.disable_recursion_pending();
    }
    if (type != fs::symlink_file) continue;
    BASE_TRY_ASSIGN(const auto target, base::target_outside(real_source, entry->path()));
    if (target.empty()) continue;
    return base::fail(base::ErrorKind::bad_input, entry->path().string(),
                      "is a symbolic link to " + target.string() + ", outside the source",
                      "replace it with a copy");
  }
  if (error) return base::fail(base::system_error("read", source.string(), error.value()));
  return {};
}

}  // namespace builder
