// SPDX-License-Identifier: Apache-2.0
// The commits are made up, as many as there were; the last one has the files. The commit's own hash cannot be
// made, so git is told to read ours in its place (git-replace(1)): `git describe`, `log`, `status`, `archive`
// and `rev-list` then say what they say in the real repository. Ties between branches that were merged are
// gone.
#include "builder-runtime/languages/python/install/git_repository.h"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/json_text.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/unique_fd.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/ini.h"
#include "report/report.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using process::Environment;
using revision::Revision;

constexpr char k_chain[] = "refs/heads/pachbuild-chain";
constexpr std::size_t k_short_hash = 7;
// setuptools-scm's own.
constexpr std::size_t k_hash_of_scm = 9;

class QuietRunner final : public process::Runner {
 public:
  explicit QuietRunner(const Tools& tools) : m_tools(tools) {}
  base::Result<process::Finished> run(const process::Command& command, const process::ErrorSink&) override {
    return m_tools.run_quietly(command);
  }

 private:
  const Tools& m_tools;
};

std::optional<std::string> find_git(const Tools& tools) {
  return process::find_program("git", value_of(tools.settings().environment, "PATH"));
}

// "2024-01-02T03:04:05+00:00"
std::string iso_time(std::uint64_t seconds) {
  return base::time_text(static_cast<std::int64_t>(seconds), "%Y-%m-%dT%H:%M:%S+00:00", base::Zone::utc)
      .value_or("1970-01-01T00:00:00+00:00");
}

class Repository {
 public:
  Repository(const Revision& revision, std::string git, fs::path top, const Tools& tools)
      : m_revision(revision), m_git(std::move(git)), m_top(std::move(top)), m_tools(tools) {}

  base::Status make(const fs::path& source) const {
    const fs::path own = m_top / ".git";
    for (const std::string name : {"objects", "refs/heads", "refs/tags", "refs/replace"})
      BASE_TRY(base::make_folders(own / name, base::k_owner_writes));
    const bool is_sha256 = m_revision.commit.size() == 64;
    BASE_TRY(base::write_file(own / "config",
                              "[core]\n\trepositoryformatversion = " + std::string(is_sha256 ? "1" : "0") +
                                  "\n\tfilemode = false\n\tcompression = 0\n[gc]\n\tauto = 0\n" +
                                  (is_sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : "")));
    BASE_TRY(base::write_file(own / "HEAD", "ref: refs/heads/none\n"));
    BASE_TRY(ask({"add", "--all"}));
    BASE_TRY_ASSIGN(const std::string tree, ask({"write-tree"}));
    BASE_TRY_ASSIGN(const std::string last, make_commits(tree));
    BASE_TRY(base::write_file(own / "refs" / "replace" / m_revision.commit, last + "\n"));
    BASE_TRY(make_tags_of_last(own));
    const std::string branch = "refs/heads/" + m_revision.branch;
    if (m_revision.branch.empty()) {
      BASE_TRY(base::write_file(own / "HEAD", m_revision.commit + "\n"));
    } else {
      BASE_TRY(base::make_folders((own / branch).parent_path(), base::k_owner_writes));
      BASE_TRY(base::write_file(own / branch, m_revision.commit + "\n"));
      BASE_TRY(base::write_file(own / "HEAD", "ref: " + branch + "\n"));
    }
    if (m_revision.is_dirty) BASE_TRY(make_dirty(source));
    return {};
  }

 private:
  // What git prints, without the end of its line.
  [[nodiscard]] base::Result<std::string> ask(std::vector<std::string> arguments,
                                              const std::string& input = "") const {
    const std::string words = base::join(arguments, " ");
    arguments.insert(arguments.begin(), m_git);
    process::Command command{.arguments = std::move(arguments), .folder = m_top};
    command.environment = {{"LC_ALL", "C"},
                           {"HOME", m_top.string()},
                           {"PATH", value_of(m_tools.settings().environment, "PATH")},
                           {"GIT_CONFIG_NOSYSTEM", "1"},
                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                           {"GIT_DIR", (m_top / ".git").string()},
                           {"GIT_WORK_TREE", m_top.string()}};
    base::UniqueFd file;
    if (!input.empty()) {
      const fs::path path = m_top / ".git" / "input";
      BASE_TRY(base::write_file(path, input));
      file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!file) return base::fail(base::system_error("read", path.string(), errno));
      command.standard_input = file.get();
    }
    BASE_TRY_ASSIGN(const auto finished, m_tools.run_quietly(command));
    if (finished.ending.succeeded()) return std::string(base::trim(finished.output));
    return base::fail(ErrorKind::step_failed, "git " + words,
                      finished.ending.predicate() + ": " + base::last_line(finished.errors));
  }

  // The last commit, which has the files.
  [[nodiscard]] base::Result<std::string> make_commits(const std::string& tree) const {
    constexpr std::uint64_t k_most_commits = 200'000;
    const auto count = std::min(m_revision.commits, k_most_commits);
    const auto person = "pachbuild <pachbuild@localhost> ";
    std::string stream;
    for (std::uint64_t number = 1; number <= count; ++number) {
      const auto age = count - number;
      const auto time = m_revision.time > age ? m_revision.time - age : 0;
      stream += std::string("commit ") + k_chain + "\nmark :" + std::to_string(number) + "\ncommitter " +
                person + std::to_string(time) + " +0000\ndata 0\n";
      if (age == 0) stream += "M 040000 " + tree + " \"\"\n";
      stream += '\n';
    }
    for (const auto& tag : m_revision.tags) {
      if (tag.distance == 0 || tag.distance >= count) continue;
      const std::string from = "from :" + std::to_string(count - tag.distance) + "\n";
      if (tag.is_annotated) {
        stream += "tag " + tag.name + "\n" + from + "tagger " + person +
                  std::to_string(m_revision.time > tag.distance ? m_revision.time - tag.distance : 0) +
                  " +0000\ndata 0\n\n";
      } else {
        stream += "reset refs/tags/" + tag.name + "\n" + from + "\n";
      }
    }
    BASE_TRY(ask({"fast-import", "--quiet", "--force"}, stream));
    BASE_TRY_ASSIGN(std::string last, ask({"rev-parse", k_chain}));
    BASE_TRY(ask({"update-ref", "-d", k_chain}));
    return last;
  }

  base::Status make_tags_of_last(const fs::path& own) const {
    for (const auto& tag : m_revision.tags) {
      if (tag.distance != 0) continue;
      std::string hash = m_revision.commit;
      if (tag.is_annotated) {
        BASE_TRY_ASSIGN(hash, ask({"hash-object", "-t", "tag", "-w", "--stdin"},
                                  "object " + m_revision.commit + "\ntype commit\ntag " + tag.name +
                                      "\ntagger pachbuild <pachbuild@localhost> " +
                                      std::to_string(m_revision.time) + " +0000\n\n" + tag.name + "\n"));
      }
      const fs::path file = own / "refs" / "tags" / tag.name;
      BASE_TRY(base::make_folders(file.parent_path(), base::k_owner_writes));
      BASE_TRY(base::write_file(file, hash + "\n"));
    }
    return {};
  }

  // A file that is there already is to be committed with another mode.
  base::Status make_dirty(const fs::path& source) const {
    for (const std::string name : {"pyproject.toml", "setup.py", "setup.cfg"}) {
      if (!is_file(source / name)) continue;
      const auto path = (source / name).lexically_relative(m_top).string();
      if (ask({"update-index", "--chmod=+x", "--", path})) return {};
    }
    return {};
  }

  const Revision& m_revision;
  std::string m_git;
  fs::path m_top;
  const Tools& m_tools;
};

// The nearest tag that has a version in it, and the version.
struct TaggedVersion {
  const revision::Tag* tag = nullptr;
  std::string version;
};

TaggedVersion tagged_version(const Revision& revision) {
  for (const auto& tag : revision.tags) {
    const auto digit = tag.name.find_first_of("0123456789");
    if (digit == std::string::npos) continue;
    const std::string version = tag.name.substr(digit);
    if (Version::parse(version)) return {&tag, version};
  }
  return {};
}

// The version as most tools make it by default: the tag's, or a development version of the next one, which
// has at least so many parts.
std::string usual_version(const Revision& revision, std::size_t parts_of_next, bool has_node) {
  const auto tagged = tagged_version(revision);
  const std::string node = has_node ? "+g" + revision.commit.substr(0, k_short_hash) : "";
  if (tagged.tag == nullptr) return "0.1.dev" + std::to_string(revision.commits) + node;
  if (tagged.tag->distance == 0 && !revision.is_dirty) return tagged.version;
  auto release = Version::parse(tagged.version)->release;
  release.resize(std::max(release.size(), parts_of_next));
  ++release.back();
  std::vector<std::string> parts;
  for (const auto part : release) parts.push_back(std::to_string(part));
  return base::join(parts, ".") + ".dev" + std::to_string(tagged.tag->distance) + node;
}

// [project] name, or `name = x` of setup.cfg; "" where neither says it.
std::string name_of_package(const fs::path& source) {
  if (const auto project = data::read_toml(source / "pyproject.toml", "pyproject.toml")) {
    if (auto name = project->text("project.name"); !name.empty()) return name;
  }
  const auto ini = data::parse_ini(base::read_input_file(source / "setup.cfg").value_or(""));
  const auto* const name = data::find_option(ini, "metadata", "name");
  return name == nullptr ? "" : name->value;
}

// What `git archive` would have written for setuptools-scm (hatch-vcs is the same) and dunamai, and the
// variables of others.
base::Status add_instead_of_git(const Revision& revision, const fs::path& source, Environment& environment) {
  const auto tagged = tagged_version(revision);
  const std::string node = revision.commit.substr(0, k_short_hash);
  const auto described = [&](std::size_t length) {
    if (tagged.tag == nullptr) return std::string();
    return tagged.tag->name + "-" + std::to_string(tagged.tag->distance) + "-g" +
           revision.commit.substr(0, length) + (revision.is_dirty ? "-dirty" : "");
  };
  const std::string name = described(k_hash_of_scm);
  const std::string time = iso_time(revision.time);
  std::string refs = revision.branch.empty() ? "HEAD" : "HEAD -> " + revision.branch;
  for (const auto& tag : revision.tags) {
    if (tag.distance == 0) refs += ", tag: " + tag.name;
  }
  BASE_TRY(base::write_file(source / ".git_archival.txt",
                            "node: " + revision.commit + "\nnode-date: " + time + "\n" +
                                (name.empty() ? "" : "describe-name: " + name + "\n") + "ref-names: " + refs +
                                "\n"));
  BASE_TRY(base::write_file(source / ".git_archival.json",
                            base::json_lines(nlohmann::json{{"hash-full", revision.commit},
                                                            {"hash-short", node},
                                                            {"timestamp", time},
                                                            {"refs", refs},
                                                            {"describe", described(k_short_hash)}})));
  // What follows counts for every package that is built: so it names this one, or is for few tools.
  const std::string version = usual_version(revision, 1, true);
  const std::string project = base::read_input_file(source / "pyproject.toml").value_or("");
  if (base::contains(project, "tool.pdm.version")) environment.emplace("PDM_BUILD_SCM_VERSION", version);
  const std::string own = name_of_package(source);
  if (own.empty()) return {};
  if (tagged.tag == nullptr) {
    std::string variable = "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_" + normalised_name(own);
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    environment.emplace(variable, version);
  }
  // pbr takes the version from here, as from an sdist; setuptools-scm would too, and then make none itself.
  const bool has_pbr =
      base::contains(project, "pbr") ||
      base::read_input_file(source / "setup.py").value_or("").find("pbr") != std::string::npos;
  if (!has_pbr) return {};
  return base::write_file(source / "PKG-INFO", "Metadata-Version: 1.0\nName: " + own +
                                                   "\nVersion: " + usual_version(revision, 3, false) + "\n");
}

}  // namespace

base::Result<std::optional<Revision>> find_revision(const fs::path& source, const Tools& tools) {
  const fs::path file = source / revision::k_file;
  if (is_file(file)) {
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
    BASE_TRY_ASSIGN(auto handed, revision::parse(text, file.string()));
    return std::optional(std::move(handed));
  }
  const auto git = find_git(tools);
  if (!git) {
    if (revision::is_in_repository(source)) {
      report::warn(
          "git is not on PATH, so the build cannot derive its version from .git; install git (Debian's "
          "package git), or build with pachbuild on a machine that has git");
    }
    return std::optional<Revision>();
  }
  QuietRunner runner(tools);
  return revision::read(source, *git, runner);
}

base::Status add_repository(const Revision& revision, const fs::path& top, const fs::path& source,
                            const Tools& tools, Environment& environment) {
  BASE_TRY(base::remove_tree(source / revision::k_file));
  for (const auto* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
                           "GIT_NO_REPLACE_OBJECTS", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES"}) {
    environment.erase(name);
  }
  // A version of files that were changed often has the day: that of the commit, so that it does not change.
  if (revision.is_dirty) environment.emplace("SOURCE_DATE_EPOCH", std::to_string(revision.time));
  const auto git = find_git(tools);
  if (!git) return add_instead_of_git(revision, source, environment);
  return Repository(revision, *git, top, tools).make(source);
}

}  // namespace builder::python
