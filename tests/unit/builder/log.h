// SPDX-License-Identifier: Apache-2.0
// What the program tells while one of these lives, in lines as the programs write them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "report/report.h"

class LogOfTest {
 public:
  LogOfTest() {
    report::set_up();
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
  }
  LogOfTest(const LogOfTest&) = delete;
  LogOfTest& operator=(const LogOfTest&) = delete;
  ~LogOfTest() {
    if (!m_has_ended) static_cast<void>(end());
  }
  std::string end() {
    m_has_ended = true;
    const std::string errors = testing::internal::GetCapturedStderr();
    return testing::internal::GetCapturedStdout() + errors;
  }

 private:
  bool m_has_ended = false;
};
