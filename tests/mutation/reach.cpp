// SPDX-License-Identifier: Apache-2.0
// Added to the unit tests of scripts/mutate: writes, for each test, how long it took and which places it
// reached.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "fault.h"

namespace {

class Reach : public testing::EmptyTestEventListener {
 public:
  explicit Reach(const char* path) : m_path(path) {}

  // Not earlier: the program is also started as a worker, which has no tests.
  void OnTestProgramStart(const testing::UnitTest&) override { m_file.open(m_path); }

  // What was reached since the test before, by what several tests share, is this one's too.
  void OnTestEnd(const testing::TestInfo& test) override {
    auto& page = fault::page();
    m_file << test.test_suite_name() << '.' << test.name() << '\t' << test.result()->elapsed_time() << '\t';
    for (int number = 0; number < static_cast<int>(sizeof page.is_reached); ++number) {
      if (page.is_reached[number] != 0) m_file << number << ' ';
    }
    m_file << std::endl;
    std::memset(page.is_reached, 0, sizeof page.is_reached);
  }

 private:
  std::string m_path;
  std::ofstream m_file;
};

const bool is_listening = [] {
  if (const char* path = std::getenv("MUTATE_REACH"); path != nullptr) {
    testing::UnitTest::GetInstance()->listeners().Append(new Reach(path));
  }
  return true;
}();

}  // namespace
