// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/sandbox_check.h"

#include <boost/filesystem/operations.hpp>
#include <cstdio>

#include "base/errors.h"
#include "base/files.h"
#include "pachbuild/local/worker/sandbox.h"
#include "process/fork.h"

namespace local {
namespace {

namespace fs = base::fs;

int tell(const base::Error& error) {
  std::printf("%s\n%s\n", base::without_hint(error).c_str(), error.hint.c_str());
  std::fflush(stdout);
  return static_cast<int>(error.kind);
}

base::Result<process::Ending> try_sandbox() {
  boost::system::error_code error;
  BASE_TRY_ASSIGN(const auto folder,
                  base::TemporaryFolder::make(fs::temp_directory_path(error), "pachbuild-check-"));
  const auto scratch = folder.path() / "scratch";
  const auto root = folder.path() / "root";
  BASE_TRY(base::make_folders(scratch, 0700));
  BASE_TRY(base::make_folders(root, 0700));
  // In a copy, so that this process still sees the machine and can remove the folder.
  return process::run_in_fork([&] {
    const auto made = run_in_sandbox(scratch.string(), root.string(),
                                     [](const base::Status& view) { return view ? 0 : tell(view.error()); });
    return made ? made->exit_code() : tell(made.error());
  });
}

}  // namespace

int check_sandbox() {
  const auto ending = try_sandbox();
  return ending ? ending->exit_code() : tell(ending.error());
}

}  // namespace local
