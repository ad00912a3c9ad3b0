// SPDX-License-Identifier: Apache-2.0
// Tells which packages are compiled while uv runs. A package of an index that has no wheel for this Python is
// built from its source in a folder of uv's cache that has its name; the processes that work there show it.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace builder::python {

struct SourceBuild {
  std::string name;
  std::string version;
};

// The package that is built in a folder of uv's cache ("…/sdists-v11/pypi/numpy/1.22.0/HASH/src"); nothing
// for other folders.
std::optional<SourceBuild> source_build_in(std::string_view folder);

class SourceBuilds {
 public:
  // `tell` gets the lines, from another thread, while this object lives. `why` says why a package is compiled
  // ("" where that is not known).
  SourceBuilds(std::string why, std::function<void(const std::string& line)> tell);

 private:
  void watch(const std::stop_token& stop);

  std::string m_why;
  std::function<void(const std::string& line)> m_tell;
  std::jthread m_thread;  // the last member: it ends before the others
};

}  // namespace builder::python
