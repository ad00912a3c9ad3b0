// SPDX-License-Identifier: Apache-2.0
// From an image to a build: the files that a Dockerfile copies become the source, what it installs with pip
// its requirements.txt, and commands find both where a build has them.
#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"
#include "contract/pfs_names.h"
#include "pachbuild/source/source_view.h"
#include "pachbuild/spec/command_files.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "pachbuild/starter/readme.h"
#include "pachbuild/starter/shell_words.h"
#include "pachbuild/starter/stage_copy.h"
#include "pachbuild/starter/starter.h"

namespace starter {
namespace {

using base::ErrorKind;
using nlohmann::json;
using Kind = PipItem::Kind;
namespace fs = base::fs;

constexpr char k_source_folder[] = "source/";
constexpr char k_requirements[] = "requirements.txt";
constexpr char k_python_version[] = ".python-version";
constexpr char k_last_stage_hint[] = "name a Dockerfile whose last stage copies the program's files";
constexpr std::uint64_t k_largest_dockerfile = std::uint64_t{1} << 20;
constexpr std::uint64_t k_largest_program = std::uint64_t{1} << 20;

// By its name, or by how it starts: nothing that starts so is a spec.
bool is_dockerfile(const std::string& path, const std::string& text) {
  const std::string name = base::lower(fs::path(path).filename().string());
  if (base::contains(name, "dockerfile") || base::contains(name, "containerfile")) return true;
  for (const auto& line : base::split(text, '\n')) {
    const auto start = base::lower(base::trim(line));
    if (start.empty() || start.starts_with('#')) continue;
    return start.starts_with("from ") || start.starts_with("arg ");
  }
  return false;
}

base::Result<std::string> read_given(const std::string& path, std::uint64_t largest) {
  auto text = base::read_input_file(path, largest);
  if (!text) {
    base::Error error = std::move(text).error();
    error.kind = ErrorKind::bad_input;
    boost::system::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      error.what = "is a folder";
      error.hint = "name the spec or the Dockerfile in it";
    } else if (!fs::exists(path, ignored)) {
      error.hint = base::did_you_mean_file(path);
    }
    return base::fail(std::move(error));
  }
  return text;
}

// The repository of an image, without tag and digest.
std::string repository_of(std::string image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  return colon != std::string::npos && image.find('/', colon) == std::string::npos ? image.substr(0, colon)
                                                                                   : image;
}

// "python3" for any Python of the image.
bool is_python(const std::string& word) {
  const std::string name = base::name_of(word);
  return name.starts_with("python") && name.find_first_not_of("0123456789.", 6) == std::string::npos;
}

bool is_python_file(const std::string& path) { return path.ends_with(".py"); }
bool is_go_file(const std::string& path) { return path.ends_with(".go"); }

// One that a person can have written, as text; empty for another one.
std::string program_text(const fs::path& file) {
  constexpr std::array<std::string_view, 7> k_endings = {".py", ".sh", ".bash", ".go", ".R", ".r", ".pl"};
  const std::string& name = file.string();
  if (std::none_of(k_endings.begin(), k_endings.end(), [&](auto ending) { return name.ends_with(ending); }))
    return "";
  return base::read_input_file(file, k_largest_program).value_or("");
}

// Names of repos in "/pfs/NAME", without the pipeline's own folders.
void find_repos(const std::string& line, std::vector<std::string>& repos) {
  const std::string prefix = std::string(contract::k_pfs) + "/";
  for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix, at)) {
    at += prefix.size();
    std::size_t end = at;
    while (end < line.size() && spec::is_name(line.substr(end, 1))) ++end;
    const std::string name = line.substr(at, end - at);
    const bool is_own = name.empty() || prefix + name == contract::k_out ||
                        name == contract::k_source_input || name == contract::k_build_input;
    if (!is_own && std::find(repos.begin(), repos.end(), name) == repos.end()) repos.push_back(name);
  }
}

class Conversion {
 public:
  explicit Conversion(const Origin& origin) : m_origin(origin) {}

  base::Result<Start> convert() {
    BASE_TRY(sort_files());
    BASE_TRY(read_specs());
    BASE_TRY(read_dockerfile());
    if (m_dockerfile.empty()) BASE_TRY(take_files_beside());
    lay_out();
    BASE_TRY(choose_language());
    BASE_TRY(write_source());
    if (m_specs.empty()) BASE_TRY(make_spec());
    write_specs();
    write_readme();
    return std::move(m_start);
  }

 private:
  struct Pipeline {
    std::string file;  // that it is from
    std::string name;
    json fields;
  };

  void note(std::string where, std::string what) {
    m_start.notes.push_back({std::move(where), std::move(what)});
  }

  base::Status sort_files() {
    for (const auto& path : m_origin.files) {
      BASE_TRY_ASSIGN(const auto text, read_given(path, k_largest_dockerfile));
      if (!is_dockerfile(path, text)) {
        m_spec_files.push_back(path);
      } else if (m_dockerfile.empty()) {
        m_dockerfile = path;
      } else {
        return base::fail(ErrorKind::usage, "--from " + path, "is a second Dockerfile, after " + m_dockerfile,
                          "convert the pipelines of each image into a separate folder");
      }
    }
    if (!m_origin.context.empty() && m_dockerfile.empty())
      return base::fail(ErrorKind::usage, "--context", "needs a Dockerfile", "add --from Dockerfile");
    return {};
  }

  base::Status read_specs() {
    if (m_spec_files.empty()) return {};
    BASE_TRY_ASSIGN(auto specs, spec::load_pipelines({.paths = m_spec_files}, spec::Target::any));
    std::set<std::string> names;
    for (auto& spec : specs) {
      const std::string& file = spec.places.file();
      if (spec::is_built(spec.transform)) {
        return base::fail(ErrorKind::bad_input, spec.places.where("/transform/build"),
                          "pipeline " + spec.name + " already has transform.build",
                          "run it: pachbuild run -f " + base::shell_quote(file));
      }
      if (!names.insert(spec.name).second)
        return base::fail(ErrorKind::bad_input, file, "pipeline " + spec.name + " appears twice");
      const auto& first = specs.front().transform.image;
      if (repository_of(spec.transform.image) != repository_of(first)) {
        return base::fail(ErrorKind::bad_input, spec.places.where("/transform/image"),
                          "the pipelines run in different images: " + base::quoted(first) + " and " +
                              base::quoted(spec.transform.image),
                          "convert the pipelines of each image into a separate folder");
      }
    }
    if (!m_origin.name.empty() && specs.size() > 1) {
      return base::fail(ErrorKind::usage, "--name " + m_origin.name,
                        "there are " + std::to_string(specs.size()) + " pipelines, which keep their names",
                        "omit --name");
    }
    for (auto& spec : specs) {
      if (!m_origin.name.empty()) spec.name = m_origin.name;
      m_specs.push_back(std::move(spec));
    }
    return {};
  }

  base::Status read_dockerfile() {
    if (m_dockerfile.empty()) return {};
    BASE_TRY_ASSIGN(const auto text, read_given(m_dockerfile, k_largest_dockerfile));
    BASE_TRY_ASSIGN(const auto instructions, parse_dockerfile(text, m_dockerfile));
    const fs::path parent = fs::path(m_dockerfile).parent_path();
    const fs::path folder =
        m_origin.context.empty() ? (parent.empty() ? fs::path(".") : parent) : m_origin.context;
    BASE_TRY_ASSIGN(const auto context, BuildContext::open(folder, m_dockerfile));
    BASE_TRY_ASSIGN(m_image, read_image(instructions, context, m_dockerfile));
    m_start.notes = std::move(m_image.notes);
    if (!m_image.files.files().empty() || !m_image.pip.empty()) return {};
    if (m_image.lacks_copies) {
      return base::fail(
          ErrorKind::bad_input, m_dockerfile,
          "the last stage of this multi-stage build copies neither the program's files, nor what "
          "go build or pip made",
          k_last_stage_hint);
    }
    return base::fail(ErrorKind::bad_input, m_dockerfile,
                      "neither copies files nor installs packages with pip",
                      "name the Dockerfile of the pipeline's own image");
  }

  // Without a Dockerfile: what the commands start, if it lies beside the spec.
  base::Status take_files_beside() {
    for (const auto& spec : m_specs) {
      const fs::path parent = fs::path(spec.places.file()).parent_path();
      const fs::path folder = parent.empty() ? fs::path(".") : parent;
      BASE_TRY_ASSIGN(const auto context, BuildContext::open(folder, folder / "Dockerfile"));
      const auto before = m_image.files.files().size();
      for (const auto& word : spec.transform.cmd) BASE_TRY(take_file_beside(context, word));
      for (const auto& line : spec.transform.stdin_lines) {
        for (const auto& word : base::words(line)) BASE_TRY(take_file_beside(context, word));
      }
      if (m_image.files.files().size() > before || before > 0) continue;
      return base::fail(ErrorKind::bad_input, spec.places.where("/transform/cmd"),
                        "the command does not start a file in the spec's folder",
                        "add the image's Dockerfile: --from Dockerfile");
    }
    boost::system::error_code error;
    const fs::path requirements = fs::path(m_spec_files.front()).parent_path() / k_requirements;
    if (fs::is_regular_file(requirements, error)) {
      const std::string path = std::string("/") + k_requirements;
      BASE_TRY(m_image.files.add({.files = {{"", requirements}}}, k_requirements, path, false,
                                 requirements.string()));
      m_image.pip.push_back({0, {Kind::file, path}});
    }
    note(m_spec_files.front(), "the Dockerfile of " + base::quoted(m_specs.front().transform.image) +
                                   " was not given: packages that the image has are not converted");
    return {};
  }

  base::Status take_file_beside(const BuildContext& context, const std::string& word) {
    const std::string name = base::name_of(word);
    boost::system::error_code error;
    const bool is_there = word.starts_with('/') && !name.empty() && name != "." && name != ".." &&
                          fs::is_regular_file(context.folder() / name, error);
    if (!is_there) return {};
    BASE_TRY_ASSIGN(const auto entry, context.read(name, (context.folder() / name).string()));
    return m_image.files.add(entry, name, image_path("/", word), false, word);
  }

  void lay_out() {
    std::set<std::string> listed = m_image.package_lists;
    for (const auto& [line, item] : m_image.pip) {
      if (item.kind == Kind::file || item.kind == Kind::constraints)
        add_included_lists(m_image.files, item.text, listed);
    }
    m_layout.emplace(m_image.files, m_image.working_folder, listed);
    for (const auto& [path, name] : m_layout->renamed())
      note(m_dockerfile.empty() ? m_spec_files.front() : m_dockerfile,
           path + " is now " + name + ": pachbuild takes a " + base::name_of(path) + " there for its own");
  }

  base::Status choose_language() {
    m_language = m_origin.language;
    const auto files = m_layout->files();
    const auto has = [&](bool (*is_one)(const std::string&)) {
      return std::any_of(files.begin(), files.end(), [&](const auto& file) { return is_one(file.first); });
    };
    const auto starts_python = [](const spec::PipelineSpec& spec) {
      return !spec.transform.cmd.empty() && is_python(spec.transform.cmd.front());
    };
    const bool may_be_go = m_image.is_go || has(is_go_file);
    const bool may_be_python = m_image.is_python || m_image.uses_pip || has(is_python_file) ||
                               std::any_of(m_specs.begin(), m_specs.end(), starts_python);
    if (!m_language.empty()) {
      const bool is_other = m_language == "go" ? may_be_python && !may_be_go : may_be_go && !may_be_python;
      if (!is_other) return {};
      return base::fail(ErrorKind::usage, "--language " + m_language,
                        "no " + language_title(m_language) + " files are copied or installed",
                        "omit --language");
    }
    if (m_image.is_go || (may_be_go && !has(is_python_file))) {
      m_language = "go";
    } else if (may_be_python) {
      m_language = "python";
    } else {
      return base::fail(ErrorKind::bad_input, m_dockerfile.empty() ? m_spec_files.front() : m_dockerfile,
                        m_image.lacks_copies
                            ? "no supported language found: the last stage of this multi-stage build copies "
                              "neither Python nor Go files, nor what go build or pip made"
                            : "no supported language found: neither Python nor Go is copied or installed",
                        m_image.lacks_copies ? k_last_stage_hint : "choose one with --language");
    }
    return {};
  }

  base::Status write_source() {
    std::vector<std::string> wrong;
    for (const auto& [path, file] : m_layout->files()) {
      if (!contract::can_be_stored_in_pfs(path)) wrong.push_back(path);
      m_start.project[k_source_folder + path].copy_of = file;
      look_into(path, file);
    }
    if (!wrong.empty()) {
      return base::fail(contract::names_fault(m_dockerfile.empty() ? m_spec_files.front() : m_dockerfile,
                                              std::move(wrong), "rename them"));
    }
    if (m_language != "python") {
      if (!m_image.pip.empty())
        note(m_dockerfile + ":" + std::to_string(m_image.pip.front().first),
             "pip install: not converted: a pipeline has one language");
      return {};
    }
    if (!m_image.python_version.empty() &&
        !m_start.project.contains(std::string(k_source_folder) + k_python_version))
      m_start.project[std::string(k_source_folder) + k_python_version].content =
          m_image.python_version + "\n";
    return write_requirements();
  }

  // Programs find their files by paths that the image had.
  void look_into(const std::string& path, const fs::path& file) {
    const auto lines = base::split(program_text(file), '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
      find_repos(lines[i], m_repos);
      const std::string old = base::trim(lines[i]).starts_with('#') ? "" : m_layout->first_path_in(lines[i]);
      if (old.empty()) continue;
      note(k_source_folder + path + ":" + std::to_string(i + 1),
           "names " + old + "; write " + m_layout->with_source_paths(old) + " instead");
    }
  }

  // The path of a file of the image, or none that the source has.
  [[nodiscard]] std::string in_source(const std::string& path) const {
    return m_layout->source_path(path).value_or("");
  }

  // A folder of --find-links that the source does not have.
  struct LostLinks {
    std::string where;
    bool is_told = false;
  };

  base::Status write_requirements() {
    const std::string target = std::string(k_source_folder) + k_requirements;
    const bool is_there = m_start.project.contains(target);
    std::vector<std::string> lines;
    bool is_used = false;
    std::optional<LostLinks> lost_links;
    for (const auto& [line, item] : m_image.pip) {
      const std::string where = m_dockerfile + ":" + std::to_string(line);
      if (item.kind == Kind::line) {
        lines.push_back(item.text);
        continue;
      }
      if (base::contains(item.text, "://")) {
        note(where, "pip install " + option_of(item.kind) + base::hide_credentials(item.text) +
                        ": not converted: copy the file into source/ and include it in requirements.txt");
        continue;
      }
      const auto path = m_layout->source_path(item.text);
      if (!path) {
        // Wheels that the image made are of packages that are listed.
        const bool is_made = is_among_packages(item.text);
        if (item.kind == Kind::links) lost_links = LostLinks{where, !is_made};
        if (!is_made)
          note(where,
               "pip install " + item.written + ": not converted: the Dockerfile does not copy " + item.text);
        continue;
      }
      if (item.kind == Kind::file && *path == k_requirements) {
        is_used = true;
        lines.push_back("-r " + *path);
      } else {
        lines.push_back(line_of(item.kind, *path));
      }
    }
    if (lost_links) drop_no_index(lines, *lost_links);
    const bool is_whole = lines.size() == 1 && is_used;
    if (lines.empty() || is_whole) return {};
    if (is_used) {
      BASE_TRY(put_in_place_of_include(lines, m_start.project.at(target).copy_of));
    } else if (is_there) {
      note(m_dockerfile, std::string("the copied ") + k_requirements +
                             " is replaced, because the Dockerfile does not install from it");
    }
    m_start.project[target] = {.content = base::join(lines, "\n") + "\n"};
    return {};
  }

  // Without a folder of packages pip would find none.
  void drop_no_index(std::vector<std::string>& lines, const LostLinks& lost) {
    const bool has_links = std::any_of(lines.begin(), lines.end(),
                                       [](const auto& line) { return line.starts_with("--find-links "); });
    if (has_links || std::erase(lines, "--no-index") == 0 || !lost.is_told) return;
    note(lost.where,
         "pip install --no-index: not converted: the source does not have the folder of --find-links");
  }

  [[nodiscard]] bool is_among_packages(const std::string& path) const {
    const auto& folders = m_image.package_folders;
    return std::any_of(folders.begin(), folders.end(),
                       [&](const auto& folder) { return is_in_folder(path, folder); });
  }

  static std::string line_of(Kind kind, const std::string& path) {
    const bool is_file = kind == Kind::file || kind == Kind::constraints;
    return option_of(kind) + (is_file ? "" : "./") + path;
  }

  // A file cannot include itself: its lines are written where it was.
  static base::Status put_in_place_of_include(std::vector<std::string>& lines, const fs::path& file) {
    BASE_TRY_ASSIGN(std::string text, base::read_input_file(file, k_largest_program));
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t length = base::contains("\t\n\r", rest.front()) ? 1 : base::utf8_length(rest);
      if (length == 0)
        return base::fail(ErrorKind::bad_input, file.string(), "is not UTF-8 text", "save it as UTF-8");
      rest.remove_prefix(length);
    }
    while (text.ends_with('\n')) text.pop_back();
    std::replace(lines.begin(), lines.end(), std::string("-r ") + k_requirements, text);
    return {};
  }

  // Of a Dockerfile alone.
  base::Status make_spec() {
    if (m_repos.empty()) {
      m_repos.emplace_back("data");
      note(m_dockerfile, R"(no spec was given: the pipeline reads repo "data", one datum per file)");
    } else {
      note(m_dockerfile, "no spec was given: the pipeline reads " +
                             std::string(m_repos.size() == 1 ? "repo " : "repos ") +
                             base::join(m_repos, ", ") + ", which the program names, one datum per file");
    }
    json inputs = json::array();
    for (const auto& repo : m_repos) inputs.push_back({{"pfs", {{"repo", repo}, {"glob", "/*"}}}});
    const std::string name = m_origin.name.empty() ? m_origin.default_name : m_origin.name;
    const json fields = {{"pipeline", {{"name", name}}},
                         {"transform", {{"cmd", json::array()}}},
                         {"input", inputs.size() == 1 ? inputs.front() : json{{"cross", inputs}}}};
    BASE_TRY_ASSIGN(auto spec, spec::read_finished_pipeline(fields.dump(), m_dockerfile));
    m_specs.push_back(std::move(spec));
    return {};
  }

  void write_specs() {
    const bool is_one = m_specs.size() == 1;
    for (const auto& spec : m_specs) {
      json fields = *spec.fields;
      fields["pipeline"]["name"] = spec.name;
      const std::string file = is_one ? "pipeline.json" : "pipelines/" + spec.name + ".json";
      convert_transform(fields["transform"], spec.transform, file);
      m_start.project[file].content = spec_text(fields);
    }
  }

  // `file`: the new spec.
  void convert_transform(json& fields, const spec::Transform& transform, const std::string& file) {
    fields.erase("image");
    fields.erase("dockerfile");
    fields["build"] = {{"language", m_language},
                       {"path", base::contains(file, '/') ? "../source" : "./source"}};
    if (!m_image.build_env.empty()) fields["build"]["env"] = m_image.build_env;
    for (const auto& [name, value] : m_image.env) {
      if (!transform.env.contains(name)) fields["env"][name] = m_layout->with_source_paths(value);
    }
    const std::string folder =
        transform.working_dir.empty() ? m_image.working_folder : image_path("/", transform.working_dir);
    const auto folder_now = m_layout->source_path(folder);
    if (folder_now) {
      fields.erase("working_dir");
      if (!folder_now->empty()) fields["working_dir"] = std::string(contract::k_source) + "/" + *folder_now;
    }
    const auto command = transform.cmd.empty() ? m_image.command : transform.cmd;
    const auto converted = convert_command(command, folder, folder_now.has_value());
    if (converted.empty()) {
      fields.erase("cmd");
    } else {
      fields["cmd"] = converted;
    }
    if (!transform.err_cmd.empty()) {
      auto handler = convert_command(transform.err_cmd, folder, folder_now.has_value());
      // Unlike cmd, it has no default.
      if (handler.empty()) handler = {"sh", built_program()};
      fields["err_cmd"] = handler;
    }
    for (const char* lines : {"stdin", "err_stdin"}) {
      if (!fields.contains(lines)) continue;
      for (auto& line : fields[lines]) {
        look_into_script(file + " (" + lines + ")", line.get<std::string>());
        line = convert_script(line.get<std::string>());
      }
    }
  }

  // Whether `word`, the path `program` of the image, is what the image compiled, and the build does instead.
  [[nodiscard]] bool is_compiled_program(const std::string& word, const std::string& program) const {
    if (m_language != "go" || m_layout->has_file(program)) return false;
    const auto& made = m_image.go_programs;
    if (std::find(made.begin(), made.end(), program) != made.end()) return true;
    return (word.starts_with('/') || word.starts_with('.')) && !spec::is_interpreter(word);
  }

  // A shell script with the paths of the source, and the build's program for what the image compiled.
  [[nodiscard]] std::string convert_script(std::string script) const {
    for (const auto& program : m_image.go_programs) {
      const bool is_folder =
          std::find(m_image.path.begin(), m_image.path.end(), program) != m_image.path.end();
      if (m_language == "go" && !is_folder && !m_layout->has_file(program))
        script = with_path_replaced(script, program, "sh " + built_program());
    }
    return m_layout->with_source_paths(script);
  }

  static std::string built_program() { return std::string(contract::k_build) + "/" + contract::k_run_script; }

  // `keeps_folder`: what is relative to `folder` of the image is so in the source.
  [[nodiscard]] std::vector<std::string> convert_command(std::vector<std::string> words,
                                                         const std::string& folder, bool keeps_folder) const {
    if (words.empty()) return words;
    const std::string on_path = program_on_path(words.front());
    const std::string program = on_path.empty() ? image_path(folder, words.front()) : on_path;
    const bool is_compiled = is_compiled_program(words.front(), program);
    if (is_compiled && words.size() == 1) return {};
    const bool is_in_source =
        (base::contains(words.front(), '/') || !on_path.empty()) && m_layout->has_file(program);
    for (auto& word : words) {
      const bool is_program = &word == words.data() && is_in_source;
      const bool is_relative = !word.starts_with('/');
      const std::string path = is_program ? program : image_path(folder, word);
      if (is_program || (is_relative && !keeps_folder && m_layout->has_file(path)))
        word = std::string(contract::k_source) + "/" + in_source(path);
      else if (base::contains(word, ' '))
        word = convert_script(word);
      else
        word = m_layout->with_source_paths(word);
    }
    if (is_compiled) {
      words.front() = built_program();
      words.insert(words.begin(), "sh");
      return words;
    }
    if (m_language == "python" && is_python(words.front())) words.front() = "python3";
    if (!is_in_source) return words;
    const std::string interpreter = interpreter_of(program);
    if (!interpreter.empty()) words.insert(words.begin(), interpreter);
    return words;
  }

  // What has to start a file of the image: files in /pfs have no permission to be executed.
  [[nodiscard]] std::string interpreter_of(const std::string& program) const {
    const auto text =
        base::read_input_file(m_image.files.files().at(program), k_largest_program).value_or("");
    const std::string interpreter =
        spec::interpreter_for(in_source(program), text.substr(0, text.find('\n')));
    return is_python(interpreter) ? "python3" : interpreter;
  }

  // The path in the image of a program that PATH finds there: a file, or one that go built; else empty.
  [[nodiscard]] std::string program_on_path(const std::string& word) const {
    if (word.empty() || base::contains(word, '/')) return "";
    const auto& built = m_image.go_programs;
    for (const auto& folder : m_image.path) {
      std::string path = image_path(folder, word);
      if (m_layout->has_file(path) || std::find(built.begin(), built.end(), path) != built.end()) return path;
    }
    return "";
  }

  // Programs that a script starts by the image's PATH, which a build has not.
  void look_into_script(const std::string& where, const std::string& script) {
    constexpr std::array<std::string_view, 9> k_before_commands = {"if", "then",  "else", "elif", "while",
                                                                   "do", "until", "exec", "time"};
    for (const auto& command : shell_commands(script, {}, /*newlines_end=*/true)) {
      const auto word = std::find_if(command.words.begin(), command.words.end(), [&](const auto& each) {
        return std::find(k_before_commands.begin(), k_before_commands.end(), each) == k_before_commands.end();
      });
      const std::string program = word == command.words.end() ? "" : program_on_path(*word);
      if (program.empty() || !m_layout->has_file(program)) continue;
      const std::string interpreter = interpreter_of(program);
      note(where, base::quoted(*word) + " is " + program + " in the image; write " +
                      (interpreter.empty() ? "" : interpreter + " ") + std::string(contract::k_source) + "/" +
                      in_source(program));
    }
  }

  void write_readme() {
    const bool is_one = m_specs.size() == 1;
    const std::string file = is_one ? "pipeline.json" : "pipelines";
    m_start.title =
        (is_one ? "pipeline " + m_specs.front().name : std::to_string(m_specs.size()) + " pipelines") +
        " built from source/";
    m_start.run = {"pachbuild", "run"};
    if (!is_one) m_start.run.insert(m_start.run.end(), {"-f", file});
    std::set<std::string> made;
    for (const auto& spec : m_specs) made.insert(spec.name);
    std::set<std::string> repos;
    for (const auto& spec : m_specs) {
      for (const auto* input : spec::repo_inputs(spec.input)) {
        if (!input->cron && !made.contains(input->repo) && repos.insert(input->repo).second) {
          m_start.run.emplace_back("--input");
          m_start.run.push_back(input->repo + "=FOLDER");
        }
      }
    }
    if (!is_one) m_start.run.insert(m_start.run.end(), {"--output", "output"});
    std::vector<std::string> update = {"pachbuild", "update", "pipeline"};
    if (!is_one) update.insert(update.end(), {"-f", file});
    update.emplace_back("--wait");
    std::vector<std::string> origins;
    for (const auto& path : m_origin.files) origins.push_back("`" + fs::path(path).filename().string() + "`");
    std::string notes;
    if (!m_start.notes.empty()) {
      notes = "\n## Not converted\n\n";
      for (const auto& [where, what] : m_start.notes)
        notes += "- " + fs::path(where).filename().string() + ": " + base::printable(what) + "\n";
    }
    m_start.project["README.md"].content = filled_in(
        "converted.md",
        {{"NAME", is_one ? m_specs.front().name : "Pipelines"},
         {"TITLE", is_one ? "A Pachyderm pipeline" : "Pachyderm pipelines"},
         {"ORIGIN", base::join(origins, ", ", " and ")},
         {"NEEDS", is_one ? "It needs no image of its own" : "They need no image of their own"},
         {"IT", is_one ? "it" : "them"},
         {"REPLACES", is_one ? "It has the same name as the original pipeline, and replaces it"
                             : "They have the same names as the original pipelines, and replace them"},
         {"SPECS", is_one ? "`pipeline.json`" : "`pipelines/`"},
         {"SPECS_ARE", is_one ? "the pipeline" : "a file for each pipeline"},
         {"RUN", as_line(m_start.run)},
         {"UPDATE", as_line(update)},
         {"DIFF", is_one ? "pachbuild diff" : as_line({"pachbuild", "diff", "-f", file})},
         {"DATA", is_one ? "data" : file + "/data"},
         {"NOTES", notes}});
  }

  const Origin& m_origin;
  std::vector<std::string> m_spec_files;
  std::string m_dockerfile;
  std::vector<spec::PipelineSpec> m_specs;
  ImageRecipe m_image;
  std::optional<SourceLayout> m_layout;
  std::string m_language;
  std::vector<std::string> m_repos;  // that the programs name
  Start m_start;
};

}  // namespace

base::Result<Start> converted_project(const Origin& origin) { return Conversion(origin).convert(); }

base::Result<std::vector<Note>> check_converted(const fs::path& folder, const Project& project) {
  std::vector<std::string> paths;
  for (const auto& [path, file] : project) {
    if (path == "pipeline.json" || path.starts_with("pipelines/")) paths.push_back((folder / path).string());
  }
  const auto shown = [&](std::string text) {
    base::replace_all(text, folder.string() + "/", "");
    return text;
  };
  std::vector<Note> notes;
  const auto specs = spec::load_pipelines({.paths = paths}, spec::Target::any);
  if (!specs) {
    const base::Error& error = specs.error();
    return base::fail(error.kind, shown(error.where), "cannot be converted: " + shown(error.what),
                      error.hint);
  }
  for (const auto& spec : *specs) {
    BASE_TRY_ASSIGN(const auto faults, spec::check_commands(spec, source::view_of(spec.transform.build),
                                                            spec::CommandHost::builder_image));
    for (const auto* errors : {&faults.errors, &faults.doubts}) {
      for (const auto& error : *errors) {
        notes.push_back({shown(error.where), error.what + (error.hint.empty() ? "" : "; " + error.hint)});
      }
    }
  }
  return notes;
}

}  // namespace starter
