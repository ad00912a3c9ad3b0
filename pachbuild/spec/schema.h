// SPDX-License-Identifier: Apache-2.0
// Which fields a pipeline spec may have and of which types: pps.proto of Pachyderm 2.12, with transform.build
// of 1.13. Private to this library.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pachbuild/spec/document.h"
#include "pachbuild/spec/faults.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {

struct CheckedDocument {
  // Fields have their snake case names, types are right, numbers are numbers, durations are as Pachyderm
  // takes them, and what is null or at fault is not there.
  Document document;
  // Fields that are set and have an effect on a cluster only: "p.json:4:3: transform.user".
  std::vector<std::string> cluster_fields;
  // Of Target::any: what this program does not do on one machine, as an error would say it.
  std::vector<std::string> notes;
  Faults faults;
};

// Everything that can be told from one field alone: unknown, removed and unsupported fields, and wrong types.
// As protojson does, takes fields in lowerCamelCase too, numbers as text, and no notice of "$schema".
CheckedDocument check_fields(const Document& document, Target target);

// Whether the spec has transform.build.
bool has_build(const nlohmann::json& value);

// "input.cross[0].pfs" for "/input/cross/0/pfs": how errors name a field.
std::string field_name(const std::string& pointer);

// "pipeline.name `what`"; without the name where places.where() is a word of a command line.
std::string field_fault(const Places& places, const std::string& pointer, const std::string& what);

// "pipeline.name: invalid name "a b"": of a text that cannot be a `kind`.
std::string invalid_value(const Places& places, const std::string& pointer, std::string_view kind,
                          std::string_view value);

}  // namespace spec
