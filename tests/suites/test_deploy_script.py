# SPDX-License-Identifier: Apache-2.0
"""examples/ci/deploy: which commands it runs, with what is set."""

import os

import support

RECORDER = """#!/bin/sh
echo "$*"
case "$*" in *--password-stdin) cat ;; esac
"""
CHECKS = ["validate --file map.json", "diff --file map.json"]
UPDATE = "update pipeline --file map.json --wait --output json"


class Deploy(support.Suite):
    def commands(self, **variables):
        self.write("bin/pachbuild", RECORDER, 0o755)
        env = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", **variables}
        return self.succeed(support.ROOT / "examples/ci/deploy", "map.json", env=env).stdout.splitlines()

    def test_without_a_registry_nothing_is_pushed(self):
        self.assertEqual(self.commands(IMAGE_TAG="1"), [*CHECKS, UPDATE])

    def test_an_image_is_pushed_with_what_is_set(self):
        pushed = f"{UPDATE} --build --registry r.example"
        login = {"REGISTRY_USER": "ann", "REGISTRY_PASSWORD": "a b"}
        for variables, words, after in (({}, "", []), ({"IMAGE_TAG": "1 2"}, " --tag 1 2", []),
                                        (login, " --username ann --password-stdin", ["a b"]),
                                        ({"REGISTRY_USER": "", "IMAGE_TAG": ""}, "", [])):
            with self.subTest(variables):
                self.assertEqual(self.commands(REGISTRY="r.example", **variables), [*CHECKS, pushed + words, *after])


if __name__ == "__main__":
    support.main()
