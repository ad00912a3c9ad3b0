// SPDX-License-Identifier: Apache-2.0
// [go] of a source's settings.
#include "builder-runtime/languages/go/go.h"
#include "builder-runtime/source/table_reader.h"

namespace builder::go {

base::Status read_settings(TableReader& reader, SourceSettings& settings) {
  auto& go = settings.go;
  BASE_TRY(reader.read("package", go.package));
  BASE_TRY(reader.read("tags", go.tags));
  BASE_TRY(reader.read("ldflags", go.ldflags));
  return reader.read("environment", go.environment);
}

}  // namespace builder::go
