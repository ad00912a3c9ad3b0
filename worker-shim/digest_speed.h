// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace shim {

// OpenSSL looks at the processor when a program starts, to choose its fastest code: 0.05 ms on a virtual
// machine, where each look is a trap. The static shim is linked so that it does not (CMakeLists.txt); this
// makes up for it, before a digest is taken. Elsewhere it does nothing.
void let_openssl_see_the_processor();

}  // namespace shim
