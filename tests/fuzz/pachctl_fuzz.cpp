// SPDX-License-Identifier: Apache-2.0
// What pachctl answers, in JSON and in words: a fact about the cluster, or an error that names the call.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "pachbuild/cluster/jobs.h"
#include "pachbuild/cluster/ownership.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/source_repo.h"
#include "pachbuild/cluster/transaction.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

// Gives one answer after the other; the last one again and again.
class Answers final : public process::Runner {
 public:
  explicit Answers(std::vector<std::string> answers) : m_answers(std::move(answers)) {}
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    const std::string& answer = m_answers[std::min(m_next++, m_answers.size() - 1)];
    const bool fails = answer.starts_with('!');
    return process::Finished{process::Ending::from_wait_status(fails ? 256 : 0), fails ? "" : answer,
                             fails ? answer.substr(1) : ""};
  }

 private:
  std::vector<std::string> m_answers;
  std::size_t m_next = 0;
};

template <class Result>
bool check(const Result& result) {
  if (!result) fuzz::require_readable(result.error());
  return result.has_value();
}

void ask_jobs(const cluster::Pachctl& pachctl) {
  const auto job = cluster::newest_job(pachctl, "p");
  check(cluster::find_job(pachctl, "p", "1"));
  if (!check(job) || !*job) return;
  cluster::LogReader log(**job);
  check(log.read(pachctl));
  check(log.read(pachctl));
}

void ask_present(const cluster::Pachctl& pachctl) {
  const auto present = cluster::read_present(pachctl);
  check(cluster::read_all_readers(pachctl));
  if (!check(present)) return;
  for (const std::string pipeline : {"p", "p_build"}) {
    static_cast<void>(cluster::runs_build(*present, pipeline));
    check(cluster::check_ownership(*present, pipeline, false, "x"));
    check(cluster::check_convertible(*present, pipeline, "x"));
  }
}

void ask_source(const cluster::Pachctl& pachctl) {
  const auto branches = cluster::read_branches(pachctl, "p_source");
  check(cluster::foreign_commits(pachctl, "p_source"));
  cluster::SourceBranches head;
  head.head = "1";
  head.is_finished = true;
  const auto stored =
      cluster::read_files(pachctl, "p_source", check(branches) && branches->is_finished ? *branches : head);
  if (!check(stored)) return;
  const auto changes = cluster::compare(*stored, {});
  require(changes.has_value() && changes->sent.empty());
  require(changes->removed.size() <= stored->files.size());
}

}  // namespace

FUZZ_TARGET(pachctl_fuzz, input) {
  static const bool set = ::setenv("PACHCTL", "/bin/true", 1) == 0;
  require(set);
  const auto choice = fuzz::take_choice(input, 4);
  // A collision is tried again after a pause.
  if (input.find("(SQLSTATE ") != std::string_view::npos) return;
  Answers answers(base::split(input, '\xff'));
  const auto pachctl = cluster::Pachctl::find({}, "/nowhere", answers).value();
  switch (choice) {
    case 0:
      return ask_jobs(pachctl);
    case 1:
      return ask_present(pachctl);
    case 2:
      return ask_source(pachctl);
    default:
      check(pachctl.call({"list", "repo"}));
      return cluster::delete_transactions(pachctl, {"a"});
  }
}
