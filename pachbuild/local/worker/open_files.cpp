// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/worker/open_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "base/errors.h"
#include "base/folder.h"
#include "pachbuild/local/results/output_tree.h"

namespace local {
namespace {

// No output has such a name.
constexpr char k_detached_copy[] = ".pachbuild-copy";

base::Status detach_file(const base::Folder& folder, const std::string& name) {
  const auto file = folder.open_file(name, O_RDONLY | O_NONBLOCK);
  // Whoever takes the output says what is wrong with it.
  if (!file || is_ours_alone(file->get())) return {};
  BASE_TRY_ASSIGN(const auto copy, folder.open_file(k_detached_copy, O_WRONLY | O_CREAT | O_EXCL, 0600));
  BASE_TRY(base::copy_content(file->get(), folder.shown(name), copy.get(), folder.shown(name)));
  if (::renameat(folder.descriptor(), k_detached_copy, folder.descriptor(), name.c_str()) == 0) return {};
  return base::fail(base::entry_error("rename", folder.shown(name), errno));
}

}  // namespace

base::Status detach_open_files(const base::fs::path& output) {
  BASE_TRY_ASSIGN(const auto tree, OutputTree::open(output));
  const auto files = tree.list();
  if (!files) return {};
  return tree.visit(*files, [](const auto& folder, const std::string& name, const auto&) -> base::Status {
    return detach_file(folder, name);
  });
}

}  // namespace local
