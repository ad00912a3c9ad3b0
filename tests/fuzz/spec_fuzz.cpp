// SPDX-License-Identifier: Apache-2.0
// Any bytes as a spec: a spec or errors with places, for this machine and for a cluster. What was read is the
// same when it is written as YAML and read again, and an image that is put into it is there.
#include <nlohmann/json.hpp>

#include "pachbuild/spec/command_files.h"
#include "pachbuild/spec/document.h"
#include "pachbuild/spec/edit.h"
#include "pachbuild/spec/own_command.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

constexpr char k_file[] = "p.yaml";

void check_where(const base::Error& error) {
  fuzz::require_readable(error);
  require(error.where.starts_with(k_file));
  for (const auto& other : error.more) {
    require(other.more.empty());
    check_where(other);
  }
}

// Its own commands come back from where they are started, and what is wrong with them has a place.
void look_at_commands(const spec::PipelineSpec& spec) {
  const spec::SourceView source{
      .files = []() -> base::Result<std::vector<std::string>> {
        return std::vector<std::string>{"code/x.sh", "main.py"};
      },
      .has = [](const std::string& path) { return path == "main.py"; },
      .first_line =
          [](const std::string& path) { return path == "main.py" ? "#!/usr/bin/env python3" : ""; }};
  for (const auto host :
       {spec::CommandHost::this_machine, spec::CommandHost::image, spec::CommandHost::builder_image}) {
    const auto faults = spec::check_commands(spec, source, host);
    require(faults.has_value());
    for (const auto& error : faults->errors) check_where(error);
    for (const auto& doubt : faults->doubts) check_where(doubt);
  }
  for (const auto& command : {spec.transform.cmd, spec.transform.err_cmd}) {
    if (!spec::is_own_command(command)) continue;
    require(spec::without_environment(spec::in_environment(command, {})) == command);
    require(spec::without_environment(spec::in_environment(command, spec::image_place(spec.transform))) ==
            command);
  }
}

void put_image(const std::string& text, const std::vector<spec::Document>& documents) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto& value = *documents[i].value;
    // As the spec demands before an image is put in.
    if (!value.is_object() || !value.contains("transform") || !value.at("transform").is_object() ||
        value.at("transform").empty())
      continue;
    if (value.at("transform").contains("image") && !value.at("transform").at("image").is_string()) continue;
    const auto changed = spec::with_image(text, documents[i], "registry/image:1");
    if (!changed) {
      fuzz::require_readable(changed.error());
      continue;
    }
    const auto again = spec::parse_documents(*changed, "p");
    require(again.has_value() && again->size() == documents.size());
    nlohmann::json expected = value;
    expected["transform"]["image"] = "registry/image:1";
    require(*again->at(i).value == expected);
  }
}

}  // namespace

FUZZ_TARGET(spec_fuzz, input) {
  const std::string text(input);
  const auto spec = spec::read_pipeline(text, k_file);
  if (spec) {
    look_at_commands(*spec);
  } else {
    check_where(spec.error());
  }
  for (const auto target : {spec::Target::cluster, spec::Target::any}) {
    const auto pipelines = spec::read_for_cluster(text, k_file, target);
    if (!pipelines) check_where(pipelines.error());
  }
  const auto documents = spec::parse_documents(text, k_file);
  if (!documents) return check_where(documents.error());
  for (const auto& document : *documents) {
    const auto again = spec::parse_documents(spec::to_yaml(*document.value), "again.yaml");
    require(again.has_value() && again->size() == 1 && *again->front().value == *document.value);
  }
  put_image(text, *documents);
}
