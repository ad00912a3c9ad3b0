// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/program.h"

int main(int argc, char** argv) { return shim::run_program(argc, argv); }
