// SPDX-License-Identifier: Apache-2.0
// build.json: what an artifact is and how it was made, for people and tools. Schema: docs/build.schema.json.
// Nothing on the path of a datum reads it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contract {

inline constexpr int k_build_record_schema = 1;

// What a bundle may be unpacked on.
struct Platform {
  std::string os;            // "linux"
  std::string architecture;  // as Go and OCI name it: "amd64", "arm64"
  std::string libc;          // "glibc 2.36", "musl"; empty when the bundle needs none
  std::string interpreter;   // "cpython-3.11.2-x86_64-linux-gnu"; empty when there is none
  bool operator==(const Platform&) const = default;
};

// Which part of the source runs, and why that one.
struct Program {
  // As a user would name it: "main.py", "./cmd/tool"; empty: the source's own run.sh decides.
  std::string name;
  std::string chosen;  // the reason, in a few words: "the only package main"
  bool operator==(const Program&) const = default;
};

// Where run.sh starts the program.
struct StartFolder {
  std::string folder;       // "/pfs/source"
  bool is_default = false;  // a working_dir of the pipeline counts more
  bool operator==(const StartFolder&) const = default;
};

struct Bundle {
  std::string file;    // bundle-<digest>.tar.zst, or base-…
  std::string digest;  // of the file
  std::uint64_t bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::uint64_t files = 0;
  bool operator==(const Bundle&) const = default;
};

struct BuildRecord {
  std::string builder;  // "python", "go"
  std::string version;  // of builder-runtime
  std::string key;      // of everything that decided the bundle
  Platform platform;
  Program program;
  // The environment's own and the one that it lies on; none when nothing had to be installed or compiled.
  std::vector<Bundle> bundles;
  std::vector<std::string> command;  // what run.sh starts, without the user's arguments
  // What the program imports of installed packages and could find imported (Python): "pandas".
  std::vector<std::string> imports;
  StartFolder starts_in;  // without a folder: where run.sh itself is started, or a run.sh that is the user's
  // What is set for it where the pipeline sets nothing, and what comes first in lists separated by ":". In
  // the values contract::k_environment_mark stands for the folder of the unpacked bundle.
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> prepend;
  std::vector<std::string> packages;  // what was resolved: "numpy==2.1.3", "golang.org/x/net v0.30.0"
  // The same with hashes, as a requirements file has them; Python only, none where a lock has them already.
  std::vector<std::string> requirements;
  // The shared libraries that the program wants to find in the image: "libc.so.6".
  std::vector<std::string> libraries;
  // What programs can import from the bundles (Python). In the cache's records only.
  std::vector<std::string> modules;
  // The artifact's other files by name, with their digests: what a later build may remove.
  std::map<std::string, std::string> files;
  bool operator==(const BuildRecord&) const = default;
};

// The two halves of one of `packages`: "numpy" and "2.1.3"; "tool" and "https://…" of "tool @ https://…".
std::pair<std::string, std::string> name_and_version(const std::string& package);

// As build.json has it: sorted keys, two spaces, a last newline; the same record gives the same bytes.
std::string to_json(const BuildRecord& record);

// The record of `text`; `where` names the file in errors. A newer schema is an error that says so.
base::Result<BuildRecord> parse_build_record(const std::string& text, const std::string& where);

}  // namespace contract
