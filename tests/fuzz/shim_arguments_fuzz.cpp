// SPDX-License-Identifier: Apache-2.0
// Any command line of worker-shim: what is passed on is the end of what was given, and what was read is in
// range.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "tests/fuzz/target.h"
#include "worker-shim/args.h"

namespace {

using fuzz::require;

// An option, a value that suits one, or anything; up to its first zero byte, as the kernel gives it.
std::string word_from(FuzzedDataProvider& data) {
  static const std::string k_words[] = {"--build",
                                        "--environment",
                                        "--exec",
                                        "--install",
                                        "--help",
                                        "--",
                                        "-",
                                        "--check",
                                        "--supervise",
                                        "--grace",
                                        "--grace=",
                                        "10s",
                                        "--remap-exit",
                                        "--remap-exit=143:0",
                                        "--single-process",
                                        "--parent-death-signal",
                                        "TERM",
                                        "--version"};
  std::string word = data.ConsumeBool() ? data.PickValueInArray(k_words) : data.ConsumeRandomLengthString(80);
  return word.substr(0, word.find('\0'));
}

}  // namespace

FUZZ_TARGET(shim_arguments_fuzz, input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  std::vector<std::string> words = {"worker-shim"};
  while (data.remaining_bytes() > 0) words.push_back(word_from(data));
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const auto invocation = shim::parse_arguments(static_cast<int>(words.size()), pointers.data());
  if (!invocation) {
    const std::string text = base::format_error(invocation.error());
    require(text.starts_with("error: ") && text.ends_with('\n'));
    return;
  }
  require(invocation->words >= pointers.data() + 1 && invocation->words <= &pointers.back());
  require(invocation->mode != shim::Mode::command || *invocation->words != nullptr);
  require(invocation->environment.empty() || base::is_digest(invocation->environment));
  const shim::Supervision& supervision = invocation->supervision;
  require(supervision.grace.count() >= 0);
  require(supervision.parent_death_signal >= 0 && supervision.parent_death_signal <= 64);
  for (unsigned code = 0; code < 256; ++code) {
    require(supervision.exit_code(code) >= 0 && supervision.exit_code(code) <= 255);
  }
}
