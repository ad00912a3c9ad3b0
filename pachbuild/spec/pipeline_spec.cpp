// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/pipeline_spec.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "contract/builders.h"
#include "contract/layout.h"
#include "contract/pipeline_names.h"
#include "glob/glob.h"
#include "pachbuild/spec/duration.h"
#include "pachbuild/spec/faults.h"
#include "pachbuild/spec/load.h"
#include "pachbuild/spec/schema.h"

namespace spec {
namespace {

using base::ErrorKind;
using nlohmann::json;

// The languages that builder-runtime knows by itself.
constexpr std::array<std::string_view, 2> k_own_languages = {"go", "python"};

constexpr char k_build_hint[] =
    R"(add "build": {"language": "python"}, or another language, or {"image": "…"})";

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
  // `builds` is whether a pipeline without transform.build is wrong.
  enum class Builds { always, maybe };

  Reader(CheckedDocument checked, Target target, Builds builds)
      : m_document(std::move(checked.document)), m_faults(std::move(checked.faults)), m_target(target) {
    m_spec.cluster_fields = std::move(checked.cluster_fields);
    m_spec.notes = std::move(checked.notes);
    m_spec.warnings = m_document.warnings;
    m_spec.places = m_document.places;
    m_spec.fields = m_document.value;
    m_has_build = builds == Builds::always || has_build(*m_document.value);
  }

  base::Result<PipelineSpec> read() {
    const Fields root(*m_document.value);
    read_name(root);
    read_transform(root);
    read_all_input(root);
    read_settings(root);
    if (!m_faults.none()) return base::fail(m_faults.take());
    for (const auto* input : repo_inputs(m_spec.input))
      m_spec.transform.build.data.push_back(data_folder(m_spec, input->repo));
    return std::move(m_spec);
  }

 private:
  [[nodiscard]] tl::unexpected<base::Error> fail(const std::string& pointer, const std::string& what,
                                                 const std::string& hint = {}) {
    m_failed_at = pointer;
    return base::fail(ErrorKind::bad_input, m_spec.places.where(pointer),
                      field_fault(m_spec.places, pointer, what), hint);
  }

  [[nodiscard]] tl::unexpected<base::Error> invalid(const std::string& pointer, std::string_view kind,
                                                    const std::string& value, const std::string& hint = {}) {
    m_failed_at = pointer;
    return base::fail(ErrorKind::bad_input, m_spec.places.where(pointer),
                      invalid_value(m_spec.places, pointer, kind, value), hint);
  }

  void note(const tl::unexpected<base::Error>& failure) {
    m_faults.add(m_failed_at, m_spec.places.at(m_failed_at), failure.value());
  }
  void note(const base::Status& status) {
    if (!status) note(tl::unexpected<base::Error>(status.error()));
  }

  // That the object at `pointer` lacks the field which is called `name` below it, unless what is there was
  // wrong.
  void note_missing(const std::string& pointer, const std::string& name, const std::string& what,
                    const std::string& hint) {
    const std::string field = pointer + "/" + name;
    if (m_faults.touch(field)) return;
    m_faults.add(field, m_spec.places.at(pointer), fail(pointer, what, hint).value());
  }

  void read_name(const Fields& root) {
    const Fields pipeline = root.object("pipeline");
    m_spec.name = pipeline.text("name");
    m_spec.project = pipeline.object("project").text("name");
    m_spec.description = root.text("description");
    const std::string& name = m_spec.name;
    if (name.empty()) {
      note_missing("", "pipeline/name", "missing pipeline name", R"(add "pipeline": {"name": "…"})");
    } else if (!is_name(name) || (m_has_build && (name[0] == '_' || name[0] == '-'))) {
      note(invalid("/pipeline/name", "name", name,
                   "a name has letters, digits, '_' and '-', and starts with a letter or digit"));
    } else {
      check_length(name);
    }
  }

  void check_length(const std::string& name) {
    const std::size_t longest = contract::longest_pipeline_name(m_spec.project);
    if (name.size() > longest) {
      const std::string why =
          longest == contract::k_longest_pipeline_name ? "" : " in project " + base::quoted(m_spec.project);
      note(fail("/pipeline/name", "has " + std::to_string(name.size()) + " characters; the limit is " +
                                      std::to_string(longest) + why));
      return;
    }
    const std::string build = contract::build_pipeline_of(name);
    if (m_has_build && build.size() > longest) {
      note(fail("/pipeline/name", base::quoted(name) + " is too long: pipeline " + base::quoted(build) +
                                      " builds it, and the limit is " + std::to_string(longest) +
                                      " characters in project " + base::quoted(m_spec.project)));
    }
  }

  void read_transform(const Fields& root) {
    Transform& transform = m_spec.transform;
    if (!root.has("transform")) {
      note_missing("", "transform", "missing \"transform\"", m_has_build ? k_build_hint : "");
      return;
    }
    const Fields fields = root.object("transform");
    if (fields.has("build")) {
      read_build(fields.object("build"));
    } else if (m_has_build) {
      note_missing("/transform", "build", "has no \"build\"", k_build_hint);
    }
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
    if (transform.datum_batching && m_has_build) check_batching();
    for (const json& item : fields.list("secrets")) {
      const Fields secret(item);
      transform.secrets.push_back(
          {secret.text("name"), secret.text("key"), secret.text("mount_path"), secret.text("env_var")});
    }
    check_secrets(transform.secrets);
    check_variables(transform.env, "/transform/env");
  }

  // A program that is built is in /pfs, and there is nothing in /pfs before a program asks for its first
  // datum.
  void check_batching() {
    const std::string pointer = "/transform/datum_batching";
    const std::string what =
        "does not work with transform.build on a cluster: its workers start the program before /pfs/build "
        "exists";
    if (m_target == Target::cluster) note(fail(pointer, what, "put the program into transform.image"));
    if (m_target == Target::any)
      m_spec.notes.push_back(m_spec.places.where(pointer) + ": " + field_name(pointer) + " " + what);
  }

  void check_secrets(const std::vector<Secret>& secrets) {
    std::set<std::string> folders;
    for (std::size_t i = 0; i < secrets.size(); ++i) {
      const auto& [name, key, folder, variable] = secrets[i];
      const std::string pointer = "/transform/secrets/" + std::to_string(i);
      if (m_faults.touch(pointer)) continue;
      const std::string in_pfs = std::string(contract::k_pfs) + "/";
      if (name.empty()) note_missing(pointer, "name", "has no \"name\"", "");
      if (!variable.empty() && key.empty())
        note_missing(pointer, "key", "has \"env_var\" but no \"key\"", "add the key of the variable's value");
      if (base::contains(variable, '=')) note(invalid(pointer + "/env_var", "variable name", variable));
      if (folder.empty()) continue;
      const std::string at = pointer + "/mount_path";
      if (folder[0] != '/' || folder.find_first_not_of('/') == std::string::npos) {
        note(fail(at, base::quoted(folder) + " must be an absolute path other than /"));
      } else if (folder == contract::k_pfs || folder.starts_with(in_pfs)) {
        note(fail(at, base::quoted(folder) + " is in /pfs, where the datums are",
                  "choose a folder elsewhere"));
      } else if (!folders.insert(folder).second) {
        note(fail(at, base::quoted(folder) + " is already the folder of another secret"));
      }
    }
  }

  void check_variables(const std::map<std::string, std::string>& variables, const std::string& pointer) {
    for (const auto& [name, value] : variables) {
      if (!name.empty() && name.find_first_of(std::string_view("=\0", 2)) == std::string::npos) continue;
      const std::string at = child_pointer(pointer, name);
      m_faults.add(at, m_spec.places.at(at),
                   {ErrorKind::bad_input, m_spec.places.where(at),
                    invalid_value(m_spec.places, pointer, "variable name", name), ""});
    }
  }

  void read_build(const Fields& fields) {
    Build& build = m_spec.transform.build;
    build.language = fields.text("language");
    build.image = fields.text("image");
    build.path = fields.text("path");
    if (build.path.empty()) build.path = ".";
    if (build.language.empty() && build.image.empty()) {
      if (!m_faults.touch("/transform/build/language") && !m_faults.touch("/transform/build/image")) {
        note(fail("/transform/build", "has neither \"language\" nor \"image\"",
                  "set \"language\" for an official builder, or \"image\" for another one"));
      }
    } else if (!build.language.empty() && !build.image.empty()) {
      note(fail("/transform/build", "has both \"language\" and \"image\"",
                "keep \"language\" for an official builder, or \"image\" for another one"));
    } else if (build.image.empty()) {
      check_language(build.language);
    } else if (is_builder_path(build.image)) {
      note(find_builder());
    }
    build.env = fields.all<std::map<std::string, std::string>>("env");
    check_variables(build.env, "/transform/build/env");
    if (!m_faults.touch("/transform/build/path")) note(find_build_folder());
  }

  void check_language(const std::string& language) {
    if (std::find(k_own_languages.begin(), k_own_languages.end(), language) != k_own_languages.end()) return;
    const auto known = official_languages();
    if (std::find(known.begin(), known.end(), language) != known.end()) return;
    const auto near = base::near_name(language, known);
    note(fail("/transform/build/language", base::quoted(language) + " has no official builder",
              (near ? "did you mean " + base::quoted(*near) + "? " : "") +
                  "official builders: " + base::join(known, ", ") +
                  "; for another builder, name its image in transform.build.image"));
  }

  // A builder that is a folder of this machine.
  base::Status find_builder() {
    constexpr char k_pointer[] = "/transform/build/image";
    Build& build = m_spec.transform.build;
    BASE_TRY_ASSIGN(build.builder, find_folder(build.image, k_pointer));
    boost::system::error_code error;
    const bool is_builder = base::fs::exists(build.builder / contract::k_builder_file, error) ||
                            base::fs::exists(build.builder / contract::k_build_script, error);
    if (!is_builder) {
      return fail(k_pointer, base::quoted(build.builder.string()) + " has neither builder.toml nor build.sh",
                  "a builder is a folder with one of them, or an image");
    }
    const std::string what =
        base::quoted(build.image) + " is a folder on this machine, which a cluster cannot read";
    if (m_target == Target::cluster)
      return fail(k_pointer, what, "build an image of it, push the image and name it here");
    if (m_target == Target::any)
      m_spec.notes.push_back(m_spec.places.where(k_pointer) + ": " + field_name(k_pointer) + " " + what);
    return {};
  }

  void read_all_input(const Fields& root) {
    if (!root.has("input")) {
      const bool is_spout =
          m_faults.touch("/spout") || (!m_has_build && m_target != Target::machine && root.has("spout"));
      if (!is_spout) {
        note_missing("", "input", "missing \"input\"",
                     R"(add "input": {"pfs": {"repo": "…", "glob": "/*"}})");
      }
      return;
    }
    // With a field at fault it is not the input that was meant.
    const bool is_as_meant = !m_faults.touch("/input");
    const InputReading reading{m_spec.name, m_has_build, m_spec.places};
    const json& input = root.value("input");
    if (m_target == Target::cluster) {
      if (is_as_meant) check_input_names(input, "/input", reading, m_faults);
    } else {
      m_spec.input = read_input(input, "/input", reading, m_faults);
      if (is_as_meant) check_branches();
      warn_of_lacking_groups();
    }
  }

  // Pachyderm takes them for empty.
  void warn_of_lacking_groups() {
    if (!m_faults.none()) return;
    auto& warnings = m_target == Target::any ? m_spec.notes : m_spec.warnings;
    for (const auto* input : repo_inputs(m_spec.input)) {
      const auto glob = glob::Glob::compile(input->glob, glob::Separator::slash);
      for (const auto& [field, text] :
           {std::pair("/join_on", &input->join_on), std::pair("/group_by", &input->group_by)}) {
        const auto lacking = glob->lacking_group(*text);
        if (lacking.empty()) continue;
        const auto pointer = input->pointer + field;
        const auto groups = glob->groups() == 0 ? "no groups" : base::count_of(glob->groups(), "group");
        warnings.push_back(m_spec.places.where(pointer) + ": " + field_name(pointer) + ": " + lacking +
                           " is always empty: the glob " + base::quoted(input->glob) + " has " + groups +
                           "; put the part of the path that " + lacking + " stands for into ( )");
      }
    }
  }

  // Pachyderm refuses that ("multiple branches from the same repo"), whatever combines the inputs.
  void check_branches() {
    std::map<std::pair<std::string, std::string>, std::string> branches;
    for (const auto* input : repo_inputs(m_spec.input)) {
      const auto [known, is_new] = branches.emplace(std::pair(input->project, input->repo), input->branch);
      if (is_new || known->second == input->branch) continue;
      note(fail(input->pointer,
                "reads branch " + base::quoted(input->branch) + " of repo " + input->repo +
                    ", and another input its branch " + base::quoted(known->second),
                "Pachyderm allows only one branch of a repo in a pipeline"));
    }
  }

  // The folder that `written` names below that of the spec file.
  base::Result<base::fs::path> find_folder(const std::string& written, const char* pointer) {
    const base::fs::path spec_folder = base::fs::path(m_spec.places.file()).parent_path();
    const base::fs::path path(written);
    base::fs::path folder = (path.is_absolute() ? path : spec_folder / path).lexically_normal();
    if (folder.filename_is_dot()) folder = folder.parent_path();
    if (folder.empty()) folder = ".";
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) {
      const int error_number = errno;
      const std::string shown = base::quoted(folder.string()) + " ";
      if (const auto fault = base::broken_link(folder.string())) return fail(pointer, shown + *fault);
      if (error_number == ENOENT || error_number == ENOTDIR) {
        return fail(pointer, shown + "does not exist",
                    base::did_you_mean_file(folder.string(), "it is relative to the spec file's folder"));
      }
      return fail(pointer, shown + base::system_error("read", folder.string(), error_number).what);
    }
    if (!S_ISDIR(status.st_mode)) return fail(pointer, base::quoted(folder.string()) + " is not a folder");
    return folder;
  }

  base::Status find_build_folder() {
    Build& build = m_spec.transform.build;
    constexpr char k_pointer[] = "/transform/build/path";
    if (is_url(build.path)) {
      return fail(k_pointer, base::quoted(base::hide_credentials(build.path)) + " is a URL, not a folder",
                  "clone the repository and name its folder");
    }
    BASE_TRY_ASSIGN(build.folder, find_folder(build.path, k_pointer));
    boost::system::error_code error;
    if (base::fs::canonical(build.folder, error) == "/")
      return fail(k_pointer, base::quoted(build.path) + " is the root folder of this machine",
                  "name the source folder");
    return {};
  }

  void read_settings(const Fields& root) {
    m_spec.output_branch = root.text("output_branch");
    m_spec.parallelism = static_cast<std::uint64_t>(root.object("parallelism_spec").number("constant"));
    const Fields sets = root.object("datum_set_spec");
    m_spec.datum_set_spec = {sets.number("number"), sets.number("size_bytes"), sets.number("per_worker")};
    const std::int64_t tries = root.number("datum_tries");
    if (tries < 0) note(fail("/datum_tries", "must not be negative"));
    if (tries > 0) m_spec.datum_tries = tries;
    m_spec.reprocess_spec = root.text("reprocess_spec");
    if (!m_spec.reprocess_spec.empty() && m_spec.reprocess_spec != "until_success" &&
        m_spec.reprocess_spec != "every_job") {
      note(fail("/reprocess_spec", "must be \"until_success\" or \"every_job\""));
    }
    if (root.has("datum_timeout")) m_spec.datum_timeout = parse_duration(root.text("datum_timeout"));
    if (root.has("job_timeout")) m_spec.job_timeout = parse_duration(root.text("job_timeout"));
  }

  Document m_document;
  Faults m_faults;
  Target m_target;
  bool m_has_build = true;
  PipelineSpec m_spec;
  std::string m_failed_at;  // the pointer of the last failure
};

using Builds = Reader::Builds;

base::Result<PipelineSpec> read_document(const Document& document, Target target, Builds builds) {
  CheckedDocument checked = check_fields(document, target);
  checked.document.warnings = document.warnings;
  return Reader(std::move(checked), target, builds).read();
}

tl::unexpected<base::Error> not_local(const std::string& path) {
  return base::fail(ErrorKind::bad_input, path == k_standard_input ? "standard input" : path,
                    "the spec must be a local file", "save it next to the source that it builds");
}

}  // namespace

base::Status check_has_command(const PipelineSpec& spec) {
  if (is_built(spec.transform) || !spec.transform.cmd.empty()) return {};
  return base::fail(
      ErrorKind::bad_input, spec.places.where("/transform"), "transform has neither \"build\" nor \"cmd\"",
      "add the command of the image to transform.cmd: Pachyderm does not read it from the image");
}

base::fs::path data_folder(const PipelineSpec& spec, const std::string& repo) {
  return base::fs::path(spec.places.file()).parent_path() / "data" / repo;
}

bool is_spec_file(const base::fs::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".json" || extension == ".yaml" || extension == ".yml";
}

bool is_url(const std::string& path) {
  const std::size_t scheme = path.find("://");
  return scheme != std::string::npos && path.find('/') > scheme;
}

std::vector<std::string> official_languages() {
  std::vector<std::string> languages;
  if (const auto own = base::own_folder())
    languages = contract::installed_builders(contract::builders_folder(*own));
  languages.insert(languages.end(), k_own_languages.begin(), k_own_languages.end());
  std::sort(languages.begin(), languages.end());
  languages.erase(std::unique(languages.begin(), languages.end()), languages.end());
  return languages;
}

bool is_builder_path(const std::string& image) {
  return image.starts_with('/') || image == "." || image == ".." || image.starts_with("./") ||
         image.starts_with("../");
}

Images images_of(const Transform& transform, const std::string& prefix) {
  const auto& build = transform.build;
  const std::string builder =
      build.language.empty() ? build.image : prefix + "pachbuild-" + build.language + ":" PACHBUILD_VERSION;
  return {builder, transform.image.empty() ? builder : transform.image};
}

base::Result<PipelineSpec> read_pipeline(const std::string& text, const std::string& file) {
  BASE_TRY_ASSIGN(const auto documents, read_specs(text, Places(file)));
  if (documents.size() > 1) {
    return base::fail(ErrorKind::bad_input, documents[1].places.where(""), "a second pipeline starts here",
                      "put each pipeline into its own file: one pipeline runs at a time");
  }
  return read_document(documents.front(), Target::machine, Builds::always);
}

base::Result<PipelineSpec> read_finished_pipeline(const std::string& text, const std::string& file) {
  BASE_TRY_ASSIGN(const auto documents, read_specs(text, Places(file)));
  return read_document(documents.front(), Target::machine, Builds::maybe);
}

base::Result<PipelineSpec> load_pipeline(const std::string& path) {
  if (path == k_standard_input || is_url(path)) return not_local(path);
  BASE_TRY_ASSIGN(const std::string text, read_spec_file(path));
  return read_pipeline(text, path);
}

base::Result<std::vector<PipelineSpec>> load_pipelines(const Sources& sources, Target target) {
  for (const auto& path : sources.paths) {
    if (path == k_standard_input || is_url(path)) return not_local(path);
  }
  base::Errors errors;
  const auto documents = load_documents(sources, errors);
  std::vector<PipelineSpec> pipelines;
  for (const auto& document : documents) {
    auto pipeline = read_document(document, target, Builds::maybe);
    if (pipeline) {
      pipelines.push_back(std::move(*pipeline));
    } else {
      errors.add(std::move(pipeline).error());
    }
  }
  if (!errors.none()) return base::fail(errors.take());
  return pipelines;
}

namespace {

base::Result<ClusterPipeline> cluster_pipeline(Document document, Target target) {
  ClusterPipeline pipeline;
  const json& value = *document.value;
  if (has_build(value)) {
    if (document.places.file() == k_standard_input) return not_local("-");
    BASE_TRY_ASSIGN(pipeline.spec, read_document(document, target, Builds::always));
    pipeline.name = pipeline.spec->name;
    pipeline.notes = pipeline.spec->notes;
  } else {
    if (target == Target::any) {
      BASE_TRY_ASSIGN(const auto spec, read_document(document, target, Builds::maybe));
      BASE_TRY(check_has_command(spec));
      pipeline.notes = spec.notes;
    }
    const auto name = value.find("pipeline");
    if (name != value.end() && name->is_object())
      pipeline.name = name->value("name", json()).is_string() ? name->value("name", "") : "";
  }
  pipeline.document = std::move(document);
  return pipeline;
}

base::Result<std::vector<ClusterPipeline>> cluster_pipelines(std::vector<Document> documents, Target target,
                                                             base::Errors errors) {
  std::vector<ClusterPipeline> pipelines;
  for (auto& document : documents) {
    auto pipeline = cluster_pipeline(std::move(document), target);
    if (pipeline) {
      pipelines.push_back(std::move(*pipeline));
    } else {
      errors.add(std::move(pipeline).error());
    }
  }
  if (!errors.none()) return base::fail(errors.take());
  return pipelines;
}

}  // namespace

base::Result<std::vector<ClusterPipeline>> read_for_cluster(const std::string& text, const Places& source,
                                                            Target target) {
  BASE_TRY_ASSIGN(auto documents, read_specs(text, source));
  return cluster_pipelines(std::move(documents), target, {});
}

base::Result<std::vector<ClusterPipeline>> load_for_cluster(const Sources& sources, Target target) {
  for (const auto& path : sources.paths) {
    if (is_url(path)) return not_local(path);
  }
  base::Errors errors;
  auto documents = load_documents(sources, errors);
  return cluster_pipelines(std::move(documents), target, std::move(errors));
}

}  // namespace spec
