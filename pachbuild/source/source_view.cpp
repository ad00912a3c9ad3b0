// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/source_view.h"

#include <boost/filesystem/operations.hpp>

#include "base/inside.h"
#include "pachbuild/source/source.h"

namespace source {

spec::SourceView view_of(const spec::Build& build) {
  const auto& folder = build.folder;
  const auto inside = [folder](const std::string& path) { return base::path_inside(folder, path, path); };
  return {.files = [build]() -> base::Result<std::vector<std::string>> {
            BASE_TRY_ASSIGN(const auto source, read_source(build));
            std::vector<std::string> paths;
            paths.reserve(source.files.size());
            for (const auto& file : source.files) paths.push_back(file.path);
            return paths;
          },
          .has =
              [inside](const std::string& path) {
                boost::system::error_code error;
                const auto file = inside(path);
                return file && base::fs::exists(*file, error);
              },
          .first_line =
              [inside](const std::string& path) {
                const auto file = inside(path);
                const auto text = file ? base::read_input_file(*file).value_or("") : std::string();
                return text.substr(0, text.find('\n'));
              }};
}

}  // namespace source
