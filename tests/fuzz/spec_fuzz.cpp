// SPDX-License-Identifier: Apache-2.0
// Any bytes as a spec, in JSON and in YAML: a spec or an error with a place, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "pachbuild/spec/pipeline_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* file : {"p.json", "p.yaml"}) {
    const auto spec = spec::read_pipeline(text, file);
    if (!spec && (!spec.error().where.starts_with(file) || spec.error().what.empty())) std::abort();
  }
  return 0;
}
