// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a connection over the loopback interface, which every process of the machine
// can reach.
#pragma once

namespace local {

// Whether a process of this process's PID namespace, or of one below it, has the other end of a TCP
// connection open. False when that cannot be found out.
bool is_from_own_namespace(int connection);

}  // namespace local
