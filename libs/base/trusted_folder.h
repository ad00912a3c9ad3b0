// SPDX-License-Identifier: Apache-2.0
// Opens folders whose content only this user and root decide: programs are started from them, and what they
// hold is believed.
//
// A folder is trusted when this holds for it and for every folder above it, up to "/":
//
//   owner    this user or root. Above the folder also the owner of "/", who decides about every program here:
//            in a user namespace that does not know the real root, that is somebody without a number. The
//            real root counts there too (the owner of /proc/sys), since "/" may be a folder of this user's.
//   mode     nobody else can write to it. A folder above may have the sticky bit instead, as /tmp has: then
//            others can add entries, but not rename or remove the next part of the path, which is ours or
//            root's.
//   links    a symbolic link on the way belongs to this user or root; what it leads to is held to the same.
//
// The user's private group may write, since a umask of 002 (Fedora, Ubuntu) makes all folders so: that is the
// group whose number is the user's, from 1000 up, on a folder of the user's without an access control list.
// Below 1000 are the system's groups, which users share: 0 on OpenShift, 100 on openSUSE.
//
// Each part is opened (O_PATH, no links followed), and what was opened is looked at, so nothing can be
// exchanged between the look and the use. Once a folder has passed, its path is as good as the descriptor: no
// stranger can rename a part of it.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace base {

// Whether the last folder of a path may be like /tmp: writable by all, with the sticky bit. What is found in
// such a folder has to be held to the rule itself (open_trusted_entry).
enum class Sticky { refused, accepted };

// The folder at an absolute path, opened with O_PATH, for openat() and fstat(). No descriptor (and no error)
// when it does not exist. A folder that is not trusted is an error of kind bad_input, which names the part of
// the path at fault. `user` is the effective user's number.
Result<UniqueFd> open_trusted_folder(const std::string& path, uid_t user, Sticky last = Sticky::refused);

// The same, but makes what does not exist, with mode 0755 less the umask.
Result<UniqueFd> make_trusted_folder(const std::string& path, uid_t user, Sticky last = Sticky::refused);

// One folder in a folder that was opened here. A symbolic link in its place is an error, whoever owns it.
// `path` is its whole path, for errors.
Result<UniqueFd> open_trusted_entry(int folder, const std::string& name, const std::string& path, uid_t user);

}  // namespace base
