// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/builder.h"

#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/near.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace commands {

base::Result<bool> is_builder_folder(const std::string& builder) {
  boost::system::error_code error;
  if (base::fs::is_directory(builder, error)) return true;
  if (builder.empty()) return base::fail(base::ErrorKind::usage, "the builder", "has no name");
  if (!spec::is_builder_path(builder)) return false;
  const bool is_there = base::fs::exists(builder, error);
  return base::fail(base::ErrorKind::usage, builder, is_there ? "is not a folder" : "no such folder",
                    is_there ? "" : base::did_you_mean_file(builder));
}

void ImageOptions::add_to(CLI::App& verb) {
  verb.add_option("--runtime", runtime, "The container runtime for an image (default: podman)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"podman", "docker"}));
  verb.add_flag("--pull", pull, "Pull the image if the runtime does not have it");
}

base::Result<local::Container> ImageOptions::find(const std::string& image,
                                                  process::Interruption& interruption,
                                                  const std::string& others) const {
  return local::find_container(runtime, image, pull ? local::Pull::when_missing : local::Pull::never,
                               interruption, others);
}

void add_builder(CLI::App& app, Invocation& invocation) {
  auto* builder = app.add_subcommand("builder", "Create, check and explain builders");
  builder->require_subcommand(1);
  add_builder_new(*builder, invocation);
  add_builder_test(*builder, invocation);
  add_builder_explain(*builder, invocation);
}

}  // namespace commands
