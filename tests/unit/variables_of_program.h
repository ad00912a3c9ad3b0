// SPDX-License-Identifier: Apache-2.0
// For tests of what looks into the variables of other programs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

// Waits until a program that was just started has variables: the kernel shows none before it has made the
// program's stack. False when there are none after ten seconds.
inline bool wait_for_variables(pid_t program) {
  const std::string file = "/proc/" + std::to_string(program) + "/environ";
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    if (std::ifstream(file).peek() != std::ifstream::traits_type::eof()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}
