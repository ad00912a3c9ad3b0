# SPDX-License-Identifier: Apache-2.0
"""worker-shim --supervise, and as PID 1: what tests/supervisor expects of a supervisor, and what only ours has."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import support

sys.path.insert(0, str(support.ROOT / "tests"))

from supervisor import conformance  # noqa: E402  (found by the line above)


class AsChild(conformance.Conformance, conformance.TerminalConformance, support.Suite):
    subject = conformance.Shim(support.SHIM)


class AsInit(conformance.Conformance, conformance.TerminalConformance, support.Suite):
    """As PID 1, with no option for it."""

    subject = conformance.InNamespace(conformance.Shim(support.SHIM))

    def setUp(self):
        super().setUp()
        probe = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False)
        support.require(probe.returncode == 0, "PID namespaces need root")


if __name__ == "__main__":
    support.main()
