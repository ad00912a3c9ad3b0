// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/load.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/near.h"
#include "base/stop.h"
#include "base/text.h"
#include "pachbuild/spec/jsonnet.h"

namespace spec {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr off_t k_largest_spec = off_t{1} << 20;

base::Error unreadable(const std::string& path, int error_number) {
  base::Error error = base::system_error("read", path, error_number);
  error.kind = ErrorKind::bad_input;
  if (error_number == ENOENT) error.hint = base::did_you_mean_file(path);
  return error;
}

base::Result<std::string> read_standard_input() {
  auto text = base::read_file("/dev/stdin");
  if (!text) text.error().kind = ErrorKind::bad_input;
  return text;
}

// All spec files of a folder and of the folders in it.
class Walk {
 public:
  base::Result<std::vector<std::string>> list(const fs::path& folder) {
    BASE_TRY(visit(folder, 0));
    if (m_files.empty())
      return base::fail(ErrorKind::bad_input, folder.string(), "has no *.json, *.yaml or *.yml file");
    return std::move(m_files);
  }

 private:
  base::Status visit(const fs::path& folder, int depth) {
    constexpr int k_deepest = 100;
    BASE_TRY(base::check_stop());
    if (depth > k_deepest) return base::fail(ErrorKind::bad_input, folder.string(), "is nested too deep");
    std::vector<std::string> files;
    std::vector<fs::path> folders;
    boost::system::error_code error;
    for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      boost::system::error_code ignored;
      // Hidden folders are tools' own, and a link can lead around in a circle.
      if (entry->symlink_status(ignored).type() == fs::directory_file) {
        if (entry->path().filename().string()[0] != '.') folders.push_back(entry->path());
      } else if (is_spec_file(entry->path())) {
        files.push_back(entry->path().string());
      }
    }
    if (error) return base::fail(unreadable(folder.string(), error.value()));
    std::sort(files.begin(), files.end());
    std::sort(folders.begin(), folders.end());
    std::move(files.begin(), files.end(), std::back_inserter(m_files));
    for (const auto& inner : folders) BASE_TRY(visit(inner, depth + 1));
    return {};
  }

  std::vector<std::string> m_files;
};

// What documents are that nobody could mean as a pipeline.
enum class Others { are_wrong, are_left_out };

// Whether a document among the files of a folder is meant as a pipeline. Others are there for other programs.
bool is_meant_as_spec(const nlohmann::json& value) {
  return value.is_object() && (value.contains("pipeline") || value.contains("transform"));
}

// The same for one that nobody has named: settings of other programs have a "pipeline" as well.
bool is_pipeline(const Document& document) {
  const auto& value = *document.value;
  if (value.contains("transform")) return true;
  const auto pipeline = value.find("pipeline");
  return pipeline != value.end() && pipeline->is_object() && pipeline->contains("name");
}

// Nothing between two "---" is nothing for pachctl, too.
base::Status add_spec(Document document, Others others, std::vector<Document>& specs) {
  const auto& value = *document.value;
  if (value.is_null() || (others == Others::are_left_out && !is_meant_as_spec(value))) return {};
  if (!value.is_object()) {
    return base::fail(ErrorKind::bad_input, document.places.where(""),
                      "not a pipeline spec: expected an object");
  }
  specs.push_back(std::move(document));
  return {};
}

Document item_of(const Document& list, std::size_t index) {
  const std::string pointer = "/" + std::to_string(index);
  return {std::make_shared<const nlohmann::json>(list.value->at(index)), list.places.below(pointer)};
}

base::Result<std::vector<Document>> parse_specs(const std::string& text, const Places& source,
                                                Others others) {
  BASE_TRY_ASSIGN(auto documents, parse_documents(text, source));
  std::vector<Document> specs;
  for (auto& document : documents) {
    if (!document.value->is_array()) {
      BASE_TRY(add_spec(std::move(document), others, specs));
      continue;
    }
    for (std::size_t i = 0; i < document.value->size(); ++i) {
      Document item = item_of(document, i);
      if (i == 0) item.warnings = document.warnings;
      BASE_TRY(add_spec(std::move(item), others, specs));
    }
  }
  if (specs.empty() && others == Others::are_wrong)
    return base::fail(ErrorKind::bad_input, source.name(), "has no pipeline");
  return specs;
}

base::Result<std::vector<Document>> load_file_of_folder(const std::string& file) {
  struct stat status{};
  const bool is_small = ::stat(file.c_str(), &status) == 0 && status.st_size <= k_largest_spec;
  // Data, settings of other programs: whatever they are, they are no business of ours.
  if (!is_small && S_ISREG(status.st_mode)) return std::vector<Document>();
  BASE_TRY_ASSIGN(const std::string text, read_spec_file(file));
  if (!base::contains(text, "pipeline") && !base::contains(text, "transform")) return std::vector<Document>();
  BASE_TRY_ASSIGN(auto documents, parse_specs(text, Places(file), Others::are_left_out));
  return documents;
}

// Takes the specs, or the error that there is instead.
using Taker = std::function<void(base::Result<std::vector<Document>>)>;

void load_folder(const std::string& folder, const Taker& take) {
  const auto files = Walk().list(folder);
  if (!files) return take(base::fail(files.error()));
  bool is_empty = true;
  for (const auto& file : *files) {
    auto found = load_file_of_folder(file);
    is_empty = is_empty && found && found->empty();
    take(std::move(found));
  }
  if (is_empty) {
    take(base::fail(ErrorKind::bad_input, folder, "has no pipeline in its *.json, *.yaml and *.yml files"));
  }
}

base::Result<std::vector<Document>> load_file(const std::string& path) {
  BASE_TRY_ASSIGN(const std::string text,
                  path == k_standard_input ? read_standard_input() : read_spec_file(path));
  return read_specs(text, Places(path));
}

base::Result<std::vector<Document>> load_template(const std::string& file,
                                                  const std::vector<std::string>& arguments) {
  BASE_TRY_ASSIGN(const std::string text, read_spec_file(file));
  BASE_TRY_ASSIGN(const std::string result, evaluate(text, file, arguments));
  return read_specs(result, Places(file, file + " (its result)"));
}

}  // namespace

base::Result<std::string> read_spec_file(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return base::fail(unreadable(path, errno));
  if (S_ISDIR(status.st_mode))
    return base::fail(ErrorKind::bad_input, path, "is a folder, not a pipeline spec");
  if (!S_ISREG(status.st_mode)) return base::fail(ErrorKind::bad_input, path, "is not a regular file");
  if (status.st_size > k_largest_spec) {
    return base::fail(ErrorKind::bad_input, path,
                      "is " + base::format_bytes(static_cast<std::uint64_t>(status.st_size)) +
                          "; the limit is " + base::format_bytes(static_cast<std::uint64_t>(k_largest_spec)));
  }
  auto text = base::read_file(path);
  if (!text) text.error().kind = ErrorKind::bad_input;
  return text;
}

base::Result<std::vector<std::string>> find_specs(const fs::path& folder) {
  std::vector<std::string> specs;
  std::vector<std::string> faulty;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    BASE_TRY(base::check_stop());
    boost::system::error_code ignored;
    const auto& path = entry->path();
    if (!is_spec_file(path) || entry->status(ignored).type() != fs::regular_file) continue;
    const auto documents = load_file_of_folder(path.string());
    const bool has_one = documents && std::any_of(documents->begin(), documents->end(), is_pipeline);
    if (has_one) specs.push_back(path.filename().string());
    if (!documents) faulty.push_back(path.filename().string());
  }
  if (error) return base::fail(unreadable(folder.string(), error.value()));
  if (specs.empty()) specs = std::move(faulty);
  std::sort(specs.begin(), specs.end());
  return specs;
}

base::Result<std::vector<Document>> read_specs(const std::string& text, const Places& source) {
  return parse_specs(text, source, Others::are_wrong);
}

std::vector<Document> load_documents(const Sources& sources, base::Errors& errors) {
  std::vector<Document> documents;
  const Taker take = [&](base::Result<std::vector<Document>> more) {
    if (more) {
      std::move(more->begin(), more->end(), std::back_inserter(documents));
    } else {
      errors.add(std::move(more).error());
    }
  };
  for (const auto& path : sources.paths) {
    boost::system::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      load_folder(path, take);
    } else {
      take(load_file(path));
    }
  }
  for (const auto& file : sources.templates) take(load_template(file, sources.arguments));
  return documents;
}

}  // namespace spec
