// SPDX-License-Identifier: Apache-2.0
// Notices that an unpacked environment was changed on the disk. The seal is the modification time of its
// folder: a time in the years 2001 to 2003 whose bits are a fingerprint of all that is below (names, types,
// sizes, times). So
//
//   for every datum     one stat: an entry of the folder itself was added or removed, the time is another
//   once an hour,       the fingerprint is taken again (one stat for each file): a file below was removed,
//   added, and after a boot    cut or written to
//
// That a folder was ever sealed is said by contract::k_sealed_bit.
// One that was not (builder-runtime leaves what it has just made as an environment) is sealed when it is
// first used.
//
// The time of the last change of the folder's inode (st_ctime), which nobody can set, is when that was done
// last, and so when the environment was last used, to the hour. (A build that leads to the environment sets
// it as well, and so puts the check off.) Python's bytecode folders (__pycache__) are left out: the
// interpreter itself adds to them.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <limits>
#include <string>

namespace shim {

// The modification time that unpacked files get, which the fingerprint expects: 1 January 2001.
inline constexpr time_t k_file_time = 978'307'200;

// Seals an environment that is complete. Quietly does nothing on a disk that keeps no such times.
void seal(const std::string& environment);

struct Moment {
  time_t now;
  time_t boot;
};
Moment current_moment();
// When every environment is due to be looked at.
inline constexpr Moment k_end_of_time = {std::numeric_limits<time_t>::max(), 0};

enum class Wholeness { missing, whole, damaged };

// Whether an environment is there and what it was when it was sealed. What this user may not write is taken
// as it is, since it could not be repaired.
Wholeness check_environment(const std::string& environment, const Moment& moment = current_moment());

// Whether one stat is enough to know that it is whole.
bool is_known_to_be_whole(const std::string& environment, const Moment& moment = current_moment());

}  // namespace shim
