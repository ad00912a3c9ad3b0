// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/missing.h"

#include <gtest/gtest.h>

namespace builder {
namespace {

std::string in_package(const std::string& name, const std::string& package) {
  return "; " + name + " is missing: install the Debian package " + package;
}

std::string gcc(const std::string& header) {
  return "  src/a.c:3:10: fatal error: " + header + ": No such file or directory\n    3 | #include <" +
         header + ">\ncompilation terminated.\n";
}

TEST(MissingHint, NamesAHeaderAndItsPackage) {
  EXPECT_EQ(missing_hint(gcc("Python.h")), in_package("Python.h", "python3-dev"));
  EXPECT_EQ(missing_hint(gcc("zstd.h")), in_package("zstd.h", "libzstd-dev"));
  EXPECT_EQ(missing_hint("a.c:1:10: fatal error: 'ffi.h' file not found\n"),
            in_package("ffi.h", "libffi-dev"));
}

TEST(MissingHint, KnowsAHeaderByItsFolder) {
  EXPECT_EQ(missing_hint(gcc("openssl/ssl.h")), in_package("openssl/ssl.h", "libssl-dev"));
  EXPECT_EQ(missing_hint(gcc("google/protobuf/io/coded_stream.h")),
            in_package("google/protobuf/io/coded_stream.h", "libprotobuf-dev"));
  EXPECT_EQ(missing_hint(gcc("libxml/xmlversion.h")), in_package("libxml/xmlversion.h", "libxml2-dev"));
}

TEST(MissingHint, SaysWhereAnotherHeaderCanBeFound) {
  for (const std::string name : {"own.h", "own/zlib.h", "zlib.hpp", "Zlib.h", "/zlib.h"}) {
    EXPECT_EQ(missing_hint(gcc(name)),
              "; " + name +
                  " is missing; if it is not part of the project, packages.debian.org or apt-file search " +
                  name + " shows which package provides it");
  }
}

TEST(MissingHint, NamesAToolInTheWordsOfWhateverWantedIt) {
  for (const auto* words : {
           "Error: pg_config executable not found.\n",
           "/bin/sh: 1: pg_config: not found",
           "bash: line 1: pg_config: command not found\n",
           "FileNotFoundError: [Errno 2] No such file or directory: 'pg_config'\n",
           "error: command 'pg_config' failed: No such file or directory\n",
           "x: exec: \"pg_config\": executable file not found in $PATH\n",
       }) {
    EXPECT_EQ(missing_hint(words), in_package("pg_config", "libpq-dev")) << words;
  }
  EXPECT_EQ(missing_hint("gcc: fatal error: cannot execute 'cc1plus': execvp: No such file or directory\n"),
            in_package("cc1plus", "g++"));
}

TEST(MissingHint, SaysNothingOfWhatIsNotKnownToBeATool) {
  for (const auto* words : {
           "",
           "error: no such luck\n",
           "a.c:1:10: fatal error: too many errors: No such file or directory\n",
           "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'\n",
           "FileNotFoundError: [Errno 2] No such file or directory: '\n",
           "/bin/sh: 1: frobnicate: not found\n",
           "sh: make a cake: not found\n",
       }) {
    EXPECT_EQ(missing_hint(words), "") << words;
  }
}

TEST(MissingHint, IsAboutTheLastThatWasMissing) {
  EXPECT_EQ(missing_hint(gcc("yaml.h") + "going on without it\n" + gcc("Python.h") + "error: gcc failed\n"),
            in_package("Python.h", "python3-dev"));
}

}  // namespace
}  // namespace builder
