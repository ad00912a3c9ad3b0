// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/collector.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/folder.h"

namespace local {
namespace {

constexpr std::chrono::milliseconds k_moment{50};
// How long a slot waits for an output: longer than it takes to collect a small one on a busy machine.
constexpr std::chrono::milliseconds k_longest_hold{500};

bool empty_folder(const std::string& path) {
  const auto folder = base::Folder::open_without_link(path, path);
  const auto names = folder ? folder->names() : base::fail(folder.error());
  return names && std::all_of(names->begin(), names->end(),
                              [&](const auto& name) { return folder->remove(name).has_value(); });
}

}  // namespace

// Without the descriptor whoever waits looks again a moment later.
Collector::Collector(ResultStore& store, unsigned threads)
    : m_store(store), m_most_threads(threads), m_ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Collector::~Collector() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
    m_waiting.clear();
  }
  m_changed.notify_all();
  for (auto& thread : m_threads) thread.join();
}

void Collector::add(Task task, std::string key, Openers openers, std::optional<Slots::Slot> slot) {
  Waiting waiting{std::move(task), std::move(key), openers};
  ++m_pending;
  if (m_threads.size() < m_most_threads) {
    try {
      m_threads.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system has no more threads: those that there are do it, or else this one.
      m_most_threads = static_cast<unsigned>(m_threads.size());
    }
  }
  if (m_threads.empty()) {
    m_done.push_back(collect(std::move(waiting)));
    return;
  }
  {
    const std::lock_guard lock(m_mutex);
    if (slot)
      m_held.push_back(
          {waiting.task.id, std::chrono::steady_clock::now() + k_longest_hold, std::move(*slot)});
    m_waiting.push_back(std::move(waiting));
  }
  m_changed.notify_all();
}

void Collector::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    m_changed.wait(lock, [this] { return m_ending || !m_waiting.empty(); });
    if (m_ending) return;
    Waiting next = std::move(m_waiting.front());
    m_waiting.pop_front();
    lock.unlock();
    auto collected = collect(std::move(next));
    lock.lock();
    std::erase_if(m_held, [&](const auto& held) { return held.task == collected.task.id; });
    m_done.push_back(std::move(collected));
    ::eventfd_write(m_ready.get(), 1);
    m_changed.notify_all();
  }
}

Collector::Collected Collector::collect(Waiting waiting) const {
  auto& task = waiting.task;
  const auto tree = OutputTree::open(task.output);
  auto files = tree ? m_store.add(waiting.key, *tree) : base::fail(tree.error());
  if (waiting.openers == Openers::maybe || !empty_folder(task.output))
    static_cast<void>(base::remove_tree(task.output));
  return {std::move(task), std::move(files)};
}

std::optional<Collector::Collected> Collector::take(bool wait) {
  std::unique_lock lock(m_mutex);
  if (wait) m_changed.wait_for(lock, k_moment, [this] { return !m_done.empty(); });
  std::erase_if(m_held, [](const auto& held) { return held.until < std::chrono::steady_clock::now(); });
  if (m_done.empty()) {
    eventfd_t ignored = 0;
    ::eventfd_read(m_ready.get(), &ignored);
    return std::nullopt;
  }
  auto collected = std::move(m_done.front());
  m_done.pop_front();
  --m_pending;
  return collected;
}

}  // namespace local
