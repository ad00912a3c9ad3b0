// SPDX-License-Identifier: Apache-2.0
// Calls of pachctl that do not wait for each other. Each is a process that takes a twelfth of a second to
// start: side by side they take little longer than one.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"

namespace cluster {

class SideBySide {
 public:
  // Gets the pachctl to use. What it calls is called in turn.
  using Calls = std::function<base::Status(const Pachctl&)>;
  void add(const Pachctl& pachctl, Calls calls) { m_all.push_back({pachctl, std::move(calls)}); }

  // Does them all, several at a time when all of these pachctls are shared; else in the order of add(). After
  // a failure or Ctrl-C no further ones begin, and those that run have ended before this returns. Of several
  // errors the one that was added first is given. Only for a process that has no other thread at this time.
  base::Status run();

 private:
  struct Entry {
    Pachctl pachctl;
    Calls calls;
  };
  std::vector<Entry> m_all;
};

// For calls that have a result to give.
template <class Value>
base::Status assign(Value& value, base::Result<Value> result) {
  if (!result) return base::fail(std::move(result).error());
  value = std::move(result).value();
  return {};
}

}  // namespace cluster
