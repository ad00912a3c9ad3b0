// SPDX-License-Identifier: Apache-2.0
// Any bytes as a spec, in JSON and in YAML: a spec or an error with a place. What was read is the same when
// it is written as YAML and read again, and an image that is put into it is there.
#include <nlohmann/json.hpp>

#include "pachbuild/spec/document.h"
#include "pachbuild/spec/edit.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

void check_where(const base::Error& error, const std::string& file) {
  fuzz::require_readable(error);
  require(error.where.starts_with(file));
}

void put_image(const std::string& text, spec::Format format, const std::vector<spec::Document>& documents) {
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
    const auto again = spec::parse_documents(*changed, format, "p");
    require(again.has_value() && again->size() == documents.size());
    nlohmann::json expected = value;
    expected["transform"]["image"] = "registry/image:1";
    require(*again->at(i).value == expected);
  }
}

}  // namespace

FUZZ_TARGET(spec_fuzz, input) {
  const std::string text(input);
  for (const std::string file : {"p.json", "p.yaml"}) {
    const auto spec = spec::read_pipeline(text, file);
    if (!spec) check_where(spec.error(), file);
    const auto format = file == "p.json" ? spec::Format::json : spec::Format::yaml;
    const auto documents = spec::parse_documents(text, format, file);
    if (!documents) {
      check_where(documents.error(), file);
      continue;
    }
    for (const auto& document : *documents) {
      const auto again =
          spec::parse_documents(spec::to_yaml(*document.value), spec::Format::yaml, "again.yaml");
      require(again.has_value() && again->size() == 1 && *again->front().value == *document.value);
    }
    put_image(text, format, *documents);
  }
}
