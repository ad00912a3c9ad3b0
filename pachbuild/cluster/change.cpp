// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/change.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/side_by_side.h"
#include "pachbuild/cluster/transaction.h"
#include "process/secret_folder.h"

namespace cluster {
namespace {

using nlohmann::json;
namespace fs = base::fs;

base::Result<process::SecretFolder> write_spec(const Pachctl& pachctl, const json& spec) {
  // A spec may have credentials in the address of an index.
  BASE_TRY_ASSIGN(auto folder, process::SecretFolder::make(pachctl.scratch()));
  constexpr mode_t k_private = 0600;
  BASE_TRY(base::write_file(folder.path() / "pipeline.json", spec.dump(), k_private));
  return folder;
}

std::string file_in(const process::SecretFolder& folder) {
  return (folder.path() / "pipeline.json").string();
}

// All that has to be made on this machine before the first call.
struct Preparation {
  Transaction transaction;
  std::optional<Upload> upload;
  std::vector<process::SecretFolder> specs;
};

base::Result<Preparation> prepare(const Pachctl& pachctl, const PlannedChange& change) {
  std::optional<Upload> upload;
  if (!change.source.none()) {
    BASE_TRY_ASSIGN(auto made,
                    Upload::prepare(pachctl, change.repo, change.stored, change.source, change.files));
    upload.emplace(std::move(made));
  }
  std::vector<process::SecretFolder> specs;
  for (const auto& pipeline : change.pipelines) {
    BASE_TRY_ASSIGN(auto folder, write_spec(pachctl, *pipeline.spec));
    specs.push_back(std::move(folder));
  }
  BASE_TRY_ASSIGN(auto transaction, Transaction::prepare(pachctl));
  return Preparation{std::move(transaction), std::move(upload), std::move(specs)};
}

// In the transaction. The branches come first: with a pipeline whose source has no branch yet, Pachyderm
// makes one with an empty commit, and the commit that a pipeline's new input starts is of what its branches
// have then.
base::Status move_and_update(const Pachctl& inside, const PlannedChange& change,
                             const Preparation& prepared) {
  // The source's branch follows the new version by its name. Pachyderm asks what that is when the transaction
  // is finished: the commit can still be written to, and when somebody has taken the version away, all fails.
  const std::string at = change.repo + "@";
  BASE_TRY(prepared.upload
               ? inside.run({"create", "branch", at + k_source_branch, "--head", change.version})
               : inside.run({"create", "branch", at + change.version, "--head", change.stored.commit}));
  if (!change.build_repo.empty()) {
    const std::string version = change.build_repo + "@" + change.version;
    BASE_TRY(inside.run(
        {"create", "branch", change.build_repo + "@" + k_source_branch, "--head", change.version}));
    BASE_TRY(inside.run({"delete", "branch", version}));
  }
  for (std::size_t i = 0; i < change.pipelines.size(); ++i) {
    const auto& pipeline = change.pipelines[i];
    auto sent = send_spec_file(inside, file_in(prepared.specs[i]), pipeline.existing, pipeline.reprocess);
    if (sent) continue;
    sent.error().where = "pipeline " + pipeline.spec->at("pipeline").at("name").get<std::string>();
    return sent;
  }
  return {};
}

// The transaction gets its parts in any order but that of move_and_update(), and Pachyderm tries each
// addition at once: what is left for finish() to find out is what others have done since.
base::Status fill(const Pachctl& pachctl, const PlannedChange& change, Preparation& prepared) {
  Transaction& transaction = prepared.transaction;
  const bool sends = prepared.upload.has_value();
  const bool follows = sends && prepared.upload->has_parent();
  const auto start = [&](const Pachctl& own) { return prepared.upload->start(own, change.version); };

  SideBySide begin;
  if (follows) {
    begin.add(pachctl, [&](const Pachctl& own) { return prepared.upload->make_branch(own, change.version); });
  } else if (sends) {
    begin.add(pachctl, start);
  }
  // The branch is new, so it has only these files.
  if (!change.build_repo.empty()) {
    begin.add(pachctl, [&](const Pachctl& own) {
      return own.run({"put", "file", change.build_repo + "@" + change.version + ":/", "--recursive",
                      "--progress=false", "--file", change.copy.string()});
    });
  }
  // With its own configuration, in which it will be.
  begin.add(transaction.pachctl(), [&](const Pachctl& /*own*/) { return transaction.begin(); });
  BASE_TRY(begin.run());

  SideBySide middle;
  SideBySide end;
  SideBySide& sending = follows ? end : middle;
  if (follows) middle.add(pachctl, start);
  if (sends) prepared.upload->send(sending, pachctl);
  for (const auto& version : change.branches.versions) {
    middle.add(transaction.pachctl(), [&](const Pachctl& own) {
      return delete_branches(own, change.repo, {version}, BranchDeletion::must_exist);
    });
  }
  middle.add(transaction.pachctl(),
             [&](const Pachctl& own) { return move_and_update(own, change, prepared); });
  if (sends) {
    sending.add(transaction.pachctl(), [&](const Pachctl& own) {
      return own.run({"finish", "commit", change.repo + "@" + change.version});
    });
  }
  BASE_TRY(middle.run());
  return end.run();
}

// Best effort: the error that led here is what counts. The transaction is gone by now: it has happened or
// never will.
void take_back(const Pachctl& pachctl, const PlannedChange& change, bool may_have_happened) {
  if (may_have_happened) {
    const auto now = list_branches(pachctl, change.repo);
    if (!now || was_made(change, *now)) return;
  }
  for (const auto& repo : {change.repo, change.build_repo}) {
    if (!repo.empty()) (void)delete_branches(pachctl, repo, {change.version}, BranchDeletion::force);
  }
}

}  // namespace

Made make_change(const Pachctl& pachctl, const PlannedChange& change) {
  Made made;
  bool has_upload = false;
  bool may_have_happened = false;
  {
    auto prepared = prepare(pachctl, change);
    if (!prepared) {
      made.status = base::fail(std::move(prepared).error());
      return made;
    }
    has_upload = prepared->upload || !change.build_repo.empty();
    made.status = fill(pachctl, change, *prepared);
    made.id = prepared->transaction.id();
    may_have_happened = made.status.has_value();
    if (made.status) made.status = prepared->transaction.finish();
  }
  if (!made.status && has_upload) take_back(pachctl, change, may_have_happened);
  return made;
}

// The version alone does not tell: one with files is there before.
bool was_made(const PlannedChange& change, const SourceBranches& now) {
  const auto version = now.heads.find(change.version);
  if (version == now.heads.end()) return false;
  return change.source.none() || (now.head == version->second && now.head != change.branches.head);
}

base::Status send_spec_file(const Pachctl& pachctl, const std::string& file, Existing existing,
                            bool reprocess) {
  const bool is_new = existing == Existing::refuse;
  std::vector<std::string> words = {is_new ? "create" : "update", "pipeline", "--file", file};
  if (reprocess && !is_new) words.emplace_back("--reprocess");
  return pachctl.run(std::move(words));
}

base::Status send_spec(const Pachctl& pachctl, const json& spec, Existing existing, bool reprocess) {
  BASE_TRY_ASSIGN(const auto folder, write_spec(pachctl, spec));
  return send_spec_file(pachctl, file_in(folder), existing, reprocess);
}

}  // namespace cluster
