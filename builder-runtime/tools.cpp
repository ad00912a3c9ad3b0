// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/tools.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "report/report.h"

namespace builder {
namespace {

using base::ErrorKind;

// A JSON line holds a line of the tool, which comes in pieces of any size.
class LineCollector {
 public:
  void add(std::string_view text) {
    m_text += text;
    const auto end = m_text.rfind('\n') + 1;
    report::output(std::string_view(m_text).substr(0, end));
    m_text.erase(0, end);
  }
  void finish() { report::output(std::exchange(m_text, {})); }

 private:
  std::string m_text;
};

// The one thing that is taken from a tool's words: no tool has an exit code for a full disk, and most have
// removed what they wrote by the time they end. uv, Go, Python and compilers say it in these words of the
// system's.
bool says_disk_is_full(const process::Finished& finished) {
  std::string text = finished.errors;
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return !finished.ending.succeeded() && text.find("no space left on device") != std::string::npos;
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

// Another file, or other content, gives another text.
base::Result<std::string> identity_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return base::fail(base::system_error("read", path, errno));
  return base::join(
      {std::to_string(status.st_dev), std::to_string(status.st_ino), std::to_string(status.st_size),
       std::to_string(status.st_mtim.tv_sec), std::to_string(status.st_mtim.tv_nsec)},
      " ");
}

std::string question_digest(const std::vector<std::string>& arguments) {
  base::Sha256 digest;
  for (const auto& argument : arguments) digest.update_field(argument);
  return digest.finish();
}

}  // namespace

base::Result<std::string> Tools::find(const std::string& name, const std::string& hint) const {
  if (auto path = process::find_program(name, value_of(m_settings.environment, "PATH"))) return *path;
  return base::fail(ErrorKind::unavailable, name, "is not on PATH", hint);
}

base::Result<process::Finished> Tools::run(process::Command command) const {
  command.orphan_signal = SIGKILL;
  command.ends_its_group = true;
  LineCollector lines;
  // Tools print URLs as they got them. All that they say goes through here.
  base::CredentialFilter filter;
  auto finished = m_runner.run(command, [&](std::string_view text) {
    lines.add(filter.add(text));
    if (!report::is_json()) lines.finish();
  });
  lines.add(filter.finish());
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
                                     const process::Environment& environment) const {
  return remembered(arguments.at(0), arguments, [&] {
    return answer_of({.arguments = arguments, .environment = environment, .folder = "/"});
  });
}

base::Result<std::string> Tools::digest_of(const fs::path& file) const {
  return remembered(file.string(), {"sha256", file.string()},
                    [&] { return base::sha256_of_file(file.string()); });
}

// What is known of a file as it is now.
base::Result<std::string> Tools::remembered(const std::string& file, const std::vector<std::string>& question,
                                            const Answer& find_out) const {
  BASE_TRY_ASSIGN(const std::string identity, identity_of(file));
  const fs::path folder = m_settings.cache / "tools";
  const fs::path note = folder / question_digest(question);
  if (const auto kept = base::read_file(note)) {
    const auto end = kept->find('\n');
    if (end != std::string::npos && kept->substr(0, end) == identity) return kept->substr(end + 1);
  }
  BASE_TRY_ASSIGN(std::string answer, find_out());
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  BASE_TRY(base::write_file(note, base::join({identity, answer}, "\n")));
  return answer;
}

base::Result<std::string> Tools::answer_of(const process::Command& command) const {
  BASE_TRY_ASSIGN(auto finished, run(command));
  if (finished.ending.succeeded()) return std::move(finished.output);
  return base::fail(ErrorKind::unavailable, command.arguments.at(0),
                    "does not work: it ended with " + finished.ending.describe());
}

}  // namespace builder
