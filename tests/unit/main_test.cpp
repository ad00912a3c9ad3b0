// SPDX-License-Identifier: Apache-2.0
// Sessions start their workers as this program started again (local/pool/worker_host.h), so it is one when
// asked.
#include <gmock/gmock.h>

#include <string>

#include "pachbuild/local/worker/worker.h"

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == local::k_worker_command)
    local::serve_tasks({.channel = argv[2], .folder = argv[3]});
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
