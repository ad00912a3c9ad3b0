// SPDX-License-Identifier: Apache-2.0
// git is asked with a folder of our own for .git: it has the repository's objects, tags and index, and a
// configuration that is ours. What a hostile repository could have started (core.fsmonitor, filters, hooks,
// remote helpers for objects that are missing) is then not there, and "dubious ownership" is nobody's
// question.
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "revision/ref_name.h"
#include "revision/repository.h"
#include "revision/revision.h"

namespace revision {
namespace {

namespace fs = base::fs;

// More are not read: a version with so many commits since its tag is nobody's.
constexpr std::uint64_t k_most_commits_read = 200'000;
constexpr std::size_t k_most_tags_read = 200;
constexpr std::size_t k_most_loose_tags = 20'000;

using Refs = std::map<std::string, std::string>;  // hashes by name

bool is_object_name(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void add_loose(const fs::path& folder, const std::string& prefix, Refs& refs) {
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end;
       !error && entry != end && refs.size() < k_most_loose_tags; entry.increment(error)) {
    if (entry->symlink_status().type() != fs::regular_file) continue;
    const auto hash = read_line(entry->path());
    if (hash && is_object_name(*hash))
      refs[prefix + entry->path().lexically_relative(folder).string()] = *hash;
  }
}

// The tags and the branch that HEAD is on.
Refs read_refs(const Repository& repository, const std::string& branch) {
  Refs refs;
  boost::system::error_code error;
  const fs::path packed = repository.common / "packed-refs";
  if (fs::is_regular_file(packed, error)) {
    for (const auto& line : base::split(base::read_input_file(packed).value_or(""), '\n')) {
      const auto space = line.find(' ');
      if (space == std::string::npos || !is_object_name(line.substr(0, space))) continue;
      const std::string name = line.substr(space + 1);
      if (name.starts_with("refs/tags/") || name == branch) refs[name] = line.substr(0, space);
    }
  }
  add_loose(repository.common / "refs" / "tags", "refs/tags/", refs);
  if (!branch.empty()) {
    if (const auto hash = read_line(repository.common / branch); hash && is_object_name(*hash))
      refs[branch] = *hash;
  }
  return refs;
}

// The settings of the repository that say how its files compare with what git has of them.
std::string comparing_settings(const Repository& repository) {
  std::string settings;
  bool is_core = false;
  boost::system::error_code error;
  const fs::path file = repository.common / "config";
  if (!fs::is_regular_file(file, error)) return settings;
  for (const auto& raw : base::split(base::read_input_file(file).value_or(""), '\n')) {
    const std::string line = base::lower(base::trim(raw));
    if (line.starts_with('[')) is_core = line == "[core]";
    const auto sign = line.find('=');
    if (!is_core || sign == std::string::npos) continue;
    const auto name = base::trim(std::string_view(line).substr(0, sign));
    const auto value = base::trim(std::string_view(line).substr(sign + 1));
    const bool is_known =
        name == "filemode" || name == "autocrlf" || name == "symlinks" || name == "ignorecase";
    if (is_known && (value == "true" || value == "false" || value == "input"))
      settings += "\t" + std::string(name) + " = " + std::string(value) + "\n";
  }
  return settings;
}

class Asking {
 public:
  Asking(Repository repository, std::string git, process::Runner& runner, fs::path own)
      : m_repository(std::move(repository)), m_git(std::move(git)), m_runner(runner), m_own(std::move(own)) {}

  // The folder that stands for .git.
  base::Status prepare(const std::string& head, const Refs& refs) const {
    for (const std::string name : {"objects", "refs"}) BASE_TRY(base::make_folders(m_own / name, 0700));
    BASE_TRY(base::write_file(m_own / "HEAD", head + "\n"));
    const bool is_sha256 = head.size() == 64;
    BASE_TRY(base::write_file(
        m_own / "config", "[core]\n\trepositoryformatversion = " + std::string(is_sha256 ? "1" : "0") + "\n" +
                              comparing_settings(m_repository) +
                              "\tfsmonitor = false\n\thooksPath = /dev/null\n" +
                              (is_sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : "")));
    std::string packed;
    for (const auto& [name, hash] : refs) {
      if (name.starts_with("refs/tags/") && is_ref_name(name)) packed += hash + " " + name + "\n";
    }
    BASE_TRY(base::write_file(m_own / "packed-refs", packed));
    boost::system::error_code error;
    if (const auto shallow = m_repository.common / "shallow"; fs::is_regular_file(shallow, error)) {
      BASE_TRY_ASSIGN(const std::string text, base::read_input_file(shallow));
      BASE_TRY(base::write_file(m_own / "shallow", text));
    }
    return {};
  }

  // What git says; nothing when it fails.
  [[nodiscard]] base::Result<std::optional<std::string>> ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {m_git, "--no-pager"});
    process::Command command{.arguments = std::move(arguments), .folder = m_repository.top};
    command.environment = {{"LC_ALL", "C"},
                           {"HOME", m_own.string()},
                           {"PATH", "/usr/bin:/bin"},
                           {"GIT_CONFIG_NOSYSTEM", "1"},
                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                           {"GIT_DIR", m_own.string()},
                           {"GIT_WORK_TREE", m_repository.top.string()},
                           {"GIT_OBJECT_DIRECTORY", (m_repository.common / "objects").string()},
                           {"GIT_INDEX_FILE", (m_own / "index").string()},
                           {"GIT_OPTIONAL_LOCKS", "0"},
                           {"GIT_TERMINAL_PROMPT", "0"},
                           {"GIT_NO_LAZY_FETCH", "1"},
                           {"GIT_ALLOW_PROTOCOL", "none"},
                           {"GIT_NO_REPLACE_OBJECTS", "1"}};
    BASE_TRY_ASSIGN(auto finished, m_runner.run(command, {}));
    if (!finished.ending.succeeded()) return std::optional<std::string>();
    return std::optional(std::move(finished.output));
  }

  [[nodiscard]] base::Result<bool> is_dirty() const {
    boost::system::error_code error;
    const fs::path index = m_repository.own / "index";
    if (fs::file_size(index, error) > k_largest_index || error) return false;
    BASE_TRY(base::copy_regular_file(index, m_own / "index", 0600));
    BASE_TRY_ASSIGN(const auto said,
                    ask({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"}));
    return said && !said->empty();
  }

 private:
  Repository m_repository;
  std::string m_git;
  process::Runner& m_runner;
  fs::path m_own;
};

// Commits up to HEAD and what they come from, by numbers.
struct History {
  std::unordered_map<std::string, std::size_t> numbers;
  std::vector<std::vector<std::size_t>> parents;
  std::uint64_t time = 0;

  explicit History(const std::string& lines) {
    std::vector<std::vector<std::string>> words;
    for (const auto& line : base::split(lines, '\n')) {
      auto fields = base::split(line, ' ');
      if (fields.size() < 2) continue;
      if (words.empty()) time = std::strtoull(fields[0].c_str(), nullptr, 10);
      numbers.emplace(fields[1], numbers.size());
      words.push_back(std::move(fields));
    }
    for (const auto& fields : words) {
      auto& own = parents.emplace_back();
      for (std::size_t at = 2; at < fields.size(); ++at) {
        if (const auto parent = numbers.find(fields[at]); parent != numbers.end())
          own.push_back(parent->second);
      }
    }
  }

  // How many commits are not in the history of this one.
  [[nodiscard]] std::uint64_t commits_since(std::size_t commit) const {
    std::vector<bool> seen(parents.size());
    std::vector<std::size_t> open = {commit};
    seen[commit] = true;
    std::uint64_t count = 0;
    while (!open.empty()) {
      const auto next = open.back();
      open.pop_back();
      ++count;
      for (const auto parent : parents[next]) {
        if (seen[parent]) continue;
        seen[parent] = true;
        open.push_back(parent);
      }
    }
    return parents.size() - count;
  }
};

// "HASH TYPE PEELED refs/tags/NAME", a line each; PEELED is empty for a tag without a message.
std::vector<Tag> tags_in(const std::string& lines, const History& history) {
  std::vector<std::pair<std::size_t, Tag>> found;  // by the commit's number, the newest first
  for (const auto& line : base::split(lines, '\n')) {
    const auto fields = base::split(line, ' ');
    constexpr std::string_view k_prefix = "refs/tags/";
    if (fields.size() != 4 || !fields[3].starts_with(k_prefix)) continue;
    const bool is_annotated = fields[1] == "tag";
    const auto commit = history.numbers.find(is_annotated ? fields[2] : fields[0]);
    if (commit != history.numbers.end())
      found.emplace_back(commit->second, Tag{fields[3].substr(k_prefix.size()), 0, is_annotated});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.name) < std::tie(b.first, b.second.name);
  });
  if (found.size() > k_most_tags_read) found.resize(k_most_tags_read);
  std::vector<Tag> tags;
  std::map<std::size_t, std::uint64_t> known;
  for (auto& [commit, tag] : found) {
    const auto [entry, is_new] = known.emplace(commit, 0);
    if (is_new) entry->second = history.commits_since(commit);
    tag.distance = entry->second;
    tags.push_back(std::move(tag));
  }
  // As git describe chooses: the nearest, and of several for one commit one with a message.
  std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) {
    const bool a_is_plain = !a.is_annotated;
    const bool b_is_plain = !b.is_annotated;
    return std::tie(a.distance, a_is_plain, a.name) < std::tie(b.distance, b_is_plain, b.name);
  });
  return tags;
}

}  // namespace

bool is_in_repository(const fs::path& source) {
  boost::system::error_code error;
  const auto folder = fs::canonical(source, error);
  return !error && find_repository(folder).has_value();
}

base::Result<std::optional<Revision>> read(const fs::path& source, const std::string& git,
                                           process::Runner& runner) {
  std::optional<Revision> none;
  boost::system::error_code error;
  const auto folder = fs::canonical(source, error);
  if (error) return none;
  const auto repository = find_repository(folder);
  if (!repository) return none;
  const auto head = read_line(repository->own / "HEAD");
  if (!head) return none;
  constexpr std::string_view k_symbolic = "ref: ";
  const std::string branch = head->starts_with(k_symbolic) ? head->substr(k_symbolic.size()) : "";
  if (!branch.empty() && (!branch.starts_with("refs/heads/") || !is_ref_name(branch))) return none;
  const Refs refs = read_refs(*repository, branch);
  const std::string commit = branch.empty() ? *head : refs.contains(branch) ? refs.at(branch) : "";
  if (!is_object_name(commit)) return none;

  BASE_TRY_ASSIGN(const auto own,
                  base::TemporaryFolder::make(fs::temp_directory_path(error), "pachbuild-git-"));
  const Asking asking(*repository, git, runner, own.path());
  BASE_TRY(asking.prepare(commit, refs));
  BASE_TRY_ASSIGN(const auto commits,
                  asking.ask({"rev-list", "--timestamp", "--parents",
                              "--max-count=" + std::to_string(k_most_commits_read), "HEAD"}));
  BASE_TRY_ASSIGN(
      const auto tags,
      asking.ask(
          {"for-each-ref", "--format=%(objectname) %(objecttype) %(*objectname) %(refname)", "refs/tags"}));
  if (!commits) return none;
  const History history(*commits);
  if (history.parents.empty()) return none;
  Revision revision{.commit = commit, .time = history.time};
  revision.branch = branch.empty() ? "" : branch.substr(std::string_view("refs/heads/").size());
  revision.folder = folder == repository->top ? "" : folder.lexically_relative(repository->top).string();
  revision.commits = history.parents.size();
  revision.tags = tags_in(tags.value_or(""), history);
  BASE_TRY_ASSIGN(revision.is_dirty, asking.is_dirty());
  return std::optional(std::move(revision));
}

}  // namespace revision
