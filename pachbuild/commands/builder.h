// SPDX-License-Identifier: Apache-2.0
// The verbs of `pachbuild builder`.
#pragma once

#include <string>

#include "base/result.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/local/pool/container.h"
#include "process/interruption.h"

namespace commands {

// Whether an argument names a builder's folder, and not an image; an error where it is a path and there is
// none.
base::Result<bool> is_builder_folder(const std::string& builder);

// How the image of a builder is found.
struct ImageOptions {
  std::string runtime = "podman";
  bool pull = false;

  void add_to(CLI::App& verb);
  // `others` is what else the name is not, for errors.
  [[nodiscard]] base::Result<local::Container> find(const std::string& image,
                                                    process::Interruption& interruption,
                                                    const std::string& others = "folder") const;
};

void add_builder_test(CLI::App& builder, Invocation& invocation);
void add_builder_new(CLI::App& builder, Invocation& invocation);
void add_builder_explain(CLI::App& builder, Invocation& invocation);

}  // namespace commands
