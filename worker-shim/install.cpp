// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/install.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/errors.h"
#include "base/unique_fd.h"
#include "contract/layout.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

constexpr char k_own_file[] = "/proc/self/exe";

base::Status fill(int file, const std::string& temporary, const std::string& target) {
  const base::UniqueFd self(::open(k_own_file, O_RDONLY | O_CLOEXEC));
  if (!self) return base::fail(base::system_error("read", k_own_file, errno));
  if (const int error_number = copy_to_end(self.get(), file); error_number != 0) {
    return base::fail(base::system_error("write", target, error_number));
  }
  if (::fchmod(file, 0755) != 0) return base::fail(base::system_error("write", target, errno));
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    return base::fail(base::system_error("create", target, errno));
  }
  return {};
}

}  // namespace

base::Status install_into(const std::string& folder) {
  const std::string target = folder + "/" + contract::k_shim;
  std::string temporary = folder + "/." + contract::k_shim + ".XXXXXX";
  const base::UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return base::fail(base::system_error("create", target, errno));
  const auto status = fill(file.get(), temporary, target);
  if (!status) ::unlink(temporary.c_str());
  return status;
}

}  // namespace shim
