// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/pipeline_spec.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/spec/duration.h"
#include "pachbuild/spec/schema.h"

namespace spec {
namespace {

using base::ErrorKind;
using nlohmann::json;

constexpr char k_standard_input[] = "-";
constexpr off_t k_largest_spec = off_t{1} << 20;

// The languages that have an official builder, etc/pipeline-build/<language>/.
constexpr std::array<std::string_view, 2> k_languages = {"go", "python"};

// Pachyderm allows 51 (maxPipelineNameLength in 2.12), and "<name>_build" is a pipeline as well.
constexpr std::size_t k_longest_name = 51 - std::string_view(contract::k_build_pipeline_suffix).size();

constexpr char k_build_hint[] = R"(add "build": {"language": "python"}, or "go", or {"image": "…"})";

// Reads the fields of one object of a checked document. What is not there has its type's zero, as in
// protobuf.
class Fields {
 public:
  explicit Fields(const json& object) : m_object(object) {}

  [[nodiscard]] bool has(const char* name) const { return m_object.contains(name); }
  [[nodiscard]] Fields object(const char* name) const { return Fields(get(name, k_empty)); }
  [[nodiscard]] std::string text(const char* name) const { return m_object.value(name, std::string()); }
  [[nodiscard]] bool flag(const char* name) const { return m_object.value(name, false); }
  [[nodiscard]] std::int64_t number(const char* name) const { return m_object.value(name, std::int64_t{0}); }
  template <class Container>
  [[nodiscard]] Container all(const char* name) const {
    return m_object.value(name, Container());
  }
  [[nodiscard]] const json& list(const char* name) const { return get(name, k_no_items); }
  [[nodiscard]] const json& value(const char* name) const { return get(name, k_empty); }

 private:
  static const json k_empty;
  static const json k_no_items;

  [[nodiscard]] const json& get(const char* name, const json& otherwise) const {
    const auto found = m_object.find(name);
    return found == m_object.end() ? otherwise : *found;
  }

  const json& m_object;
};

const json Fields::k_empty = json::object();
const json Fields::k_no_items = json::array();

class Reader {
 public:
  Reader(CheckedDocument checked, Target target) : m_document(std::move(checked.document)), m_target(target) {
    m_spec.cluster_fields = std::move(checked.cluster_fields);
    m_spec.places = m_document.places;
    m_spec.fields = m_document.value;
  }

  base::Result<PipelineSpec> read() {
    const Fields root(*m_document.value);
    BASE_TRY(read_name(root));
    if (!root.has("transform")) return fail("", "has no \"transform\"", k_build_hint);
    BASE_TRY(read_transform(root.object("transform")));
    if (!root.has("input"))
      return fail("", "has no \"input\"", R"(add "input": {"pfs": {"repo": "…", "glob": "/*"}})");
    BASE_TRY(read_input(root));
    BASE_TRY(read_settings(root));
    BASE_TRY(find_build_folder());
    return std::move(m_spec);
  }

 private:
  [[nodiscard]] tl::unexpected<base::Error> fail(const std::string& pointer, const std::string& what,
                                                 const std::string& hint = {}) const {
    const std::string name = field_name(pointer);
    return base::fail(ErrorKind::bad_input, m_spec.places.where(pointer),
                      name.empty() ? what : name + " " + what, hint);
  }

  base::Status read_name(const Fields& root) {
    const Fields pipeline = root.object("pipeline");
    m_spec.name = pipeline.text("name");
    m_spec.project = pipeline.object("project").text("name");
    m_spec.description = root.text("description");
    const std::string& name = m_spec.name;
    if (name.empty()) return fail("", "has no pipeline name", R"(add "pipeline": {"name": "…"})");
    if (!is_name(name) || name[0] == '_' || name[0] == '-') {
      return fail("/pipeline/name", base::quoted(name) + " is not a name",
                  "a name has letters, digits, '_' and '-', and starts with a letter or digit");
    }
    if (name.size() > k_longest_name) {
      return fail("/pipeline/name",
                  "has " + std::to_string(name.size()) + " characters, and " +
                      std::to_string(k_longest_name) + " are allowed",
                  "Pachyderm allows 51, and the pipeline " + base::quoted(name + "_build") + " has 6 more");
    }
    return {};
  }

  base::Status read_transform(const Fields& fields) {
    Transform& transform = m_spec.transform;
    if (!fields.has("build")) return fail("/transform", "has no \"build\"", k_build_hint);
    BASE_TRY(read_build(fields.object("build")));
    transform.image = fields.text("image");
    transform.cmd = fields.all<std::vector<std::string>>("cmd");
    transform.stdin_lines = fields.all<std::vector<std::string>>("stdin");
    transform.err_cmd = fields.all<std::vector<std::string>>("err_cmd");
    transform.err_stdin = fields.all<std::vector<std::string>>("err_stdin");
    transform.env = fields.all<std::map<std::string, std::string>>("env");
    transform.accept_return_code = fields.all<std::vector<std::int64_t>>("accept_return_code");
    transform.user = fields.text("user");
    transform.working_dir = fields.text("working_dir");
    transform.dockerfile = fields.text("dockerfile");
    transform.datum_batching = fields.flag("datum_batching");
    for (const json& item : fields.list("secrets")) {
      const Fields secret(item);
      transform.secrets.push_back(
          {secret.text("name"), secret.text("key"), secret.text("mount_path"), secret.text("env_var")});
    }
    return check_variables(transform.env, "/transform/env");
  }

  base::Status check_variables(const std::map<std::string, std::string>& variables,
                               const std::string& pointer) {
    for (const auto& [name, value] : variables) {
      if (!name.empty() && name.find_first_of(std::string_view("=\0", 2)) == std::string::npos) continue;
      return fail(child_pointer(pointer, name), "is not a variable's name");
    }
    return {};
  }

  base::Status read_build(const Fields& fields) {
    Build& build = m_spec.transform.build;
    build.language = fields.text("language");
    build.image = fields.text("image");
    build.path = fields.text("path");
    if (build.path.empty()) build.path = ".";
    if (build.language.empty() && build.image.empty()) {
      return fail("/transform/build", "has neither \"language\" nor \"image\"",
                  "set \"language\" for an official builder, or \"image\" for another one");
    }
    if (!build.language.empty() && !build.image.empty()) {
      return fail("/transform/build", "has both \"language\" and \"image\"",
                  "keep \"language\" for an official builder, or \"image\" for another one");
    }
    const bool known = std::find(k_languages.begin(), k_languages.end(), build.language) != k_languages.end();
    if (build.image.empty() && !known) {
      return fail("/transform/build/language", base::quoted(build.language) + " has no official builder",
                  "official builders are there for go and python; name the image of another one in "
                  "transform.build.image");
    }
    build.env = fields.all<std::map<std::string, std::string>>("env");
    return check_variables(build.env, "/transform/build/env");
  }

  base::Status find_build_folder() {
    Build& build = m_spec.transform.build;
    const base::fs::path spec_folder = base::fs::path(m_spec.places.file()).parent_path();
    const base::fs::path path(build.path);
    build.folder = (path.is_absolute() ? path : spec_folder / path).lexically_normal();
    if (build.folder.filename_is_dot()) build.folder = build.folder.parent_path();
    if (build.folder.empty()) build.folder = ".";
    struct stat status{};
    if (::stat(build.folder.c_str(), &status) != 0) {
      const int error_number = errno;
      const std::string shown = base::quoted(build.folder.string()) + " ";
      if (error_number == ENOENT || error_number == ENOTDIR) {
        return fail("/transform/build/path", shown + "does not exist",
                    "it is relative to the spec file's folder");
      }
      return fail("/transform/build/path",
                  shown + base::system_error("read", build.folder.string(), error_number).what);
    }
    if (!S_ISDIR(status.st_mode)) {
      return fail("/transform/build/path", base::quoted(build.folder.string()) + " is not a folder");
    }
    return {};
  }

  base::Status read_input(const Fields& root) {
    const json& input = root.value("input");
    if (m_target == Target::cluster) return check_input_names(input, "/input", m_spec.places);
    std::vector<base::Error> faults;
    m_spec.input = spec::read_input(input, "/input", m_spec.name, m_spec.places, faults);
    return faults.empty() ? base::Status() : base::fail(faults.front());
  }

  base::Status read_settings(const Fields& root) {
    m_spec.output_branch = root.text("output_branch");
    m_spec.parallelism = static_cast<std::uint64_t>(root.object("parallelism_spec").number("constant"));
    const Fields sets = root.object("datum_set_spec");
    m_spec.datum_set_spec = {sets.number("number"), sets.number("size_bytes"), sets.number("per_worker")};
    const std::int64_t tries = root.number("datum_tries");
    if (tries < 0) return fail("/datum_tries", "must not be negative");
    if (tries > 0) m_spec.datum_tries = tries;
    m_spec.reprocess_spec = root.text("reprocess_spec");
    if (!m_spec.reprocess_spec.empty() && m_spec.reprocess_spec != "until_success" &&
        m_spec.reprocess_spec != "every_job") {
      return fail("/reprocess_spec", "must be \"until_success\" or \"every_job\"");
    }
    BASE_TRY_ASSIGN(m_spec.datum_timeout, read_duration(root, "datum_timeout"));
    BASE_TRY_ASSIGN(m_spec.job_timeout, read_duration(root, "job_timeout"));
    return {};
  }

  base::Result<std::optional<std::chrono::nanoseconds>> read_duration(const Fields& root, const char* name) {
    const std::string text = root.text(name);
    if (text.empty()) return std::nullopt;
    const auto duration = parse_duration(text);
    if (!duration)
      return fail(std::string("/") + name, base::quoted(text) + " is not a duration",
                  "write \"90s\" or \"1h30m\"");
    return duration;
  }

  Document m_document;
  Target m_target;
  PipelineSpec m_spec;
};

tl::unexpected<base::Error> not_local(const std::string& path) {
  return base::fail(ErrorKind::bad_input, path, "is not a local file",
                    "save the spec next to the source that it builds");
}

base::Result<std::string> read_spec_file(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    base::Error error = base::system_error("read", path, errno);
    error.kind = ErrorKind::bad_input;
    return base::fail(std::move(error));
  }
  if (S_ISDIR(status.st_mode))
    return base::fail(ErrorKind::bad_input, path, "is a folder, not a pipeline spec");
  if (!S_ISREG(status.st_mode)) return base::fail(ErrorKind::bad_input, path, "is not a regular file");
  if (status.st_size > k_largest_spec) {
    return base::fail(ErrorKind::bad_input, path,
                      "is too large for a pipeline spec: " +
                          base::format_bytes(static_cast<std::uint64_t>(status.st_size)));
  }
  auto text = base::read_file(path);
  if (!text) text.error().kind = ErrorKind::bad_input;
  return text;
}

base::Result<std::string> read_standard_input() {
  auto text = base::read_file("/dev/stdin");
  if (!text) text.error().kind = ErrorKind::bad_input;
  return text;
}

bool has_build(const json& value) {
  const auto transform = value.is_object() ? value.find("transform") : value.end();
  return value.is_object() && transform != value.end() && transform->is_object() &&
         transform->contains("build");
}

base::Result<ClusterPipeline> cluster_pipeline(Document document) {
  ClusterPipeline pipeline;
  const json& value = *document.value;
  if (value.is_array() && std::any_of(value.begin(), value.end(), has_build)) {
    return base::fail(ErrorKind::bad_input, document.places.where(""), "is a list with pipelines to build",
                      "write the pipelines one after the other, or each into a file of its own");
  }
  if (has_build(value)) {
    if (document.places.file() == k_standard_input) return not_local("-");
    BASE_TRY_ASSIGN(CheckedDocument checked, check_fields(document, Target::cluster));
    BASE_TRY_ASSIGN(pipeline.spec, Reader(std::move(checked), Target::cluster).read());
    pipeline.name = pipeline.spec->name;
  } else if (value.is_object()) {
    const auto name = value.find("pipeline");
    if (name != value.end() && name->is_object())
      pipeline.name = name->value("name", json()).is_string() ? name->value("name", "") : "";
  }
  pipeline.document = std::move(document);
  return pipeline;
}

// The spec files of a folder, by name.
base::Result<std::vector<std::string>> spec_files(const base::fs::path& folder) {
  std::vector<std::string> files;
  boost::system::error_code error;
  for (base::fs::directory_iterator entry(folder, error); !error && entry != base::fs::directory_iterator();
       entry.increment(error)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".json" || extension == ".yaml" || extension == ".yml")
      files.push_back(entry->path().string());
  }
  if (error) {
    auto fault = base::system_error("read", folder.string(), error.value());
    fault.kind = ErrorKind::bad_input;
    return base::fail(std::move(fault));
  }
  if (files.empty())
    return base::fail(ErrorKind::bad_input, folder.string(), "has no *.json, *.yaml or *.yml file");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

bool is_url(const std::string& path) {
  const std::size_t scheme = path.find("://");
  return scheme != std::string::npos && path.find('/') > scheme;
}

Images images_of(const Transform& transform, const std::string& prefix) {
  const auto& build = transform.build;
  const std::string builder =
      build.language.empty() ? build.image : prefix + "pachbuild-" + build.language + ":" PACHBUILD_VERSION;
  return {builder, transform.image.empty() ? builder : transform.image};
}

base::Result<PipelineSpec> read_pipeline(const std::string& text, const std::string& file) {
  BASE_TRY_ASSIGN(const auto documents, parse_documents(text, format_of(file, text), file));
  const Document& first = documents.front();
  if (documents.size() > 1) {
    return base::fail(ErrorKind::bad_input, documents[1].places.where(""), "a second pipeline starts here",
                      "put each pipeline into a file of its own: one is run at a time");
  }
  if (first.value->is_array()) {
    return base::fail(ErrorKind::bad_input, first.places.where(""), "is a list of pipelines",
                      "put each pipeline into a file of its own: one is run at a time");
  }
  if (!first.value->is_object()) {
    return base::fail(ErrorKind::bad_input, first.places.where(""),
                      "is not a pipeline spec: it is not an object");
  }
  BASE_TRY_ASSIGN(CheckedDocument checked, check_fields(first, Target::machine));
  return Reader(std::move(checked), Target::machine).read();
}

base::Result<PipelineSpec> load_pipeline(const std::string& path) {
  if (path == k_standard_input || is_url(path)) return not_local(path);
  BASE_TRY_ASSIGN(const std::string text, read_spec_file(path));
  return read_pipeline(text, path);
}

base::Result<std::vector<ClusterPipeline>> read_for_cluster(const std::string& text,
                                                            const std::string& file) {
  BASE_TRY_ASSIGN(auto documents, parse_documents(text, format_of(file, text), file));
  std::vector<ClusterPipeline> pipelines;
  for (auto& document : documents) {
    BASE_TRY_ASSIGN(ClusterPipeline pipeline, cluster_pipeline(std::move(document)));
    pipelines.push_back(std::move(pipeline));
  }
  return pipelines;
}

base::Result<std::vector<ClusterPipeline>> load_for_cluster(const std::string& path) {
  if (is_url(path)) return not_local(path);
  std::vector<std::string> files = {path};
  boost::system::error_code ignored;
  if (base::fs::is_directory(path, ignored)) {
    BASE_TRY_ASSIGN(files, spec_files(path));
  }
  std::vector<ClusterPipeline> pipelines;
  for (const auto& file : files) {
    BASE_TRY_ASSIGN(const std::string text,
                    file == k_standard_input ? read_standard_input() : read_spec_file(file));
    BASE_TRY_ASSIGN(auto more, read_for_cluster(text, file));
    std::move(more.begin(), more.end(), std::back_inserter(pipelines));
  }
  return pipelines;
}

}  // namespace spec
