// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/command_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/files.h"
#include "base/json_text.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/spec/own_command.h"

namespace spec {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using nlohmann::json;

// A program that runs the script which its first argument names.
struct Interpreter {
  std::string_view name;
  std::string_view options_with_value;  // letters: -W is followed by a word of its own
  std::string_view options_of_text;     // letters: what is run follows as text, or as a module
};
constexpr std::string_view k_shell_values = "oO";
constexpr std::array k_interpreters = {
    Interpreter{"python", "WX", "cm"},
    Interpreter{"sh", k_shell_values, "c"},
    Interpreter{"bash", k_shell_values, "c"},
    Interpreter{"dash", k_shell_values, "c"},
    Interpreter{"ash", k_shell_values, "c"},
    Interpreter{"zsh", k_shell_values, "c"},
    Interpreter{"ksh", k_shell_values, "c"},
    Interpreter{"Rscript", "", "e"},
    Interpreter{"perl", "I", "eE"},
    Interpreter{"ruby", "I", "e"},
    Interpreter{"node", "r", "ep"},
    Interpreter{"julia", "", "eE"},
    Interpreter{"php", "", "r"},
};

// "/usr/bin/python3.11" is python.
const Interpreter* interpreter_of(const std::string& word) {
  const std::string name = base::name_of(word);
  const auto* const found =
      std::find_if(k_interpreters.begin(), k_interpreters.end(), [&](const Interpreter& one) {
        if (!name.starts_with(one.name)) return false;
        const auto rest = std::string_view(name).substr(one.name.size());
        return rest.empty() ||
               (one.name == "python" && rest.find_first_not_of("0123456789.") == std::string_view::npos);
      });
  return found == k_interpreters.end() ? nullptr : found;
}

bool is_shell(const Interpreter& interpreter) { return interpreter.options_with_value == k_shell_values; }

// What a command starts.
struct Started {
  std::optional<std::size_t> program;  // the place of a word that is the path of a program
  std::optional<std::size_t> script;   // of one that an interpreter runs
  std::optional<std::size_t> text;     // of a shell script in the command itself
  bool reads_script = false;           // a shell that reads what it runs from its standard input
};

Started started_by(const Words& words, std::size_t first = 0) {
  Started started;
  if (first >= words.size()) return started;
  const std::string& program = words[first];
  if (base::contains(program, '/')) started.program = first;
  if (base::name_of(program) == "env") {
    const bool is_plain =
        first + 1 < words.size() && words[first + 1].find_first_of("-=") == std::string::npos;
    return is_plain ? started_by(words, first + 1) : started;
  }
  const auto* const interpreter = interpreter_of(program);
  if (interpreter == nullptr) return started;
  for (std::size_t i = first + 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word == "-") return started;
    if (word == "--") {
      if (i + 1 < words.size()) started.script = i + 1;
      return started;
    }
    if (word.front() != '-') {
      started.script = i;
      return started;
    }
    const bool is_long = word.starts_with("--");
    const auto letters = std::string_view(word).substr(1);
    if (!is_long && letters.find_first_of(interpreter->options_of_text) != std::string_view::npos) {
      if (is_shell(*interpreter) && i + 1 < words.size()) started.text = i + 1;
      return started;
    }
    // With the value in the same word nothing follows.
    if (letters.size() == 1 && base::contains(interpreter->options_with_value, letters)) ++i;
  }
  started.reads_script = is_shell(*interpreter);
  return started;
}

// The simple commands of a line of a shell script, as far as they can be told without a shell: words without
// quotes, variables and patterns.
std::vector<Words> commands_of(std::string_view line) {
  constexpr std::array<std::string_view, 9> k_before_commands = {"if", "then", "else", "elif", "while",
                                                                 "do", "{",    "exec", "time"};
  std::vector<Words> commands(1);
  std::string word;
  const auto end_word = [&] {
    const bool is_prefix =
        commands.back().empty() &&
        (std::find(k_before_commands.begin(), k_before_commands.end(), word) != k_before_commands.end() ||
         base::contains(word, '='));
    if (!word.empty() && !is_prefix) commands.back().push_back(word);
    word.clear();
  };
  for (const char character : line) {
    if (character == '#' && word.empty()) break;
    if (base::contains(" \t", character)) {
      end_word();
    } else if (base::contains(";|&()", character)) {
      end_word();
      commands.emplace_back();
    } else {
      word += character;
    }
  }
  end_word();
  return commands;
}

bool is_literal(std::string_view word) {
  return word.find_first_of("'\"`$*?[\\<>{}~") == std::string_view::npos;
}

// Where an image keeps what is its own, and not the person's program.
bool is_of_system(const std::string& path) {
  constexpr std::array<std::string_view, 12> k_folders = {"/bin/", "/sbin/", "/usr/",      "/lib",
                                                          "/etc/", "/dev/",  "/proc/",     "/sys/",
                                                          "/var/", "/tmp/",  "/pach-bin/", "/run/"};
  return std::any_of(k_folders.begin(), k_folders.end(),
                     [&](std::string_view folder) { return path.starts_with(folder); });
}

// The file of the source that most likely became `path` of an image: the one that has most of the last parts
// of its path, of several the first.
std::string counterpart_of(const std::string& path, const std::vector<std::string>& files) {
  std::string best;
  std::size_t most = 0;
  const auto wanted = base::split(path, '/');
  for (const auto& file : files) {
    const auto parts = base::split(file, '/');
    const auto [own, its] = std::mismatch(wanted.rbegin(), wanted.rend(), parts.rbegin(), parts.rend());
    const auto same = static_cast<std::size_t>(its - parts.rbegin());
    if (same > most || (same > 0 && same == most && parts.size() < base::split(best, '/').size())) {
      most = same;
      best = file;
    }
  }
  return best;
}

std::string in_source(const std::string& file) { return std::string(contract::k_source) + "/" + file; }

enum class Role { program, script };

class CommandChecker {
 public:
  CommandChecker(const PipelineSpec& spec, const SourceView& source, CommandHost host)
      : m_spec(spec), m_source(source), m_host(host), m_folder(folder_of_command(spec.transform)) {
    if (m_folder.empty() && host == CommandHost::this_machine) m_folder = "/";
  }

  base::Result<CommandFaults> check() {
    const Transform& transform = m_spec.transform;
    check_folder(transform.working_dir);
    BASE_TRY(check_command("cmd", transform.cmd, "stdin", transform.stdin_lines));
    BASE_TRY(check_command("err_cmd", transform.err_cmd, "err_stdin", transform.err_stdin));
    return std::move(m_faults);
  }

 private:
  void check_folder(const std::string& working_dir) {
    const bool is_known = m_host == CommandHost::this_machine && !working_dir.empty() &&
                          !(m_folder + "/").starts_with(std::string(contract::k_pfs) + "/");
    boost::system::error_code error;
    if (!is_known || fs::is_directory(m_folder, error)) return;
    m_faults.errors.push_back(
        {ErrorKind::bad_input, m_spec.places.where("/transform/working_dir"),
         base::quoted(working_dir) + " does not exist on this machine",
         std::string("for the folder of the source, write \"working_dir\": \"") + contract::k_source + "\""});
  }

  base::Status check_command(const std::string& name, const Words& words, const std::string& input_name,
                             const Words& lines) {
    if (!is_own_command(words)) return {};
    const Started started = started_by(words);
    const auto check_word = [&](std::size_t place, Role role) -> base::Status {
      const std::string pointer = "/transform/" + name + "/" + std::to_string(place);
      BASE_TRY_ASSIGN(auto fault, judge(words[place], role));
      if (!fault && role == Role::script && is_missing_here(words[place]))
        fault = missing_here(words, place, name);
      if (!fault) return {};
      Words better = words;
      if (!fault->file.empty()) {
        better[place] = in_source(fault->file);
        if (!fault->interpreter.empty())
          better.insert(better.begin() + static_cast<std::ptrdiff_t>(place), fault->interpreter);
        fault->hint = "write \"" + name + "\": " + shown(better);
      }
      m_faults.errors.push_back(error_of(pointer, *fault));
      return {};
    };
    if (started.program) BASE_TRY(check_word(*started.program, Role::program));
    if (started.script) BASE_TRY(check_word(*started.script, Role::script));
    if (started.text)
      BASE_TRY(
          check_script("/transform/" + name + "/" + std::to_string(*started.text), words[*started.text]));
    if (!started.reads_script) return {};
    for (std::size_t i = 0; i < lines.size(); ++i)
      BASE_TRY(check_script("/transform/" + input_name + "/" + std::to_string(i), lines[i]));
    return {};
  }

  // Only whole paths: the script may go to another folder first.
  base::Status check_script(const std::string& pointer, const std::string& text) {
    for (const auto& line : base::split(text, '\n')) {
      for (const auto& words : commands_of(line)) {
        const Started started = started_by(words);
        for (const auto& [place, role] :
             {std::pair(started.program, Role::program), std::pair(started.script, Role::script)}) {
          if (!place || words[*place].front() != '/' || !is_literal(words[*place])) continue;
          BASE_TRY_ASSIGN(auto fault, judge(words[*place], role));
          if (!fault) continue;
          if (!fault->file.empty())
            fault->hint = "write " + (fault->interpreter.empty() ? "" : fault->interpreter + " ") +
                          in_source(fault->file);
          m_faults.doubts.push_back(error_of(pointer, *fault));
        }
      }
    }
    return {};
  }

  struct Fault {
    std::string what;
    std::string file;         // of the source, which is meant
    std::string interpreter;  // that has to be put before it
    std::string hint;
  };

  // A whole path that nothing can be at when a datum runs: no folder of secrets has it, either.
  [[nodiscard]] bool is_missing_here(const std::string& word) const {
    if (m_host != CommandHost::this_machine || !word.starts_with('/')) return false;
    const std::string path = fs::path(word).lexically_normal().string();
    const auto& secrets = m_spec.transform.secrets;
    return !base::is_at_or_below(path, contract::k_pfs) && ::access(path.c_str(), F_OK) != 0 &&
           std::none_of(secrets.begin(), secrets.end(), [&](const auto& secret) {
             return !secret.mount_path.empty() && base::is_at_or_below(path, secret.mount_path);
           });
  }

  static Fault missing_here(const Words& words, std::size_t place, const std::string& name) {
    Words better = words;
    better[place] = in_source(fs::path(words[place]).filename().string());
    return {base::quoted(words[place]) + " does not exist on this machine", "", "",
            "put it into the source, and write \"" + name + "\": " + shown(better)};
  }

  base::Result<std::optional<Fault>> judge(const std::string& word, Role role) {
    if (word.empty() || (word.front() != '/' && m_folder.empty()))
      return std::nullopt;  // somewhere in an image
    const std::string path =
        fs::absolute(word, m_folder.empty() ? "/" : m_folder).lexically_normal().string();
    const std::string source = contract::k_source;
    if (base::is_at_or_below(path, source)) return judge_in_source(word, path.substr(source.size()), role);
    if (path.starts_with(std::string(contract::k_pfs) + "/")) return std::nullopt;
    if (m_host == CommandHost::this_machine ? ::access(path.c_str(), F_OK) == 0 : is_of_system(path))
      return std::nullopt;
    BASE_TRY_ASSIGN(const auto* files, files_of_source());
    const std::string file = counterpart_of(path, *files);
    if (file.empty() && m_host != CommandHost::builder_image) return std::nullopt;
    if (file.empty()) {
      return Fault{base::quoted(word) + " is a path in the image; the source has no " + base::name_of(path),
                   "", "",
                   "add the file to the source, or write the name of a program that the build installs"};
    }
    const std::string what = m_host == CommandHost::this_machine
                                 ? " does not exist on this machine; the source has "
                                 : " is a path in the image; the source has ";
    return Fault{base::quoted(word) + what + file, file, interpreter_of_program(file, role), ""};
  }

  base::Result<std::optional<Fault>> judge_in_source(const std::string& word, const std::string& path,
                                                     Role role) {
    const std::string file = path.empty() ? path : path.substr(1);
    if (file.empty() || m_source.has(file)) {
      if (role == Role::script) return std::nullopt;
      return Fault{base::quoted(word) + " cannot be executed: files in /pfs have no execute permission", file,
                   interpreter_of_program(file, role), "start it with its interpreter"};
    }
    BASE_TRY_ASSIGN(const auto* files, files_of_source());
    const std::string other = counterpart_of(file, *files);
    const std::string what = base::quoted(word) + " is not in the source";
    if (!other.empty())
      return Fault{what + ", which has " + other, other, interpreter_of_program(other, role), ""};
    const auto nearest = base::near_name(file, *files);
    return Fault{what, "", "",
                 nearest ? "did you mean " + base::quoted(named_like(word, *nearest)) + "?" : std::string()};
  }

  // What names a file of the source in the place of `word`: from where the command starts, or as a whole
  // path.
  [[nodiscard]] std::string named_like(const std::string& word, const std::string& file) const {
    const fs::path path = in_source(file);
    return (word.starts_with('/') ? path : path.lexically_relative(base::normal_path(m_folder))).string();
  }

  [[nodiscard]] std::string interpreter_of_program(const std::string& file, Role role) const {
    return role == Role::script || file.empty() ? "" : interpreter_for(file, m_source.first_line(file));
  }

  base::Result<const std::vector<std::string>*> files_of_source() {
    if (!m_files) {
      BASE_TRY_ASSIGN(m_files, m_source.files());
    }
    return &*m_files;
  }

  [[nodiscard]] base::Error error_of(const std::string& pointer, const Fault& fault) const {
    return {ErrorKind::bad_input, m_spec.places.where(pointer), fault.what, fault.hint};
  }

  static std::string shown(const Words& words) {
    Words quoted;
    for (const auto& word : words) quoted.push_back(base::json_text(json(word)));
    return "[" + base::join(quoted, ", ") + "]";
  }

  const PipelineSpec& m_spec;
  const SourceView& m_source;
  CommandHost m_host;
  std::string m_folder;  // where commands start; empty: nobody knows
  std::optional<std::vector<std::string>> m_files;
  CommandFaults m_faults;
};

}  // namespace

bool is_interpreter(const std::string& program) {
  return base::name_of(program) == "env" || interpreter_of(program) != nullptr;
}

std::string interpreter_for(const std::string& file, const std::string& first_line) {
  if (first_line.starts_with("#!")) {
    Words words;
    for (const auto& word : base::split(base::trim(std::string_view(first_line).substr(2)), ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (!words.empty()) {
      const std::string name = base::name_of(words.front());
      const bool is_env = name == "env" && words.size() > 1;
      return is_env ? words.back() : name;
    }
  }
  const std::string extension = fs::path(file).extension().string();
  if (extension == ".py") return "python3";
  if (extension == ".R" || extension == ".r") return "Rscript";
  if (extension == ".pl") return "perl";
  return extension == ".sh" || extension.empty() ? "sh" : "";
}

base::Result<CommandFaults> check_commands(const PipelineSpec& spec, const SourceView& source,
                                           CommandHost host) {
  return CommandChecker(spec, source, host).check();
}

}  // namespace spec
