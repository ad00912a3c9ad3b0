// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/tools.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/variables.h"
#include "process/find_tool.h"
#include "report/report.h"

namespace builder {
namespace {

using base::ErrorKind;

// A JSON line holds a line of the tool, which comes in pieces of any size; and so does what a filter sees.
class LineCollector {
 public:
  explicit LineCollector(const Tools::LineFilter& filter) : m_filter(filter) {}

  void add(std::string_view text) {
    m_text += text;
    if (!report::is_json() && !m_filter) return finish();
    const auto end = m_text.rfind('\n') + 1;
    show(std::string_view(m_text).substr(0, end));
    m_text.erase(0, end);
  }
  void finish() { show(std::exchange(m_text, {})); }

 private:
  void show(std::string_view text) {
    if (!m_filter || text.empty()) return report::output(text);
    std::string shown;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      if (const auto line = m_filter(text.substr(0, end))) shown += *line + "\n";
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    report::output(shown);
  }

  const Tools::LineFilter& m_filter;
  std::string m_text;
};

// The one thing that is taken from a tool's words: no tool has an exit code for a full disk, and most have
// removed what they wrote by the time they end. uv, Go, Python and compilers say it in these words of the
// system's.
bool says_disk_is_full(const process::Finished& finished) {
  return !finished.ending.succeeded() &&
         base::contains(base::lower(finished.errors), "no space left on device");
}

// Of the folders that tools write to, the one whose disk has the least room.
fs::path fullest_folder(const Settings& settings) {
  std::vector<fs::path> folders = {settings.cache, settings.out};
  for (const auto* name : {"UV_CACHE_DIR", "GOCACHE", "GOMODCACHE", "GOTMPDIR", "TMPDIR"}) {
    if (auto folder = value_of(settings.environment, name); !folder.empty()) folders.emplace_back(folder);
  }
  folders.emplace_back("/tmp");
  const auto room = [](const fs::path& folder) {
    boost::system::error_code error;
    return fs::space(folder, error).available;  // as much as there can be when it fails
  };
  return *std::min_element(folders.begin(), folders.end(),
                           [&](const fs::path& a, const fs::path& b) { return room(a) < room(b); });
}

// The first line of what a tool said that is not empty, fit to be shown.
std::string first_line(const std::string& said) {
  for (const auto& line : base::split(said, '\n')) {
    if (const auto content = base::trim(line); !content.empty()) return base::hide_credentials(content);
  }
  return "";
}

// Another file, or other content, gives another text.
base::Result<std::string> identity_of_file(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return base::fail(base::system_error("read", path, errno));
  return base::join(
      {std::to_string(status.st_dev), std::to_string(status.st_ino), std::to_string(status.st_size),
       std::to_string(status.st_mtim.tv_sec), std::to_string(status.st_mtim.tv_nsec),
       std::to_string(status.st_ctim.tv_sec), std::to_string(status.st_ctim.tv_nsec)},
      " ");
}

base::Result<std::string> identity_of(const std::vector<std::string>& files) {
  std::vector<std::string> identities;
  for (const auto& file : files) {
    BASE_TRY_ASSIGN(std::string identity, identity_of_file(file));
    identities.push_back(std::move(identity));
  }
  return base::join(identities, ", ");
}

std::string question_digest(const std::vector<std::string>& arguments) {
  base::Sha256 digest;
  for (const auto& argument : arguments) digest.update_field(argument);
  return digest.finish();
}

// A script starts what variables, files and the current folder tell it to.
bool is_script(const std::string& program) {
  std::array<char, 2> start{};
  std::ifstream file(program, std::ios::binary);
  return file.read(start.data(), start.size()) && start[0] == '#' && start[1] == '!';
}

// The files that decide what a program says of itself. ccache and its like start the next program of the same
// name on PATH, rustup one of its toolchains.
std::vector<std::string> files_behind(const std::string& program, const process::Environment& environment) {
  std::vector<std::string> files = {program};
  boost::system::error_code error;
  const std::string real = fs::canonical(program, error).filename().string();
  const fs::path name = fs::path(program).filename();
  if (error || real == name) return files;
  for (const auto& folder : base::split(value_of(environment, "PATH"), ':')) {
    if (const auto file = fs::path(folder) / name; file != program && fs::exists(file, error))
      files.push_back(file.string());
  }
  if (!real.starts_with("rustup")) return files;
  const auto home = value_of(environment, "RUSTUP_HOME");
  const fs::path rustup = home.empty() ? fs::path(value_of(environment, "HOME")) / ".rustup" : fs::path(home);
  if (fs::exists(rustup / "settings.toml", error)) files.push_back((rustup / "settings.toml").string());
  for (fs::directory_iterator entry(rustup / "toolchains", error), end; entry != end;
       entry.increment(error)) {
    if (const auto file = entry->path() / "bin" / name; fs::exists(file)) files.push_back(file.string());
  }
  return files;
}

}  // namespace

Tools::Tools(const Settings& settings, process::Runner& runner)
    : m_settings(settings), m_runner(runner), m_environment(environment_of_tools(settings.environment)) {}

base::Result<std::string> Tools::find(const std::string& name, const std::string& hint) const {
  if (auto path = process::find_program(name, value_of(m_settings.environment, "PATH"))) return *path;
  return base::fail(ErrorKind::unavailable, name, "is not on PATH", hint);
}

base::Result<std::string> Tools::find_tool(const std::string& name, const std::string& hint) const {
  BASE_TRY_ASSIGN(const fs::path own, base::own_folder());
  if (auto path = process::find_tool(name, value_of(m_settings.environment, "PATH"), own)) return *path;
  return find(name, hint);
}

base::Result<process::Finished> Tools::run(process::Command command, const LineFilter& filter) const {
  command.orphan_signal = SIGKILL;
  command.ends_its_group = true;
  LineCollector lines(filter);
  // Tools print URLs as they got them. All that they say goes through here.
  base::CredentialFilter credentials;
  auto finished = m_runner.run(command, [&](std::string_view text) { lines.add(credentials.add(text)); });
  lines.add(credentials.finish());
  lines.finish();
  if (finished && says_disk_is_full(*finished)) {
    return base::fail(base::system_error("write", fullest_folder(m_settings).string(), ENOSPC));
  }
  return finished;
}

base::Result<process::Finished> Tools::run_quietly(process::Command command) const {
  command.orphan_signal = SIGKILL;
  command.ends_its_group = true;
  return m_runner.run(command, {});
}

base::Result<std::string> Tools::ask(const std::vector<std::string>& arguments,
                                     const process::Environment& environment, const fs::path& folder) const {
  if (is_script(arguments.at(0))) {
    auto whole = m_environment;
    // It finds what it leads to by the user's own HOME.
    for (const auto& [name, value] : environment) {
      if (name != "HOME") whole[name] = value;
    }
    return answer_of({.arguments = arguments, .environment = std::move(whole), .folder = folder});
  }
  return remembered({arguments.at(0)}, arguments, [&] {
    return answer_of({.arguments = arguments, .environment = environment, .folder = "/"});
  });
}

std::string Tools::identity(const std::string& program, std::string answer) {
  if (!is_script(program)) return answer;
  const auto text = base::read_input_file(program);
  if (!text) return answer;
  // The first line of a script that pip made is the path of a Python, another one in each environment.
  const auto end = text->find('\n');
  return std::move(answer) + ", script " +
         base::sha256(end == std::string::npos ? *text : text->substr(end + 1));
}

base::Result<std::string> Tools::digest_of(const fs::path& file) const {
  return remembered({file.string()}, {"sha256", file.string()},
                    [&] { return base::sha256_of_file(file.string()); });
}

// Some say it on standard error, and some have no such option: that is an answer as well, which `failing`
// gets. But it is not remembered: a tool also fails because memory is short now. A tool that was killed has
// not answered.
base::Result<std::string> Tools::said_by(const std::vector<std::string>& arguments,
                                         std::string& failing) const {
  const auto& program = arguments.at(0);
  const auto find_out = [&]() -> base::Result<std::string> {
    const process::Command command{.arguments = arguments, .environment = m_environment, .folder = "/"};
    BASE_TRY_ASSIGN(auto finished, run_quietly(command));
    if (finished.ending.signal()) {
      BASE_TRY_ASSIGN(finished, run_quietly(command));
    }
    std::string said = finished.output.empty() ? std::move(finished.errors) : std::move(finished.output);
    if (finished.ending.succeeded()) return said;
    failing = std::move(said);
    auto fault = "does not work: it " + finished.ending.predicate();
    if (const auto line = first_line(failing); !line.empty()) fault += ": " + line;
    return base::fail(ErrorKind::unavailable, program, std::move(fault));
  };
  if (is_script(program)) return find_out();
  auto question = arguments;
  question.push_back(value_of(m_environment, "RUSTUP_TOOLCHAIN"));
  return remembered(files_behind(program, m_environment), question, find_out);
}

base::Result<std::string> Tools::said_by(const std::vector<std::string>& arguments) const {
  std::string failing;
  return said_by(arguments, failing);
}

void Tools::add_version(const std::string& name, Inputs& inputs) const {
  const auto program = process::find_program(name, value_of(m_environment, "PATH"));
  if (!program) return;
  std::string failing = "cannot be asked";
  const auto answer = said_by({*program, "--version"}, failing);
  // "gcc (Debian 12.2.0-14+deb12u1) 12.2.0"; what follows is a licence.
  const std::string version(base::trim(base::split(answer.value_or(failing), '\n').front()));
  inputs.add_tool(fs::path(name).filename().string(), *program, identity(*program, version));
}

// What is known of files as they are now.
base::Result<std::string> Tools::remembered(const std::vector<std::string>& files,
                                            const std::vector<std::string>& question,
                                            const Answer& find_out) const {
  BASE_TRY_ASSIGN(const std::string identity, identity_of(files));
  const fs::path folder = m_settings.cache / "tools";
  const fs::path note = folder / question_digest(question);
  // The digest is of the files and of the answer: a note that is damaged or of other files is none.
  const auto digest_with = [&](const std::string& answer) { return base::sha256(identity + "\n" + answer); };
  if (const auto kept = base::read_file(note)) {
    const auto end = kept->find('\n');
    if (end != std::string::npos) {
      std::string answer = kept->substr(end + 1);
      if (kept->compare(0, end, digest_with(answer)) == 0) return answer;
    }
  }
  BASE_TRY_ASSIGN(std::string answer, find_out());
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  BASE_TRY(base::write_file(note, digest_with(answer) + "\n" + answer));
  return answer;
}

base::Result<std::string> Tools::answer_of(const process::Command& command) const {
  BASE_TRY_ASSIGN(auto finished, run(command));
  if (finished.ending.succeeded()) return std::move(finished.output);
  return base::fail(ErrorKind::unavailable, command.arguments.at(0),
                    "does not work: it " + finished.ending.predicate());
}

}  // namespace builder
