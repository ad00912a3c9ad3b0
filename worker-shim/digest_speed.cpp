// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/digest_speed.h"

#ifdef PACHBUILD_LATE_OPENSSL
// ld --wrap=OPENSSL_cpuid_setup sends the call at the start to the first and gives us the real one as the
// second.
extern "C" void __wrap_OPENSSL_cpuid_setup();  // NOLINT(bugprone-reserved-identifier)
extern "C" void __real_OPENSSL_cpuid_setup();  // NOLINT(bugprone-reserved-identifier)
extern "C" void __wrap_OPENSSL_cpuid_setup() {}
#endif

namespace shim {

void let_openssl_see_the_processor() {
#ifdef PACHBUILD_LATE_OPENSSL
  __real_OPENSSL_cpuid_setup();
#endif
}

}  // namespace shim
