// SPDX-License-Identifier: Apache-2.0
// python-pipeline: a Python program as a pipeline, without a spec file; what create_python_pipeline of the
// Python client was for.
#include <CLI/CLI.hpp>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/errors.h"
#include "base/json_text.h"
#include "base/workspace.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/submission.h"
#include "pachbuild/spec/document.h"

namespace commands {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

constexpr char k_about_python[] = R"(
PATH is a folder with a main.py, or a single Python file; the requirements.txt next to it is used if there is one. Each
--input is a repo, or REPO:GLOB (by default /*); several inputs are crossed. The pipeline is named after PATH.

  pachbuild create python-pipeline ./count --input scraper
  pachbuild update python-pipeline ./train.py --input images:/ --input labels --name train
)";

struct PythonOptions {
  SubmissionOptions submission;
  std::string path;
  std::vector<std::string> inputs;
  std::string name;
  std::vector<std::string> variables;
};

json input_of(const std::string& text) {
  const auto colon = text.find(':');
  const bool has_glob = colon != std::string::npos;
  return {{"pfs", {{"repo", text.substr(0, colon)}, {"glob", has_glob ? text.substr(colon + 1) : "/*"}}}};
}

base::Result<json> variables_of(const std::vector<std::string>& variables) {
  json object = json::object();
  for (const auto& variable : variables) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::fail(ErrorKind::usage, "--env " + variable, "does not have the form NAME=VALUE");
    }
    object[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return object;
}

// A single file is a source of its own: main.py, and what it requires.
base::Status copy_program(const fs::path& program, const fs::path& folder) {
  constexpr mode_t k_mode = 0644;
  BASE_TRY(base::copy_regular_file(program, folder / "main.py", k_mode));
  const fs::path requirements = program.parent_path() / "requirements.txt";
  boost::system::error_code error;
  return fs::exists(requirements, error)
             ? base::copy_regular_file(requirements, folder / "requirements.txt", k_mode)
             : base::Status();
}

// What can be the program, by its name; the builder looks closer.
base::Status check_program(const fs::path& path, const std::string& where) {
  boost::system::error_code error;
  if (!fs::is_directory(path, error)) {
    if (path.extension() == ".py") return {};
    return base::fail(ErrorKind::bad_input, where, "is not a Python file",
                      "name a .py file, or a folder with a main.py");
  }
  for (const auto* const file : {"pyproject.toml", "setup.py", "setup.cfg"}) {
    if (fs::exists(path / file, error)) return {};
  }
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".py") return {};
  }
  if (error) return base::fail(base::system_error("read", where, error.value()));
  return base::fail(ErrorKind::bad_input, where, "has no main.py",
                    "name the folder of a Python program, or a .py file");
}

// The spec, and which options its values are from.
struct MadeSpec {
  json value;
  spec::Places places;
};

base::Result<MadeSpec> make_spec(const PythonOptions& options, const fs::path& path, const fs::path& source) {
  MadeSpec made{{}, spec::Places(options.path)};
  auto& [spec, places] = made;
  const bool is_named = !options.name.empty();
  places.add_origin("", options.path);
  if (is_named) places.add_origin("/pipeline/name", "--name");
  json inputs = json::array();
  std::set<std::string> repos;
  for (const auto& input : options.inputs) {
    const auto place = options.inputs.size() == 1 ? "" : "/cross/" + std::to_string(inputs.size());
    places.add_origin("/input" + place, "--input " + input);
    inputs.push_back(input_of(input));
    const auto& repo = inputs.back()["pfs"]["repo"].get_ref<const std::string&>();
    if (!repos.insert(repo).second)
      return base::fail(ErrorKind::usage, "--input " + input, "names repo " + repo + " a second time");
  }
  spec = {{"pipeline", {{"name", is_named ? options.name : path.stem().string()}}},
          {"transform", {{"build", {{"language", "python"}, {"path", source.string()}}}}},
          {"input", inputs.size() == 1 ? inputs.front() : json{{"cross", inputs}}}};
  BASE_TRY_ASSIGN(const json variables, variables_of(options.variables));
  if (!variables.empty()) spec["transform"]["env"] = variables;
  for (const auto& [name, value] : variables.items())
    places.add_origin(spec::child_pointer("/transform/env", name), "--env " + name);
  return made;
}

base::Result<int> submit_python(const PythonOptions& options) {
  boost::system::error_code error;
  const fs::path path = fs::canonical(options.path, error);
  if (error) {
    return base::fail(ErrorKind::bad_input, options.path,
                      base::system_error("read", options.path, error.value()).what);
  }
  BASE_TRY(check_program(path, options.path));
  fs::path source = path;
  std::optional<base::Workspace> workspace;
  if (!fs::is_directory(path, error)) {
    BASE_TRY_ASSIGN(const auto scratch, scratch_folder());
    BASE_TRY_ASSIGN(workspace, base::Workspace::make(scratch, "program-"));
    source = workspace->path() / "source";
    BASE_TRY(base::make_folders(source));
    BASE_TRY(copy_program(path, source));
  }
  BASE_TRY_ASSIGN(const auto made, make_spec(options, path, source));
  BASE_TRY_ASSIGN(auto pipelines,
                  spec::read_for_cluster(base::json_text(made.value), made.places, spec::Target::any));
  BASE_TRY_ASSIGN(auto loaded, prepare(std::move(pipelines), options.submission.specs.rules));
  return submit(options.submission, std::move(loaded));
}

void add_python_verb(CLI::App& group, Invocation& invocation, cluster::Existing existing) {
  auto options = std::make_shared<PythonOptions>();
  options->submission.existing = existing;
  auto* verb = group.add_subcommand(
      "python-pipeline", existing == cluster::Existing::refuse
                             ? "Create a pipeline from a Python program, without a spec file"
                             : "Create or update a pipeline from a Python program, without a spec file");
  verb->add_option("PATH", options->path, "The program")->type_name("PATH")->required();
  verb->add_option("-i,--input", options->inputs, "A repo that it reads; may be repeated")
      ->type_name("REPO[:GLOB]")
      ->allow_extra_args(false)
      ->required();
  verb->add_option("--name", options->name, "The pipeline's name (default: the name of the file or folder)")
      ->type_name("NAME");
  verb->add_option("--env", options->variables, "An environment variable of the program; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  options->submission.specs.add_rules_to(*verb);
  options->submission.add_to(*verb);
  verb->footer(k_about_python)->callback([options, &invocation] {
    invocation.action = [options] { return submit_python(*options); };
  });
}

}  // namespace

void add_python_pipeline(CLI::App& create, CLI::App& update, Invocation& invocation) {
  add_python_verb(create, invocation, cluster::Existing::refuse);
  add_python_verb(update, invocation, cluster::Existing::update);
}

}  // namespace commands
