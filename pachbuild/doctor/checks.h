// SPDX-License-Identifier: Apache-2.0
// The checks, by what they look at. Each gives a line for each thing.
#pragma once

#include <cstdint>
#include <string>

#include "pachbuild/doctor/finding.h"
#include "pachbuild/doctor/machine.h"

namespace doctor {

// The folder, or the nearest one around it that exists.
base::fs::path existing_part(base::fs::path folder);

// system.cpp
Findings check_kernel();
Findings check_sandboxes(const Machine& machine);
Findings check_processors();
Findings check_memory();
// Of the disk of this folder, or of what there is of the folders around it.
Findings check_disk(const base::fs::path& folder);

// The same by numbers.
Findings judge_kernel(const std::string& release, const std::string& processor);
Findings judge_memory(std::uint64_t machine, std::uint64_t granted);
Findings judge_disk(const std::string& folder, std::uint64_t free_bytes, std::uint64_t files,
                    std::uint64_t free_files);

// programs.cpp
Findings check_own_programs(const Machine& machine);
enum class Clusters { maybe, wanted };
Findings check_tools(const Machine& machine, Clusters clusters);
Findings check_images(const Machine& machine);

// cache.cpp: the folder, and its size.
Findings check_cache(const Machine& machine);
Findings check_cache_size(const Machine& machine);

// network.cpp
Findings check_proxies(const Machine& machine);
Findings check_certificates(const Machine& machine);
Findings check_indexes(const Machine& machine);

// cluster.cpp; an empty context is the active one.
Findings check_cluster(const Machine& machine, const std::string& context);

}  // namespace doctor
