// SPDX-License-Identifier: Apache-2.0
// The hash by which PFS knows a file's content, so that what is there already can be told from here, and what
// came from there can be verified.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace pfs {

// From this size on PFS may split a file where its content says (DefaultMinChunkSize in
// src/internal/storage/chunk/chunker.go of 2.12), and its hash depends on where.
inline constexpr std::uint64_t k_split_size = 1'000'000;

// The hash of a file as PFS writes it in JSON (base64): BLAKE2b-256 of its chunks' BLAKE2b-256s, and of
// nothing when it is empty.
base::Result<std::string> file_hash(const base::fs::path& file);

}  // namespace pfs
