// SPDX-License-Identifier: Apache-2.0
// From files, folders, standard input and templates to the specs that are in them. Private to this library.
#pragma once

#include <string>
#include <vector>

#include "base/errors.h"
#include "pachbuild/spec/document.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {

// The text of a spec file: a regular file of bounded size.
base::Result<std::string> read_spec_file(const std::string& path);

// The specs in a text: its documents, and the items of those that are lists. Each is an object.
base::Result<std::vector<Document>> read_specs(const std::string& text, const Places& source);

// Those of all sources, in their order; files of a folder by name, and what is in its folders behind them.
std::vector<Document> load_documents(const Sources& sources, base::Errors& errors);

}  // namespace spec
