// SPDX-License-Identifier: Apache-2.0
// Every function that touches files, with each of its calls of the system failing once, interrupted once by a
// signal, and with each of its questions whether to stop answered by yes. What it makes of a call that fails
// is recorded in tests/golden/failing_calls, so that an error that is no longer passed on, a step that is
// missing, and one that is new are all noticed. PACHBUILD_RECORD=1 records again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <regex>

#include "archive/bundle.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/folder.h"
#include "base/inside.h"
#include "base/mapped_file.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/trusted_folder.h"
#include "base/workspace.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/phases/detect.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/links.h"
#include "builder-runtime/source/source_copy.h"
#include "builder-runtime/source/source_settings.h"
#include "builder-runtime/store/bundle_store.h"
#include "contract/layout.h"
#include "pachbuild/cache/cleaning.h"
#include "pachbuild/cache/kinds.h"
#include "pachbuild/cluster/side_by_side.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/cluster/submit.h"
#include "pachbuild/cluster/transaction.h"
#include "pachbuild/local/plan/commit.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/local/results/own_folder.h"
#include "pachbuild/local/results/remote_commits.h"
#include "pachbuild/local/results/result_store.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/worker/output_links.h"
#include "pachbuild/local/worker/staging.h"
#include "pachbuild/pfs/file_hash.h"
#include "pachbuild/source/source.h"
#include "pachbuild/starter/build_context.h"
#include "pachbuild/starter/project.h"
#include "process/runner.h"
#include "report/report.h"
#include "steps.h"
#include "worker-shim/bundle_stream.h"
#include "worker-shim/folders.h"
#include "worker-shim/install.h"
#include "worker-shim/prepare.h"
#include "worker-shim/seal.h"

namespace every_call {
namespace {

namespace fs = base::fs;

// A folder with a tree that stays as it is, and one that is new for each try.
struct Place {
  fs::path root;
  [[nodiscard]] fs::path tree() const { return root / "tree"; }
  [[nodiscard]] fs::path made() const { return root / "made"; }
};
using Text = base::Result<std::string>;

// What functions do that have no result but an error.
Text done(const base::Status& status) {
  if (!status) return base::fail(status.error());
  return "done";
}

const std::string k_key(base::k_digest_length, 'a');

Text read_with_folder(const Place& place) {
  BASE_TRY_ASSIGN(const auto folder, base::Folder::open(place.tree()));
  BASE_TRY_ASSIGN(const auto names, folder.names());
  BASE_TRY_ASSIGN(const auto below, folder.open_folder("dir/deep"));
  BASE_TRY_ASSIGN(const auto file, below.open_file("b", O_RDONLY));
  BASE_TRY_ASSIGN(const auto status, below.status("b"));
  BASE_TRY_ASSIGN(const auto none, below.status("none"));
  BASE_TRY_ASSIGN(const auto other, base::Folder::open_without_link(place.tree() / "dir", "dir"));
  return base::join(names, " ") + std::to_string(status ? status->st_size : 0) + (none ? "some" : "none");
}

Text change_with_folder(const Place& place) {
  BASE_TRY_ASSIGN(const auto made, base::Folder::open(place.made()));
  BASE_TRY_ASSIGN(const auto below, made.make_folders("x/y", 0700));
  BASE_TRY_ASSIGN(const auto file, below.open_file("file", O_WRONLY | O_CREAT, 0600));
  BASE_TRY(made.make_folders("z/y", 0700));
  BASE_TRY_ASSIGN(const auto closed, made.open_closed_folder("z"));
  return done(made.remove("z"));
}

Text lock(const Place& place) {
  BASE_TRY_ASSIGN(const auto one, base::FileLock::acquire(place.made() / "one"));
  BASE_TRY_ASSIGN(const auto other, base::FileLock::try_acquire(place.made() / "one"));
  BASE_TRY_ASSIGN(const auto folder, base::FileLock::acquire_folder(place.tree()));
  return std::string(one.held() ? "held" : "") + (other.held() ? "held" : "") + (folder.held() ? "held" : "");
}

Text work_in_a_workspace(const Place& place) {
  BASE_TRY(base::make_folders(place.made() / "w-000000"));  // somebody's who is gone
  BASE_TRY_ASSIGN(const auto one, base::Workspace::make(place.made(), "w-"));
  BASE_TRY(base::write_file(one.path() / "file", "text"));
  BASE_TRY_ASSIGN(const auto other, base::Workspace::make(place.made(), "w-"));
  return std::to_string(
      std::distance(fs::directory_iterator(place.made()), {}));  // both, and what locks them
}

// A cache with a result, a module and what a killed build has left, all of it cleaned.
Text clean_a_cache(const Place& place) {
  const fs::path cache = place.made();
  for (const auto* file : {"results/datums/aa/record", "results/objects/bb/object", "go/mod/file",
                           "work/build-killed/lock", "secret-key"}) {
    BASE_TRY(base::make_folders((cache / file).parent_path()));
    BASE_TRY(base::write_file(cache / file, "text"));
  }
  std::vector<const cached::Kind*> kinds;
  for (const auto* name : {"results", "go", "scratch"}) kinds.push_back(cached::find_kind(name));
  std::string told;
  BASE_TRY(cached::clean(cache, kinds, cached::Mode::remove, [&](const cached::Cleaned& cleaned) {
    told += std::string(cleaned.kind->name) + " " + std::to_string(cleaned.entries) + " " +
            std::to_string(cleaned.kept) + ", ";
  }));
  return told;
}

Text store_a_bundle(const Place& place) {
  BASE_TRY(base::make_folders(place.made()));
  BASE_TRY_ASSIGN(const auto workspace, base::Workspace::make(place.made(), "work-"));
  const fs::path file = workspace.path() / "bundle";
  BASE_TRY(base::write_file(file, "content"));
  const std::string digest = base::sha256("content");
  builder::BundleContent content;
  content.bundles = {{.file = builder::file_of_bundle(contract::k_bundle_prefix, digest), .digest = digest}};
  const builder::BundleStore store(place.made() / "go");
  BASE_TRY_ASSIGN(const auto lock, store.lock(k_key, [] {}));
  BASE_TRY_ASSIGN(const auto stored, store.add(k_key, {file}, content, workspace));
  const std::string other(base::k_digest_length, 'b');
  BASE_TRY_ASSIGN(const auto lock_of_other, store.lock(other, [] {}));
  BASE_TRY_ASSIGN(const auto named, store.add_name(other, stored, workspace));
  const auto found = store.find(k_key);
  return found.bundle ? "found" : "damaged: " + found.damage;
}

Text copy_of_source(const Place& place) {
  BASE_TRY(builder::check_links(place.tree()));
  return done(builder::copy_source(place.tree(), place.made() / "copy"));
}

Text digest_of_source(const Place& place) {
  BASE_TRY_ASSIGN(const auto digest, builder::digest_of_folder(place.tree()));
  return digest.content;
}

Text declare_inputs(const Place& place) {
  builder::Inputs inputs;
  BASE_TRY_ASSIGN(const auto text, inputs.add_file("a", place.tree() / "a"));
  BASE_TRY(inputs.add_tree("tree", place.tree() / "dir"));
  BASE_TRY_ASSIGN(const auto changed, inputs.changed());
  return text + inputs.key() + (changed.empty() ? "" : " changed");
}

Text read_settings(const Place& place) {
  BASE_TRY_ASSIGN(const auto settings, builder::read_source_settings(place.root / "settings"));
  BASE_TRY_ASSIGN(const auto json, builder::data::read_json(place.root / "settings" / "x.json", "x.json"));
  return settings.language + base::join(settings.arguments, " ") + json.text("name");
}

Text detect_language(const Place& place) {
  builder::Settings settings;
  settings.source = place.root / "settings";
  settings.out = place.made() / "out";
  settings.cache = place.made() / "cache";
  BASE_TRY_ASSIGN(const auto source, builder::detect(settings));
  return source.folder.filename().string();
}

Text commit_a_folder(const Place& place) {
  local::FileDigests digests{{}};
  BASE_TRY_ASSIGN(const auto commit, local::commit_of_folder(place.tree(), &digests));
  return commit.digest + commit.changed_file(commit.all());
}

Text remember_digests(const Place& place) {
  struct stat status{};
  if (::lstat((place.tree() / "a").c_str(), &status) != 0)
    return base::fail(base::system_error("read", "a", errno));
  const local::FileDigests::Entries entries{{"/a", {local::FileIdentity::of(status), k_key}}};
  BASE_TRY(local::save_digests(entries, place.made() / "digests"));
  return std::to_string(local::load_digests(place.made() / "digests").size());
}

base::Status fill_output(const fs::path& output, const std::string& text) {
  BASE_TRY(base::make_folders(output / "dir"));
  BASE_TRY(base::write_file(output / "a", text));
  return base::write_file(output / "dir" / "b", "b");
}

Text list_an_output(const Place& place) {
  BASE_TRY_ASSIGN(const auto tree, local::OutputTree::open(place.tree() / "dir"));
  BASE_TRY_ASSIGN(const auto files, tree.list());
  std::string all;
  BASE_TRY(tree.visit(files, [&](const auto& /*folder*/, const std::string& name, const auto& file) {
    all += name + " " + std::to_string(file.size) + "\n";
    return base::Status();
  }));
  return all;
}

Text store_a_result(const Place& place) {
  const fs::path output = place.made() / "out";
  BASE_TRY(fill_output(output, "a"));
  BASE_TRY_ASSIGN(auto store, local::ResultStore::open(place.made() / "cache"));
  BASE_TRY_ASSIGN(const auto tree, local::OutputTree::open(output));
  BASE_TRY_ASSIGN(const auto files, store.add(k_key, tree));
  const auto found = store.find(k_key);
  return std::to_string(files.size()) + " " + std::to_string(found ? found->size() : 0);
}

// A cluster whose only file is "a" of the tree.
class OneFileRepos final : public local::RemoteRepos {
 public:
  explicit OneFileRepos(fs::path file) : m_file(std::move(file)) {}
  std::string identity() override { return ""; }
  std::string id_in(const std::string& /*address*/) override { return ""; }
  base::Result<std::string> find(const std::string& /*address*/,
                                 std::chrono::milliseconds /*limit*/) override {
    return std::string(32, '1');
  }
  base::Result<std::vector<local::RemoteFile>> list(const std::string& /*address*/,
                                                    const std::string& /*id*/) override {
    BASE_TRY_ASSIGN(const auto hash, pfs::file_hash(m_file));
    BASE_TRY_ASSIGN(const auto content, base::read_file(m_file));
    return std::vector<local::RemoteFile>{{"a", content.size(), hash}};
  }
  base::Status get(const std::string& /*address*/, const std::string& /*id*/,
                   const std::vector<local::RemoteFile>& /*files*/, const std::vector<bool>& /*wanted*/,
                   const fs::path& folder) override {
    return base::copy_regular_file(m_file, folder / "a", 0644);
  }
  void watch(process::Interruption& /*interruption*/) override {}

 private:
  fs::path m_file;
};

Text fetch_a_file(const Place& place) {
  const auto cache = place.made() / "cache";
  BASE_TRY_ASSIGN(auto store, local::ResultStore::open(cache));
  OneFileRepos repos(place.tree() / "a");
  local::RemoteCommits commits(store, cache, &repos);
  BASE_TRY_ASSIGN(const auto commit, commits.find("r@master", [](const std::string&) {}));
  BASE_TRY_ASSIGN(const auto files, commits.fetch(commit, {0}));
  BASE_TRY(base::remove_tree(cache / "clusters"));  // has the time
  return base::read_file(store.object(files.at(0).digest));
}

Text shrink_results(const Place& place) {
  BASE_TRY(store_a_result(place));
  const auto later = [&] {
    // As if it had been used last in another run.
    for (fs::recursive_directory_iterator entry(place.made() / "cache" / "results"), end; entry != end;
         ++entry) {
      const timespec then[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      if (fs::is_regular_file(entry->symlink_status()))
        ::syscall(SYS_utimensat, AT_FDCWD, entry->path().c_str(), then, 0);
    }
  };
  later();
  BASE_TRY_ASSIGN(auto store, local::ResultStore::open(place.made() / "cache"));
  BASE_TRY_ASSIGN(const auto removed,
                  std::move(store).shrink(1, [] { return std::vector<local::ResultStore::KeptFile>{}; }));
  return std::to_string(removed.datums) + " " + std::to_string(removed.bytes);
}

Text export_results(const Place& place) {
  BASE_TRY_ASSIGN(auto store, local::ResultStore::open(place.made() / "cache"));
  for (const std::string text : {"first", "second"}) {
    BASE_TRY(base::remove_tree(place.made() / "out"));
    BASE_TRY(fill_output(place.made() / "out", text));
    if (text == "second") BASE_TRY(base::write_file(place.made() / "out" / "new", "new"));
    BASE_TRY_ASSIGN(const auto tree, local::OutputTree::open(place.made() / "out"));
    BASE_TRY_ASSIGN(const auto files, store.add(base::sha256(text), tree));
    BASE_TRY_ASSIGN(auto folder, local::OutputFolder::open(place.made() / "export", "p"));
    const std::vector<local::DatumOutput> outputs{{"datum", files}};
    BASE_TRY(folder.check(outputs));
    if (text == "second") BASE_TRY(folder.add(outputs, {}, std::nullopt, store, local::ExportBy::copy));
    BASE_TRY(folder.publish(outputs, {}, store, local::ExportBy::copy));
  }
  return local::is_own_folder(place.made() / "export" / local::k_own_folder) ? "own" : "not own";
}

Text stage_a_datum(const Place& place) {
  local::Task task;
  task.id = "1";
  task.inputs = {{.name = "in", .root = place.tree().string(), .path = "", .version = "v"}};
  local::Staging staging(place.made());
  BASE_TRY(staging.prepare(task));
  BASE_TRY(staging.finish());
  task.id = "2";
  BASE_TRY(staging.prepare(task));
  BASE_TRY_ASSIGN(const auto output, staging.open_output());
  return done(staging.finish());
}

Text follow_an_outputs_links(const Place& place) {
  const fs::path output = place.made() / "out";
  BASE_TRY(fill_output(output, "a"));
  if (::symlink("dir/b", (output / "link").c_str()) != 0)
    return base::fail(base::system_error("create", "link", errno));
  BASE_TRY_ASSIGN(const auto folder, base::Folder::open(output));
  return done(local::follow_links(folder, place.made() / "scratch", {}));
}

Text find_own_cache(const Place& place) {
  ::setenv("PACHBUILD_CACHE_DIR", (place.made() / "cache").c_str(), 1);
  const auto folder = local::cache_folder();
  ::unsetenv("PACHBUILD_CACHE_DIR");
  if (!folder) return base::fail(folder.error());
  BASE_TRY_ASSIGN(const auto scratch, local::make_scratch(*folder));
  return base::write_file(scratch.path() / "file", "") ? "made" : "not made";
}

Text list_a_source(const Place& place) {
  BASE_TRY_ASSIGN(const auto files, source::list_source(place.tree()));
  BASE_TRY(source::copy_source(files, place.made() / "copy"));
  BASE_TRY_ASSIGN(const auto digests, source::file_digests(files));
  std::string all = source::source_digest(digests);
  for (const auto& file : files) all += " " + file.path;
  BASE_TRY_ASSIGN(const auto decision, source::decide(place.tree(), "dir/deep/b"));
  return all + " " + decision.rule;
}

Text read_a_source(const Place& place) {
  BASE_TRY_ASSIGN(const auto source, source::read_source(place.tree()));
  return std::to_string(source.files.size()) + base::join(source.empty_folders, " ");
}

Text make_a_project(const Place& place) {
  const starter::Project project = {{"a", {"text", {}}}, {"dir/b", {"", place.tree() / "a"}}};
  BASE_TRY(starter::write_project(place.made() / "new" / "project", project));
  const starter::Project more = {{"c", {"more", {}}}, {"d", {"more", {}}}};
  return done(starter::write_project(place.made() / "new" / "project", more));
}

Text read_a_build_context(const Place& place) {
  BASE_TRY_ASSIGN(const auto context, starter::BuildContext::open(place.tree(), place.tree() / "Dockerfile"));
  BASE_TRY_ASSIGN(const auto names, context.matches("*", "Dockerfile:1"));
  BASE_TRY_ASSIGN(const auto file, context.read("a", "Dockerfile:1"));
  BASE_TRY_ASSIGN(const auto folder, context.read("dir", "Dockerfile:1"));
  return base::join(names, " ") + " " + std::to_string(file.files.size()) +
         std::to_string(folder.files.size());
}

Text check_an_environment(const Place& place) {
  const std::string environment = (place.made() / "environment").string();
  BASE_TRY(base::make_folders(environment + "/lib"));
  BASE_TRY(base::write_file(environment + "/lib/a", "a"));
  shim::seal(environment);
  const auto checked = shim::check_environment(environment, shim::k_end_of_time);
  return std::to_string(static_cast<int>(checked)) +
         (shim::is_known_to_be_whole(environment) ? "known" : "unknown");
}

Text read_like_the_shim(const Place& place) {
  const auto text = shim::read_text((place.tree() / "a").string());
  shim::empty_folder((place.made() / "none").string());
  return text.value_or("none");
}

Text run_a_program(const Place& place) {
  process::SystemRunner runner(nullptr);
  process::Command command{.arguments = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}};
  command.folder = place.tree();
  BASE_TRY_ASSIGN(const auto finished, runner.run(command, {}));
  BASE_TRY_ASSIGN(const auto ending, runner.run_in_view({.arguments = {"/bin/true"}}));
  return finished.output + finished.errors + finished.ending.describe() + ending.describe();
}

// Stands in for pachctl, and reads at once what it is given: by calls that nobody watches.
class Reader final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const auto& words = command.arguments;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i - 1] != "--file") continue;
      given += content(words[i]) + content(words[i] + "/a") + content(words[i] + "/dir/deep/b");
    }
    given += content(process::value_of(command.environment, "PACH_CONFIG"));
    const std::string answer = words.at(1) == "start" ? "started \"c\"" : "";
    return process::Finished{process::Ending::from_wait_status(0), answer, ""};
  }
  std::string given;

 private:
  static std::string content(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "re");
    if (file == nullptr) return "none ";
    std::array<char, 1000> bytes{};
    const auto size = std::fread(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    return std::string(bytes.data(), size) + " ";
  }
};

base::Result<cluster::Pachctl> pachctl_of(const Place& place, process::Runner& runner) {
  ::setenv("PACHCTL", "/bin/true", 1);
  auto found = cluster::Pachctl::find({}, place.made(), runner);
  ::unsetenv("PACHCTL");
  if (!found) return base::fail(found.error());
  return found->with_configuration(place.tree() / "a");
}

Text send_a_spec(const Place& place) {
  Reader reader;
  BASE_TRY_ASSIGN(const auto pachctl, pachctl_of(place, reader));
  BASE_TRY(
      cluster::pass_on(pachctl, {{"pipeline", "p"}}, cluster::Existing::update, cluster::Reprocess::changed));
  return reader.given;
}

Text change_in_a_transaction(const Place& place) {
  Reader reader;
  BASE_TRY_ASSIGN(const auto pachctl, pachctl_of(place, reader));
  BASE_TRY_ASSIGN(auto transaction, cluster::Transaction::start(pachctl));
  BASE_TRY(transaction.finish());
  return transaction.id() + reader.given;
}

Text send_a_source(const Place& place) {
  Reader reader;
  BASE_TRY_ASSIGN(const auto pachctl, pachctl_of(place, reader));
  BASE_TRY_ASSIGN(const auto files, source::list_source(place.tree()));
  BASE_TRY_ASSIGN(const auto changes, cluster::compare({}, files));
  BASE_TRY_ASSIGN(auto upload, cluster::Upload::prepare(pachctl, "r", {}, changes, files));
  BASE_TRY(upload.start(pachctl, "v"));
  cluster::SideBySide calls;
  upload.send(calls, pachctl);
  BASE_TRY(calls.run());
  return reader.given;
}

struct Function {
  const char* name;
  Text (*call)(const Place& place);
  bool is_recorded = true;  // the calls are the same each time
};

const auto k_functions = std::to_array<Function>({
    {"read_file", [](const Place& p) { return base::read_file(p.tree() / "a"); }},
    {"read_input_file", [](const Place& p) { return base::read_input_file(p.tree() / "a"); }},
    {"sha256_of_file", [](const Place& p) { return base::sha256_of_file((p.tree() / "a").string()); }},
    {"pfs_hash", [](const Place& p) { return pfs::file_hash(p.tree() / "a"); }},
    {"write_file", [](const Place& p) { return done(base::write_file(p.made() / "new", "text", 0640)); }},
    {"copy_regular_file",
     [](const Place& p) { return done(base::copy_regular_file(p.tree() / "a", p.made() / "copy", 0755)); }},
    {"link_or_copy_file",
     [](const Place& p) { return done(base::link_or_copy_file(p.tree() / "a", p.made() / "copy", 0755)); }},
    {"make_folders",
     [](const Place& p) { return done(base::make_folders(p.made() / "x" / "y" / "z", 0700)); }},
    {"cache_cleaned", clean_a_cache},
    {"rename_path",
     [](const Place& p) -> Text {
       BASE_TRY(base::make_folders(p.made() / "x"));
       return done(base::rename_path(p.made() / "x", p.made() / "y"));
     }},
    {"remove_tree",
     [](const Place& p) -> Text {
       BASE_TRY(base::make_folders(p.made() / "x" / "y"));
       return done(base::remove_tree(p.made() / "x"));
     }},
    {"temporary_folder",
     [](const Place& p) -> Text {
       BASE_TRY_ASSIGN(const auto folder, base::TemporaryFolder::make(p.made(), "t-"));
       return done(base::write_file(folder.path() / "file", "text"));
     }},
    {"locks", lock},
    {"workspace", work_in_a_workspace},
    {"folder_read", read_with_folder},
    {"folder_changed", change_with_folder},
    {"trusted_folder",
     [](const Place& p) -> Text {
       BASE_TRY_ASSIGN(const auto folder,
                       base::make_trusted_folder((p.made() / "x" / "y").string(), ::geteuid()));
       BASE_TRY_ASSIGN(const auto above, base::open_trusted_folder((p.made() / "x").string(), ::geteuid()));
       BASE_TRY_ASSIGN(const auto entry, base::open_trusted_entry(above.get(), "y", "x/y", ::geteuid()));
       return std::string(folder && entry ? "both" : "none");
     }},
    {"mapped_file",
     [](const Place& p) -> Text {
       BASE_TRY_ASSIGN(const auto file, base::MappedFile::open(p.tree() / "a"));
       return std::string(file.content());
     }},
    {"own_folder",
     [](const Place&) -> Text {
       BASE_TRY_ASSIGN(const auto folder, base::own_folder());
       return folder.empty() ? "" : "found";
     }},
    {"path_inside",
     [](const Place& p) -> Text {
       BASE_TRY_ASSIGN(const auto path, base::path_inside(p.tree(), "link", "link"));
       return path.filename().string();
     }},
    {"bundle_written",
     [](const Place& p) -> Text {
       BASE_TRY_ASSIGN(const auto summary, archives::write_bundle(p.tree(), p.made() / "bundle"));
       return summary.digest + std::to_string(summary.files);
     }},
    {"modes_normalised",
     [](const Place& p) -> Text {
       BASE_TRY(base::make_folders(p.made() / "x"));
       BASE_TRY(base::write_file(p.made() / "x" / "file", "x", 0750));
       return done(archives::normalise_modes(p.made()));
     }},
    {"bundle_store", store_a_bundle},
    {"source_copy", copy_of_source},
    {"source_digest", digest_of_source},
    {"inputs", declare_inputs},
    {"source_settings", read_settings},
    {"detect", detect_language},
    {"commit", commit_a_folder},
    {"digests", remember_digests},
    {"output_tree", list_an_output},
    {"result_store", store_a_result},
    {"results_shrunk", shrink_results},
    {"remote_file", fetch_a_file, false},
    {"output_folder", export_results},
    {"staging", stage_a_datum},
    {"output_links", follow_an_outputs_links},
    {"cache_folder", find_own_cache},
    {"source_listed", list_a_source},
    {"source_read", read_a_source},
    {"starter_project", make_a_project},
    {"starter_context", read_a_build_context},
    // It writes as often as this program is large.
    {"shim_installed", [](const Place& p) { return done(shim::install_into(p.made().string())); }, false},
    {"shim_seal", check_an_environment},
    {"shim_folders", read_like_the_shim},
    {"runner", run_a_program, false},
    {"cluster_source", send_a_source},
    // Where other processes have their secrets as well.
    {"cluster_spec", send_a_spec, false},
    {"cluster_transaction", change_in_a_transaction, false},
});

// For the tests' own messages.
void PrintTo(const Function& function, std::ostream* stream) { *stream << function.name; }

class EveryCall : public testing::TestWithParam<Function> {
 protected:
  // Lines are written as by the programs, whichever test was first.
  static void SetUpTestSuite() { report::set_up(); }

  void SetUp() override {
    const fs::path tree = m_place.tree();
    ASSERT_TRUE(base::make_folders(tree / "dir" / "deep"));
    ASSERT_TRUE(base::write_file(tree / "a", "content of a", 0755));
    ASSERT_TRUE(base::write_file(tree / "dir" / "deep" / "b", "content of b"));
    fs::create_symlink("a", tree / "link");
    const fs::path settings = m_place.root / "settings";
    ASSERT_TRUE(base::make_folders(settings));
    ASSERT_TRUE(base::write_file(settings / "main.py", ""));
    ASSERT_TRUE(
        base::write_file(settings / "pachbuild.toml", "language = \"python\"\narguments = [\"x\"]\n"));
    ASSERT_TRUE(base::write_file(settings / "x.json", "{\"name\": \"y\"}"));
    const fs::path build = m_place.root / "build";
    ASSERT_TRUE(base::make_folders(build));
    const auto bundle = archives::write_bundle(tree, build / "bundle").value();
    ASSERT_TRUE(
        base::copy_regular_file(build / "bundle", shim::bundle_path(build.string(), bundle.digest), 0644));
    clear();
  }

  void clear() const {
    ASSERT_TRUE(base::remove_tree(m_place.made()));
    ASSERT_TRUE(base::make_folders(m_place.made()));
  }
  Text call() const { return GetParam().call(m_place); }

  // Without what is another one each time.
  [[nodiscard]] std::string stable(std::string text) const {
    base::replace_all(text, m_place.root.string(), "");
    base::replace_all(text, base::own_folder().value().string(), "OWN");
    // Of bundles: another version of zstd makes other bytes.
    static const std::regex digest("[0-9a-f]{64}");
    static const std::regex random("([.-])[A-Za-z0-9]{6}(?![A-Za-z0-9])");
    static const std::regex descriptor("/fd/[0-9]+");
    text = std::regex_replace(text, digest, "DIGEST");
    text = std::regex_replace(text, descriptor, "/fd/N");
    return std::regex_replace(text, random, "$1XXXXXX");
  }
  // What is there, a line each: kind, mode and content of all but links' own modes.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (fs::recursive_directory_iterator entry(m_place.made()), end; entry != end; ++entry) {
      struct stat status{};
      EXPECT_EQ(::lstat(entry->path().c_str(), &status), 0);
      const bool is_link = S_ISLNK(status.st_mode);
      // These have times and inodes in them.
      const std::string name = entry->path().filename().string();
      const bool is_file =
          S_ISREG(status.st_mode) && name.find("seal") == std::string::npos && name != local::k_own_mark;
      const std::string text = is_link   ? fs::read_symlink(entry->path()).string()
                               : is_file ? base::sha256_of_file(entry->path().string()).value()
                                         : "";
      all.push_back(stable(entry->path().string()) + " " + std::to_string(is_link ? 0 : status.st_mode) +
                    " " + text);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  const base::TemporaryFolder m_folder = base::TemporaryFolder::make("/tmp", "calls.").value();
  const Place m_place{m_folder.path()};
};

std::string text_of(const base::Error& error) {
  return error.where + ": " + error.what + " (" + std::to_string(static_cast<int>(error.kind)) + ")";
}

TEST_P(EveryCall, ThatFailsIsToldAsRecorded) {
  const auto expected = call();
  ASSERT_TRUE(expected) << text_of(expected.error());
  const auto whole = lines();
  clear();
  std::map<std::string, int> told;
  Text result = std::string();
  const int calls = steps::fail_each(
      [&] {
        result = call();
        return result.has_value();
      },
      [&](bool succeeded, const std::string& failed) {
        const std::string step = stable(failed.substr(failed.find(": ") + 2));
        std::string outcome = "done";
        if (!succeeded) outcome = stable(text_of(result.error()));
        if (succeeded && *result != *expected) outcome = "another result";
        if (succeeded && lines() != whole) outcome += ", other files";
        if (succeeded && !GetParam().is_recorded) {
          EXPECT_EQ(*result, *expected) << failed;
        }
        ++told[step.empty() ? "" : step + " → " + outcome];
        clear();
      });
  EXPECT_GT(calls, 0);
  told.erase("");  // the last time nothing failed
  if (!GetParam().is_recorded) return;
  std::atomic<int> questions = 0;
  {
    const base::StopQuestion question([&] { return ++questions < 0; });
    ASSERT_TRUE(call());
  }
  std::string text = std::to_string(questions) + " questions whether to stop\n";
  for (const auto& [line, count] : told) text += std::to_string(count) + "× " + line + "\n";
  const fs::path file =
      fs::path(PACHBUILD_GOLDEN) / "failing_calls" / (std::string(GetParam().name) + ".txt");
  if (std::getenv("PACHBUILD_RECORD") != nullptr) {
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, text));
  }
  EXPECT_EQ(text, base::read_file(file).value_or("")) << "record again: tests/golden/README.md";
}

TEST_P(EveryCall, ThatASignalInterruptsIsRepeated) {
  const auto expected = call();
  ASSERT_TRUE(expected);
  const auto whole = lines();
  clear();
  Text result = std::string();
  steps::interrupt_each([&] { result = call(); },
                        [&](int number) {
                          ASSERT_TRUE(result) << number << ": " << text_of(result.error());
                          EXPECT_EQ(*result, *expected) << number;
                          EXPECT_EQ(lines(), whole) << number;
                          clear();
                        });
}

TEST_P(EveryCall, CanBeStoppedAtEachQuestion) {
  // Each of them counts: the others are answered by no.
  for (int stopping = 0;; ++stopping) {
    clear();
    std::atomic<int> count = 0;
    Text result = std::string();
    {
      const base::StopQuestion question([&] { return count++ == stopping; });
      result = call();
    }
    if (count <= stopping) {
      ASSERT_TRUE(result);
      break;
    }
    ASSERT_FALSE(result) << "went on after question " << stopping;
    EXPECT_EQ(result.error().what, "interrupted");
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, EveryCall, testing::ValuesIn(k_functions),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace every_call
