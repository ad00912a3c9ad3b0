// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/image_recipe.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "pachbuild/starter/go_step.h"
#include "pachbuild/starter/shell_words.h"
#include "pachbuild/starter/stage_copy.h"

namespace starter {
namespace {

using base::ErrorKind;
using Kind = PipItem::Kind;

constexpr std::size_t k_shown_command = 100;
constexpr std::size_t k_most_stages = 100;
constexpr char k_pip_settings[] = "pip.conf";
constexpr char k_usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Where pip puts what is for all users.
constexpr std::array<std::string_view, 2> k_system_packages = {"/usr/local/lib", "/usr/local/bin"};

// What names the packages that poetry and its like install.
constexpr std::array<std::string_view, 6> k_lock_files = {"pyproject.toml", "poetry.lock", "uv.lock",
                                                          "pdm.lock",       "Pipfile",     "Pipfile.lock"};

// They say something about the image, or about how it is run, that a pipeline does without.
constexpr std::array<std::string_view, 6> k_without_effect = {"EXPOSE",     "HEALTHCHECK", "LABEL",
                                                              "MAINTAINER", "SHELL",       "STOPSIGNAL"};

// "FROM --platform=x NAME AS stage"
struct Stage {
  std::size_t first = 0;  // place of its FROM among the instructions
  std::string base;
  std::string name;
};

// "python" and "3.11-slim" of "docker.io/library/python:3.11-slim@sha256:…".
std::pair<std::string, std::string> name_and_tag(std::string image) {
  image = image.substr(0, image.find('@'));
  const std::string last = base::name_of(image);
  const auto colon = last.find(':');
  return {last.substr(0, colon), colon == std::string::npos ? "" : last.substr(colon + 1)};
}

// "3.11" of "3.11.4-slim"; empty when the tag does not begin with such a version.
std::string python_version(const std::string& tag) {
  const auto parts = base::split(tag.substr(0, tag.find('-')), '.');
  if (parts.size() < 2 || !base::parse_number(parts[0]) || !base::parse_number(parts[1])) return "";
  return parts[0] + "." + parts[1];
}

bool is_url(std::string_view source) { return base::contains(source, "://") || source.starts_with("git@"); }

bool is_archive(std::string_view source) {
  constexpr std::array<std::string_view, 7> k_endings = {".tar",  ".tar.gz", ".tgz", ".tar.bz2",
                                                         ".tbz2", ".tar.xz", ".txz"};
  return std::any_of(k_endings.begin(), k_endings.end(),
                     [&](std::string_view ending) { return source.ends_with(ending); });
}

// What changes nothing that a build has: lists of the package manager, folders, permissions.
bool is_without_effect(const std::vector<std::string>& words) {
  const std::string program = base::name_of(words.front());
  const std::string verb = words.size() > 1 ? words[1] : "";
  if (program == "apt-get" || program == "apt") {
    return std::none_of(words.begin() + 1, words.end(), [](const std::string& word) {
      return word == "install" || word == "build-dep" || word == "upgrade" || word == "dist-upgrade";
    });
  }
  if (program == "rm")
    return std::all_of(words.begin() + 1, words.end(), [](const std::string& word) {
      return word.starts_with('-') || word.starts_with("/var/lib/apt") || word.starts_with("/var/cache") ||
             word.starts_with("/tmp") || word.starts_with("/root/.cache");
    });
  constexpr std::array<std::string_view, 7> k_programs = {"mkdir", "chmod", "chown", "set",
                                                          "true",  ":",     "export"};
  if (std::find(k_programs.begin(), k_programs.end(), program) != k_programs.end()) return true;
  return program == "pip" && (verb == "cache" || verb == "config");
}

// Tools that install what a lock in the source lists, as a build does by itself.
bool is_lock_installer(const std::vector<std::string>& words) {
  const std::string program = base::name_of(words.front());
  const std::string verb = words.size() > 1 ? words[1] : "";
  if (program == "poetry" || program == "pdm") return verb == "install" || verb == "config" || verb == "sync";
  if (program == "pipenv") return verb == "install" || verb == "sync";
  return program == "uv" && verb == "sync";
}

// The folder that `python -m venv` and its like make; empty for other words.
std::string venv_folder(const std::vector<std::string>& words) {
  const std::string program = base::name_of(words.front());
  const bool is_module = (program == "python" || program == "python3") && words.size() > 2 &&
                         words[1] == "-m" && (words[2] == "venv" || words[2] == "virtualenv");
  const bool is_uv = program == "uv" && words.size() > 1 && words[1] == "venv";
  if (!is_module && !is_uv && program != "virtualenv") return "";
  const std::size_t first = is_module ? 3 : is_uv ? 2 : 1;
  return words.size() > first && !words.back().starts_with('-') ? words.back() : ".venv";
}

class Image {
 public:
  Image(const std::vector<Instruction>& instructions, const BuildContext& context, const std::string& where)
      : m_instructions(instructions), m_context(context), m_where(where) {}

  base::Result<ImageRecipe> read() {
    BASE_TRY(find_stages());
    BASE_TRY(read_stage(m_stages.size() - 1));
    BASE_TRY(take_over(m_recipe, m_copies));
    note_unread_stages();
    finish_command();
    for (const auto& folder : base::split(m_variables["PATH"], ':')) {
      if (folder.starts_with('/')) m_recipe.path.push_back(folder);
    }
    std::multimap<std::uint64_t, Note> by_line;  // those of one line stay in their order
    for (auto& note : m_recipe.notes) by_line.emplace(line_of(note.where), std::move(note));
    m_recipe.notes.clear();
    for (auto& [line, note] : by_line) m_recipe.notes.push_back(std::move(note));
    return std::move(m_recipe);
  }

 private:
  void note_unread_stages() {
    for (const auto& [number, stage] : m_others) {
      const bool is_used = std::any_of(
          m_copies.begin(), m_copies.end(),
          [&, recipe = &stage->m_recipe](const auto& copy) { return copy.is_used && copy.stage == recipe; });
      if (is_used) m_read.insert(stage->m_read.begin(), stage->m_read.end());
    }
    for (std::size_t i = 0; i < m_stages.size(); ++i) {
      if (!m_read.contains(i))
        note(m_instructions[m_stages[i].first].line,
             "stage " + shown_name(m_stages[i], i) + " of a multi-stage build is not converted");
    }
  }

  static std::uint64_t line_of(const std::string& where) {
    return base::parse_number(where.substr(where.rfind(':') + 1)).value_or(0);
  }

  static std::string shown_name(const Stage& stage, std::size_t number) {
    return stage.name.empty() ? std::to_string(number) : base::quoted(stage.name);
  }

  [[nodiscard]] std::string at(std::size_t line) const { return m_where + ":" + std::to_string(line); }

  void note(std::size_t line, std::string what) { m_recipe.notes.push_back({at(line), std::move(what)}); }

  // What stands in the note about something that has no counterpart.
  void note_unconverted(std::size_t line, const std::string& text, const std::string& why = "") {
    note(line, base::shortened(text, k_shown_command) + ": not converted" + (why.empty() ? "" : ": " + why));
  }

  static std::string in_one_line(const Instruction& instruction) {
    std::string text = instruction.keyword;
    for (const auto& flag : instruction.flags) text += " " + flag;
    return text + " " + base::join(base::words(instruction.text), " ");
  }

  base::Status find_stages() {
    Variables arguments;
    for (std::size_t i = 0; i < m_instructions.size(); ++i) {
      const auto& instruction = m_instructions[i];
      if (instruction.keyword == "ARG" && m_stages.empty()) read_argument(instruction, arguments);
      if (instruction.keyword != "FROM") continue;
      const auto expanded = expand_words(instruction.text, arguments);
      const auto words = expanded.texts();
      if (const auto unknown = expanded.unknown(); !unknown.empty()) {
        return base::fail(ErrorKind::bad_input, at(instruction.line),
                          "FROM uses " + base::quoted(unknown) + ", which nothing sets",
                          "write its value into a copy of the Dockerfile");
      }
      if (words.empty()) return base::fail(ErrorKind::bad_input, at(instruction.line), "FROM has no image");
      m_stages.push_back({i, words[0], words.size() > 2 ? words[2] : ""});
    }
    if (m_stages.empty()) return base::fail(ErrorKind::bad_input, m_where, "has no FROM");
    if (m_stages.size() > k_most_stages) {
      return base::fail(ErrorKind::bad_input, m_where,
                        "has " + std::to_string(m_stages.size()) + " stages; the limit is " +
                            std::to_string(k_most_stages));
    }
    return {};
  }

  // A stage that is the base of this one is a part of the same image.
  base::Status read_stage(std::size_t number) {
    m_read.insert(number);
    const Stage& stage = m_stages[number];
    std::optional<std::size_t> below;
    for (std::size_t i = 0; i < number; ++i) {
      if (!m_stages[i].name.empty() && m_stages[i].name == stage.base) below = i;
    }
    m_stage = number;
    if (below) {
      BASE_TRY(read_stage(*below));
    } else {
      read_base(stage.base, m_instructions[stage.first].line);
    }
    m_stage = number;
    const std::size_t end = number + 1 < m_stages.size() ? m_stages[number + 1].first : m_instructions.size();
    for (std::size_t i = stage.first + 1; i < end; ++i) BASE_TRY(read_instruction(m_instructions[i]));
    return {};
  }

  void read_base(const std::string& image, std::size_t line) {
    const auto [name, tag] = name_and_tag(image);
    m_recipe.is_go = name == "golang";
    m_recipe.is_python = name == "python";
    m_variables["PATH"] = (m_recipe.is_go ? "/go/bin:/usr/local/go/bin:" : "") + std::string(k_usual_path);
    if (m_recipe.is_python) m_recipe.python_version = python_version(tag);
    if (!m_recipe.is_python && !m_recipe.is_go && !m_is_other && image != "scratch") {
      note(line, "FROM " + image + ": not converted: the pipeline runs in the builder's image");
    }
  }

  base::Status read_instruction(const Instruction& instruction) {
    const auto& keyword = instruction.keyword;
    if (keyword == "COPY" || keyword == "ADD") return copy(instruction);
    if (keyword == "RUN") return run(instruction);
    if (keyword == "WORKDIR") return enter(instruction);
    if (keyword == "ENV") {
      set_variables(instruction);
    } else if (keyword == "ARG") {
      read_argument(instruction, m_variables);
      read_index_arguments(instruction);
    } else if (keyword == "CMD") {
      m_cmd = &instruction;
    } else if (keyword == "ENTRYPOINT") {
      m_entrypoint = &instruction;
      m_cmd = nullptr;  // that of a stage below is gone by then
    } else if (!m_is_other && std::find(k_without_effect.begin(), k_without_effect.end(), keyword) ==
                                  k_without_effect.end()) {
      note_unconverted(instruction.line, in_one_line(instruction));
    }
    return {};
  }

  static void read_argument(const Instruction& instruction, Variables& variables) {
    for (const auto& word : expand_words(instruction.text, variables).texts()) {
      const auto equals = word.find('=');
      if (equals != std::string::npos) variables[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }

  base::Status enter(const Instruction& instruction) {
    const auto folder = expand_text(instruction.text, m_variables);
    if (!folder.unknown.empty()) {
      return base::fail(ErrorKind::bad_input, at(instruction.line),
                        "WORKDIR uses " + base::quoted(folder.unknown) + ", which nothing sets",
                        "write its value into a copy of the Dockerfile");
    }
    m_recipe.working_folder = image_path(m_recipe.working_folder, folder.text);
    m_recipe.files.add_folder(m_recipe.working_folder);
    return {};
  }

  void set_variables(const Instruction& instruction) {
    const auto& text = instruction.text;
    const auto space = text.find_first_of(" \t\n");
    // "ENV NAME value", the older form.
    if (space != std::string::npos && !base::contains(std::string_view(text).substr(0, space), '=')) {
      set_variable(instruction.line, text.substr(0, space),
                   expand_text(base::trim(std::string_view(text).substr(space)), m_variables));
      return;
    }
    // All of them see the values before the instruction.
    for (auto word : expand_words(text, m_variables).words) {
      const auto equals = word.text.find('=');
      if (equals == std::string::npos || equals == 0) continue;
      const std::string name = word.text.substr(0, equals);
      word.text.erase(0, equals + 1);
      set_variable(instruction.line, name, word);
    }
  }

  void set_variable(std::size_t line, const std::string& name, const ExpandedText& value) {
    m_variables[name] = value.text;
    // A build has an environment of its own, and pip's settings say how it works.
    constexpr std::array<std::string_view, 3> k_of_the_image = {"VIRTUAL_ENV", "DEBIAN_FRONTEND", "HOME"};
    if (std::find(k_of_the_image.begin(), k_of_the_image.end(), name) != k_of_the_image.end()) return;
    if (is_index_variable(name)) {
      set_index(line, "ENV " + name, name, value);
    } else if (m_is_other) {
      return;  // it sets none of the image's variables
    } else if (name == "PATH") {
      note_unconverted(line, "ENV " + name);
    } else if (!name.starts_with("PIP_") && !name.starts_with("POETRY_") && !name.starts_with("UV_")) {
      set_program_variable(line, name, value);
    }
  }

  // What nothing sets is empty for Docker, unless the image below or the command line of the build has it.
  void set_program_variable(std::size_t line, const std::string& name, const ExpandedText& value) {
    if (value.is_too_large) {
      note_unconverted(line, "ENV " + name,
                       "its value is larger than " + base::format_bytes(k_largest_expansion));
      return;
    }
    m_recipe.env[name] = value.text;
    if (value.unknown.empty()) return;
    note(line, "ENV " + name + ": nothing sets " + value.unknown + ", which is taken as empty; check " +
                   name + " in transform.env");
  }

  // Builds take packages from the same indexes.
  void set_index(std::size_t line, const std::string& text, const std::string& name,
                 const ExpandedText& value) {
    if (value.unknown.empty()) {
      m_recipe.build_env[name] = value.text;
    } else {
      note_unconverted(line, text,
                       "nothing sets " + value.unknown + "; set " + name + " in transform.build.env");
    }
  }

  // "NAME=value" of a shell.
  void set_index(const std::string& assignment) {
    const auto equals = assignment.find('=');
    if (equals != std::string::npos && is_index_variable(assignment.substr(0, equals)))
      m_recipe.build_env[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }

  // RUN sees arguments as variables.
  void read_index_arguments(const Instruction& instruction) {
    for (auto word : expand_words(instruction.text, m_variables).words) {
      const auto equals = word.text.find('=');
      const std::string name = word.text.substr(0, equals);
      if (!is_index_variable(name)) continue;
      if (equals != std::string::npos) {
        word.text.erase(0, equals + 1);
        set_index(instruction.line, "ARG " + name, name, word);
      } else if (!m_variables.contains(name)) {
        note_unconverted(instruction.line, "ARG " + name, "nothing sets it; set it in transform.build.env");
      }
    }
  }

  base::Status copy(const Instruction& instruction) {
    const auto has_flag = [&](std::string_view flag) {
      return std::any_of(instruction.flags.begin(), instruction.flags.end(),
                         [&](const std::string& each) { return each.starts_with(flag); });
    };
    if (instruction.has_heredoc || has_flag("--exclude") || has_flag("--parents")) {
      note_unconverted(instruction.line, base::split(in_one_line(instruction), '\n').front());
      return {};
    }
    if (has_flag("--from")) return copy_from(instruction);
    BASE_TRY_ASSIGN(auto words, paths_of(instruction));
    const std::string destination = words.back();
    words.pop_back();
    return copy_all(instruction, words, destination);
  }

  // The sources of COPY or ADD, and the destination.
  [[nodiscard]] base::Result<std::vector<std::string>> paths_of(const Instruction& instruction) const {
    auto words = instruction.exec;
    if (words.empty()) {
      const auto expanded = expand_words(instruction.text, m_variables);
      if (const auto unknown = expanded.unknown(); !unknown.empty()) {
        return base::fail(ErrorKind::bad_input, at(instruction.line),
                          instruction.keyword + " uses " + base::quoted(unknown) + ", which nothing sets",
                          "write its value into a copy of the Dockerfile");
      }
      words = expanded.texts();
    }
    if (words.size() < 2) {
      return base::fail(ErrorKind::bad_input, at(instruction.line),
                        instruction.keyword + " needs a source and a destination");
    }
    return words;
  }

  // COPY --from
  base::Status copy_from(const Instruction& instruction) {
    const auto number = m_is_other ? std::nullopt : stage_named_by(instruction);
    if (!number || !expand_words(instruction.text, m_variables).unknown().empty()) {
      note_lost(instruction);
      return {};
    }
    BASE_TRY_ASSIGN(auto paths, paths_of(instruction));
    const std::string destination = paths.back();
    paths.pop_back();
    BASE_TRY_ASSIGN(const Image* stage, read_other(*number));
    const std::string target = image_path(m_recipe.working_folder, destination);
    const bool into_folder = goes_into_folder(destination, target, paths.size());
    bool is_lost = false;
    for (const auto& path : paths) {
      // All of a folder is the folder.
      const bool is_all = path.ends_with("/*");
      StageCopy copy = {.where = at(instruction.line),
                        .text = base::shortened(in_one_line(instruction), k_shown_command),
                        .stage = &stage->m_recipe,
                        .source = image_path("/", is_all ? path.substr(0, path.size() - 1) : path),
                        .target = target,
                        .into_folder = into_folder};
      BASE_TRY(copy_files(m_recipe, copy));
      is_lost = is_lost || !(copy.has_files || copy.has_program || copy.has_packages);
      m_copies.push_back(std::move(copy));
    }
    if (is_lost) note_lost(instruction);
    return {};
  }

  void note_lost(const Instruction& instruction) {
    note_unconverted(instruction.line, in_one_line(instruction), "it copies from another image");
    m_recipe.lacks_copies = true;
  }

  // The stage that COPY --from means; nothing for an image.
  [[nodiscard]] std::optional<std::size_t> stage_named_by(const Instruction& instruction) const {
    constexpr std::string_view k_from = "--from=";
    std::optional<std::size_t> number;
    for (const auto& flag : instruction.flags) {
      if (!flag.starts_with(k_from)) continue;
      const std::string name = flag.substr(k_from.size());
      if (const auto place = base::parse_number(name); place && *place < m_stage) number = place;
      for (std::size_t i = 0; i < m_stage; ++i) {
        if (!name.empty() && base::lower(m_stages[i].name) == base::lower(name)) number = i;
      }
    }
    return number;
  }

  // A stage by itself, without what it copies from others.
  base::Result<const Image*> read_other(std::size_t number) {
    auto& other = m_others[number];
    if (other == nullptr) {
      auto image = std::make_unique<Image>(m_instructions, m_context, m_where);
      image->m_is_other = true;
      image->m_stages = m_stages;
      BASE_TRY(image->read_stage(number));
      other = std::move(image);
    }
    return other.get();
  }

  // Whether a file that is copied to `target` gets a place in it, not its name.
  [[nodiscard]] bool goes_into_folder(const std::string& destination, const std::string& target,
                                      std::size_t sources) const {
    return destination.ends_with('/') || destination.ends_with("/.") || destination == "." || sources > 1 ||
           m_recipe.files.has_folder(target) || is_on_path(target);
  }

  // Whether PATH has a folder: images have those from the start.
  [[nodiscard]] bool is_on_path(const std::string& folder) const {
    const auto folders = base::split(m_variables.at("PATH"), ':');
    return std::find(folders.begin(), folders.end(), folder) != folders.end();
  }

  base::Status copy_all(const Instruction& instruction, const std::vector<std::string>& sources,
                        const std::string& destination) {
    const std::string where = at(instruction.line);
    std::vector<std::string> paths;
    for (const auto& source : sources) {
      if (instruction.keyword == "ADD" && (is_url(source) || is_archive(source))) {
        note_unconverted(instruction.line, "ADD " + source,
                         is_url(source) ? "download the file into source/ yourself" : "it is unpacked");
        continue;
      }
      BASE_TRY_ASSIGN(const auto found, m_context.matches(source, where));
      paths.insert(paths.end(), found.begin(), found.end());
    }
    const std::string target = image_path(m_recipe.working_folder, destination);
    const bool into_folder = goes_into_folder(destination, target, paths.size());
    for (const auto& path : paths) {
      BASE_TRY_ASSIGN(const auto entry, m_context.read(path, where));
      BASE_TRY(m_recipe.files.add(entry, base::name_of(path), target, into_folder, where));
      if (entry.is_folder || base::name_of(into_folder ? path : target) != k_pip_settings) continue;
      note(instruction.line, instruction.keyword + " " + path +
                                 ": builds do not read it; set PIP_INDEX_URL or PIP_EXTRA_INDEX_URL in "
                                 "transform.build.env to its indexes");
    }
    return {};
  }

  base::Status run(const Instruction& instruction) {
    if (instruction.has_heredoc && !instruction.is_script) {
      note_unconverted(instruction.line, in_one_line(instruction));
      return {};
    }
    if (!instruction.exec.empty()) {
      run_command(instruction, {.words = instruction.exec}, m_recipe.working_folder);
      return {};
    }
    std::string folder = m_recipe.working_folder;
    for (const auto& command : shell_commands(instruction.text, m_variables, instruction.is_script)) {
      if (command.is_plain && command.words.front() == "cd" && command.words.size() == 2) {
        folder = image_path(folder, command.words[1]);
      } else {
        run_command(instruction, command, folder);
      }
    }
    return {};
  }

  void run_command(const Instruction& instruction, const ShellCommand& command, const std::string& folder) {
    const std::size_t line = instruction.line_at(command.offset);
    const std::string text = "RUN " + (command.text.empty() ? base::join(command.words, " ") : command.text);
    // Versions and platforms in its options, which only `docker build` knows, do not change what is compiled.
    if (const auto made = read_go_step(command.words, folder, m_recipe.files)) {
      m_recipe.go_programs.insert(m_recipe.go_programs.end(), made->begin(), made->end());
      return;
    }
    if (!command.is_plain) {
      note_unconverted(line, text);
      return;
    }
    if (const auto setting = read_pip_config(command.words); !setting.empty()) {
      set_index(setting);
      return;
    }
    if (base::name_of(command.words.front()) == "export") {
      for (const auto& word : command.words) set_index(word);
    }
    if (const auto install = read_pip_install(command.words)) {
      for (const auto& assignment : command.assignments) set_index(assignment);
      add_pip(line, *install, folder);
      return;
    }
    if (const auto venv = venv_folder(command.words); !venv.empty()) {
      m_recipe.package_folders.push_back(image_path(folder, venv));
      return;
    }
    if (is_lock_installer(command.words)) {
      m_recipe.uses_pip = true;
      add_lock(folder);
      return;
    }
    if (is_without_effect(command.words)) return;
    const std::string program = base::name_of(command.words.front());
    const bool is_packages = program == "apt-get" || program == "apt" || program == "apk" ||
                             program == "yum" || program == "dnf" || program == "conda" || program == "mamba";
    note_unconverted(
        line, text,
        is_packages ? "if the program needs these packages, set transform.image to an image that has them"
                    : "");
  }

  // Packages of a lock come into a folder beside it, or where a variable says.
  void add_lock(const std::string& folder) {
    m_recipe.package_folders.push_back(image_path(folder, ".venv"));
    for (const char* name : {"UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV"}) {
      const auto found = m_variables.find(name);
      if (found != m_variables.end() && !found->second.empty())
        m_recipe.package_folders.push_back(image_path(folder, found->second));
    }
    add_system_packages();
    if (!m_is_other) return;
    for (const auto name : k_lock_files) {
      const std::string path = image_path(folder, std::string(name));
      if (m_recipe.files.files().contains(path)) m_recipe.package_lists.insert(path);
    }
  }

  void add_system_packages() {
    m_recipe.package_folders.insert(m_recipe.package_folders.end(), k_system_packages.begin(),
                                    k_system_packages.end());
  }

  void add_pip(std::size_t line, const PipInstall& install, const std::string& folder) {
    m_recipe.uses_pip = true;
    for (const auto& option : install.unconverted) {
      // Another stage's packages are where a build has them.
      if (!m_is_other || !is_target_option(option))
        note(line, "pip install " + option + ": this option is not converted");
    }
    for (const auto& target : install.folders) {
      if (!target.empty()) m_recipe.package_folders.push_back(image_path(folder, target));
    }
    if (install.folders.empty()) add_system_packages();
    for (auto item : install.items) {
      if (item.text.empty()) continue;
      if (item.text.find_first_of("\n\r") != std::string::npos) {
        note_unconverted(line, "pip install " + item.text);
        continue;
      }
      if (item.kind != Kind::line && !is_url(item.text)) {
        item.written = option_of(item.kind) + item.text;
        item.text = image_path(folder, item.text);
      }
      m_recipe.pip.emplace_back(line, std::move(item));
    }
  }

  // Words of a command, of which the shell's form is a script.
  static std::vector<std::string> command_of(const Instruction& instruction) {
    if (!instruction.exec.empty()) return instruction.exec;
    if (instruction.text.empty() || base::words(instruction.text) == std::vector<std::string>{"[]"})
      return {};
    // One that needs no shell is started without one.
    if (instruction.text.find_first_of("'\"\\$`&|;<>()*?[]{}~#\n=") == std::string::npos)
      return base::words(instruction.text);
    std::string script = instruction.text;
    base::replace_all(script, "\n", " ");
    return {"sh", "-c", script};
  }

  void finish_command() {
    if (m_entrypoint != nullptr) m_recipe.command = command_of(*m_entrypoint);
    if (m_cmd == nullptr || (m_entrypoint != nullptr && m_entrypoint->exec.empty())) return;
    const auto words = command_of(*m_cmd);
    m_recipe.command.insert(m_recipe.command.end(), words.begin(), words.end());
  }

  const std::vector<Instruction>& m_instructions;
  const BuildContext& m_context;
  std::string m_where;
  std::vector<Stage> m_stages;
  bool m_is_other = false;       // a stage that others copy from, not the image
  std::size_t m_stage = 0;       // that is read
  std::set<std::size_t> m_read;  // the stages that are in the image
  std::map<std::size_t, std::unique_ptr<Image>> m_others;
  std::vector<StageCopy> m_copies;
  Variables m_variables;
  const Instruction* m_entrypoint = nullptr;
  const Instruction* m_cmd = nullptr;
  ImageRecipe m_recipe;
};

}  // namespace

base::Result<ImageRecipe> read_image(const std::vector<Instruction>& instructions,
                                     const BuildContext& context, const std::string& where) {
  return Image(instructions, context, where).read();
}

}  // namespace starter
