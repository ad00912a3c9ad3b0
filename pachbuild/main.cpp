// SPDX-License-Identifier: Apache-2.0
// pachbuild: runs and submits pipelines. Each of its verbs is a file in commands/.
#include "pachbuild/commands/program.h"
#include "report/report.h"

int main(int argc, char** argv) {
  return report::guard([&] { return commands::run_program(argc, argv); });
}
