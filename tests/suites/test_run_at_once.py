# SPDX-License-Identifier: Apache-2.0
"""How many datums of `pachbuild run` are under way at once."""

import os

import pipelines
import support
from builder_suite import in_namespaces

# In a mount namespace: a container that gets the time of one processor of the machine's.
ONE_PROCESSOR = ("mount -t tmpfs none /sys && mkdir -p /sys/fs/cgroup && "
                 'echo "100000 100000" > /sys/fs/cgroup/cpu.max && exec "$@"')
# Waits until another datum is under way as well, or gives up.
MEET = """: > {here}/${{data##*/}}
for i in $(seq {tries}); do
  if [ "$(ls {here} | wc -l)" -gt 1 ]; then echo met > /pfs/out/${{data##*/}}; sleep 0.3; break; fi
  sleep 0.1
done
rm {here}/${{data##*/}}
"""


class AtOnce(pipelines.PipelineSuite):
    def met(self, before, tries, *words):
        here = self.folder / "here"
        here.mkdir(exist_ok=True)
        self.data(a="1", b="2")
        self.shell_pipeline(MEET.format(here=here, tries=tries))
        result = self.run_program(*before, *self.command("--force", *words), env=self.environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        return len(self.output())

    def test_as_many_as_the_container_has_processors(self):
        support.require(os.cpu_count() > 1, "there is one processor only")
        self.assertGreaterEqual(self.met((), 100), 1)
        container = (*in_namespaces("--mount"), "sh", "-c", ONE_PROCESSOR, "sh")
        self.assertEqual(self.met(container, 5), 0)
        self.assertGreaterEqual(self.met(container, 100, "--workers", "2"), 1)


if __name__ == "__main__":
    support.main()
