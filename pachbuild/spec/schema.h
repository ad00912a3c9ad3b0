// SPDX-License-Identifier: Apache-2.0
// Which fields a pipeline spec may have and of which types: pps.proto of Pachyderm 2.12, with transform.build
// of 1.13. Private to this library.
#pragma once

#include <string>
#include <vector>

#include "pachbuild/spec/document.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {

struct CheckedDocument {
  // Fields have their snake case names, types are right, numbers are numbers, and what is null is not there.
  Document document;
  // Fields that are set and have an effect on a cluster only.
  std::vector<std::string> cluster_fields;
};

// Everything that can be told from one field alone: unknown, removed and unsupported fields, and wrong types.
// As protojson does, takes fields in lowerCamelCase too, whole numbers as text, and no notice of "$schema".
base::Result<CheckedDocument> check_fields(const Document& document, Target target);

// "input.cross[0].pfs" for "/input/cross/0/pfs": how errors name a field.
std::string field_name(const std::string& pointer);

}  // namespace spec
