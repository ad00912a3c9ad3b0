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
#include "pachbuild/local/results/result_store.h"
#include "pachbuild/local/session/board.h"
#include "pachbuild/local/session/environment.h"
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

  void warned(const std::string& pipeline, const std::string& what) override {
    tell(&Events::warned, pipeline, what);
  }
  void built(const std::string& pipeline, std::chrono::steady_clock::duration elapsed) override {
    tell(&Events::built, pipeline, elapsed);
  }
  void counted(const std::string& pipeline, std::size_t datums) override {
    tell(&Events::counted, pipeline, datums);
  }
  void begins(const std::string& pipeline, std::size_t datums) override {
    tell(&Events::begins, pipeline, datums);
  }
  void started(const std::string& pipeline, const std::string& label) override {
    tell(&Events::started, pipeline, label);
  }
  void ended(const std::string& pipeline, const DatumReport& report) override {
    tell(&Events::ended, pipeline, report);
  }
  void exporting(const std::string& pipeline, std::uint64_t bytes) override {
    tell(&Events::exporting, pipeline, bytes);
  }
  void finished(const std::string& pipeline, const PipelineReport& report) override {
    tell(&Events::finished, pipeline, report);
  }
  void failed(const std::string& pipeline, const base::Error& error) override {
    tell(&Events::failed, pipeline, error);
  }
  void left_out(const std::string& pipeline, const std::string& because) override {
    tell(&Events::left_out, pipeline, because);
  }
  void cache_shrunk(std::size_t datums, std::uint64_t bytes) override {
    tell(&Events::cache_shrunk, datums, bytes);
  }
  void tick() override { tell(&Events::tick); }

 private:
  template <class Event, class... Arguments>
  void tell(Event event, const Arguments&... arguments) {
    const std::lock_guard lock(m_mutex);
    (m_events.*event)(arguments...);
  }

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
base::Status read_folders(const Plan& plan, FileDigests& digests, Board& board) {
  std::map<fs::path, Commit> read;
  for (const auto& [name, folder] : plan.folders) {
    BASE_TRY_ASSIGN(const auto path, without_links(folder));
    auto known = read.find(path);
    if (known == read.end()) {
      BASE_TRY_ASSIGN(auto commit, commit_of_folder(path, &digests));
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
    Board board(scratch.path(), store);
    for (const auto& name : m_plan.crons) board.add_result(name, {tick_file(m_options.tick)});
    Builds builds;
    SessionParts parts{m_plan, m_options, cache, store, board, slots, builds, m_events, m_interruption};
    std::vector<std::unique_ptr<PipelineRun>> runs;
    for (const auto& pipeline : m_plan.pipelines) {
      runs.push_back(std::make_unique<PipelineRun>(pipeline, parts));
      BASE_TRY(runs.back()->check());
    }
    for (const auto& run : runs) BASE_TRY(run->prepare());
    const int code = run_all(runs, memory_of(cache), board);
    if (m_interruption.signal() || code > static_cast<int>(base::ErrorKind::step_failed)) return code;
    const auto removed = std::move(store).shrink(most);
    // The results are there: the next run removes what this one could not.
    if (!removed) {
      m_events.warned("", removed.error().where + ": " + removed.error().what);
    } else if (removed->datums > 0) {
      m_events.cache_shrunk(removed->datums, removed->bytes);
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
  int run_all(std::vector<std::unique_ptr<PipelineRun>>& runs, const fs::path& memory, Board& board) {
    std::vector<int> codes(runs.size(), 0);
    std::vector<std::function<void()>> work;
    work.emplace_back([&] { read(memory, board); });
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
    auto status = read_folders(m_plan, digests, board);
    if (!status) {
      for (const auto& [name, folder] : m_plan.folders) board.fail(name, status.error());
      return;
    }
    // Without it the next run takes longer.
    status = save_digests(digests.entries(), memory);
    if (!status && !m_interruption.signal())
      m_events.warned("", status.error().where + ": " + status.error().what);
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
  serial.warned(
      "", "interrupted; the output folder was not changed, and finished datums are kept for the next run");
  return contract::k_signal_base + *signal;
}

}  // namespace local
