// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/session.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/workspace.h"
#include "contract/cache_limit.h"
#include "contract/exit_codes.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/local/record/kept_logs.h"
#include "pachbuild/local/results/remote_commits.h"
#include "pachbuild/local/results/result_store.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/board.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/session/phase.h"
#include "pachbuild/local/session/pipeline_run.h"
#include "process/interruption.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr std::chrono::milliseconds k_between_ticks{100};

// Lets one thread at a time tell the events.
class OneAtATime final : public Events {
 public:
  explicit OneAtATime(Events& events) : m_events(events) {}

  void tell(const Event& event) override {
    const std::lock_guard lock(m_mutex);
    m_events.tell(event);
  }
  void tick() override {
    const std::lock_guard lock(m_mutex);
    m_events.tick();
  }

 private:
  Events& m_events;
  std::mutex m_mutex;
};

base::Result<fs::path> without_links(const std::string& folder) {
  boost::system::error_code error;
  auto path = fs::canonical(folder, error);
  if (error) return base::fail(base::system_error("read", folder, error.value()));
  return path;
}

// Reads the folders, one after the other, and puts them on the board.
base::Status read_folders(const Plan& plan, FileDigests& digests, Board& board, Events& events) {
  std::map<fs::path, Commit> read;
  for (const auto& [name, folder] : plan.folders) {
    BASE_TRY_ASSIGN(const auto path, without_links(folder));
    auto known = read.find(path);
    if (known == read.end()) {
      const auto meter = std::make_shared<Meter>();
      const auto tell = [&](Event::What what) { events.tell({"", std::move(what)}); };
      BASE_TRY_ASSIGN(auto commit, in_phase(tell, Phase::reading, name, meter, [&] {
                        return commit_of_folder(path, &digests,
                                                [&](std::uint64_t bytes) { meter->all = bytes; });
                      }));
      known = read.emplace(path, std::move(commit)).first;
    }
    board.add(name, known->second);
  }
  return {};
}

class Session {
 public:
  Session(const Plan& plan, const SessionOptions& options, Events& events,
          process::Interruption& interruption)
      : m_plan(plan), m_options(options), m_events(events), m_interruption(interruption) {}

  base::Result<int> run() {
    const char* limit = std::getenv(contract::k_cache_limit_variable);
    BASE_TRY_ASSIGN(const auto most, contract::parse_cache_limit(limit == nullptr ? "" : limit));
    BASE_TRY_ASSIGN(const auto cache, cache_folder());
    BASE_TRY_ASSIGN(auto store, ResultStore::open(cache));
    BASE_TRY_ASSIGN(const auto scratch, make_scratch(cache));
    const int workers = m_options.workers > 0 ? m_options.workers : static_cast<int>(base::processors());
    BASE_TRY_ASSIGN(auto slots, Slots::make(workers));
    if (m_options.remote != nullptr) m_options.remote->watch(m_interruption);
    RemoteCommits remote(store, cache, m_options.remote.get());
    Board board(scratch.path(), store, remote);
    for (const auto& name : m_plan.crons) board.add_result(name, {tick_file(m_options.tick)});
    Builds builds;
    SessionParts parts{m_plan, m_options, cache, store, board, slots, builds, m_events, m_interruption};
    std::vector<std::unique_ptr<PipelineRun>> runs;
    for (const auto& pipeline : m_plan.pipelines) {
      runs.push_back(std::make_unique<PipelineRun>(pipeline, parts));
      BASE_TRY(runs.back()->check());
    }
    for (const auto& run : runs) BASE_TRY(run->prepare());
    const int code = run_all(runs, memory_of(cache), remote, board);
    if (m_interruption.signal() || code > static_cast<int>(base::ErrorKind::step_failed)) return code;
    const auto removed = std::move(store).shrink(most, [&] { return all_logs(cache); });
    // The results are there: the next run removes what this one could not.
    if (!removed) {
      m_events.tell({"", Warned{base::without_hint(removed.error())}});
    } else if (removed->datums > 0 || removed->bytes > 0) {
      m_events.tell({"", CacheShrunk{removed->datums, removed->bytes}});
    }
    return code;
  }

 private:
  // Where digests of the repos' files are remembered: the same folders, the same file.
  fs::path memory_of(const fs::path& cache) const {
    base::Sha256 identity;
    for (const auto& [name, folder] : m_plan.folders) identity.update_field(fs::absolute(folder).string());
    return cache / "run" / ("digests-" + identity.finish().substr(0, 16));
  }

  // The exit code of the first pipeline that has another one than 0.
  int run_all(std::vector<std::unique_ptr<PipelineRun>>& runs, const fs::path& memory, RemoteCommits& remote,
              Board& board) {
    std::vector<int> codes(runs.size(), 0);
    std::vector<std::function<void()>> work;
    work.emplace_back([&] { read(memory, board); });
    if (!m_plan.remote.empty()) work.emplace_back([&] { find(remote, board); });
    for (std::size_t i = 0; i < runs.size(); ++i) {
      work.emplace_back([&code = codes[i], &run = *runs[i]] { code = run.run(); });
    }
    do_all(work);
    const auto bad = std::find_if(codes.begin(), codes.end(), [](int code) { return code != 0; });
    return bad == codes.end() ? 0 : *bad;
  }

  // Each on a thread, and those that the system has no thread for, in their order, on this one. An exception
  // of one of them comes out of here.
  void do_all(const std::vector<std::function<void()>>& work) {
    std::mutex mutex;
    std::condition_variable ended;
    std::size_t running = work.size();
    std::exception_ptr exception;
    const auto guarded = [&](const std::function<void()>& one) {
      try {
        one();
      } catch (...) {
        const std::lock_guard lock(mutex);
        exception = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      --running;
      ended.notify_all();
    };
    std::vector<std::thread> threads;
    threads.reserve(work.size());
    std::vector<const std::function<void()>*> left;
    for (const auto& one : work) {
      try {
        threads.emplace_back([&guarded, &one] { guarded(one); });
      } catch (const std::system_error&) {
        left.push_back(&one);
      }
    }
    for (const auto* one : left) guarded(*one);
    std::unique_lock lock(mutex);
    while (running > 0) {
      ended.wait_for(lock, k_between_ticks);
      lock.unlock();
      m_events.tick();
      lock.lock();
    }
    lock.unlock();
    for (auto& thread : threads) thread.join();
    if (exception) std::rethrow_exception(exception);
  }

  void read(const fs::path& memory, Board& board) {
    FileDigests digests(load_digests(memory));
    auto status = read_folders(m_plan, digests, board, m_events);
    if (!status) {
      for (const auto& [name, folder] : m_plan.folders) board.fail(name, status.error());
      return;
    }
    // Without it the next run takes longer.
    status = save_digests(digests.entries(), memory);
    if (!status && !m_interruption.signal()) m_events.tell({"", Warned{base::without_hint(status.error())}});
  }

  // Asks the cluster for what the plan has of it.
  void find(RemoteCommits& remote, Board& board) {
    const auto tell = [&](Event::What what) { m_events.tell({"", std::move(what)}); };
    const auto warn = [&](const std::string& text) { tell(Warned{text}); };
    for (const auto& input : m_plan.remote) {
      const auto& name = input.first;
      auto commit =
          in_phase(tell, Phase::reading, name, nullptr, [&] { return remote.find(input.second, warn); });
      if (commit) {
        board.add_remote(name, std::move(*commit));
      } else {
        board.fail(name, commit.error());
      }
    }
  }

  const Plan& m_plan;
  const SessionOptions& m_options;
  Events& m_events;
  process::Interruption& m_interruption;
};

}  // namespace

base::Result<int> run_session(const Plan& plan, const SessionOptions& options, Events& events) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  OneAtATime serial(events);
  auto code = Session(plan, options, serial, interruption).run();
  const auto signal = interruption.signal();
  if (!signal) return code;
  if (options.shell != nullptr || !options.tells_interruption) return contract::k_signal_base + *signal;
  serial.tell({"", Warned{std::string("interrupted; ") +
                          (options.partial ? "" : "the output folder was not changed, and ") +
                          "finished datums are kept for the next run"}});
  return contract::k_signal_base + *signal;
}

}  // namespace local
