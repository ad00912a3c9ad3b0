# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` gives: programs that work from there, their documents, and completion in bash, zsh and fish."""

import os
import pathlib
import pty
import subprocess
import sys
import time

import support

sys.path.insert(0, str(support.ROOT / "site"))

import links  # noqa: E402

BUILD = support.BIN.parent
SPEC = """{"pipeline": {"name": "map"}, "transform": {"build": {"language": "python", "path": "."}},
 "input": {"cross": [{"pfs": {"repo": "left", "glob": "/*"}}, {"pfs": {"repo": "right", "glob": "/"}}, {"cron": {"name": "tick", "spec": "@daily"}}]}}
"""


class Install(support.Suite):
    def setUp(self):
        super().setUp()
        self.succeed("cmake", "--install", BUILD, "--prefix", self.folder / "usr")

    def complete(self, *words):
        """What bash offers for the last of these words, which are as bash has cut them."""
        script = """
            . "$1"; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _pachbuild
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        completion = self.folder / "usr/share/bash-completion/completions/pachbuild"
        return self.succeed("bash", "-euc", script, "bash", completion, *words).stdout.split()

    def path_with_programs(self):
        return f"{self.folder / 'usr/bin'}:{os.environ['PATH']}"

    def complete_in_fish(self, line):
        """What fish offers for a line, each with its description."""
        fish = support.require_tool("fish")
        folder = self.folder / "usr/share/fish/vendor_completions.d"
        result = self.succeed(fish, "--no-config", "-c", f"source {folder}/pachbuild.fish; complete -C $argv[1]", line,
                              env=support.environment(PATH=self.path_with_programs(), HOME=str(self.folder)))
        return dict((text.split("\t") + [""])[:2] for text in result.stdout.splitlines())

    def complete_in_zsh(self, *lines):
        """What each line is after the tabulator key in an interactive zsh."""
        zsh = support.require_tool("zsh")
        main, terminal = pty.openpty()
        self.addCleanup(os.close, main)
        environment = support.environment(PATH=self.path_with_programs(), HOME=str(self.folder), TERM="dumb")
        process = subprocess.Popen([zsh, "-f", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=self.folder,
                                   env=environment, start_new_session=True)
        os.close(terminal)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        shown = self.folder / "shown"
        setup = (f"fpath=({self.folder}/usr/share/zsh/vendor-completions $fpath)", "autoload -Uz compinit", "compinit -D -u",
                 f"show() {{ print -rn -- \"$BUFFER\" >{shown}.new; mv {shown}.new {shown}; BUFFER= }}", "zle -N show",
                 "bindkey '^X^T' show", "bindkey '^I' complete-word", "unsetopt beep list_beep", "LISTMAX=1000")
        os.write(main, "".join(line + "\n" for line in setup).encode())
        completed = []
        for line in lines:
            shown.unlink(missing_ok=True)
            os.write(main, line.encode() + b"\t\x18\x14")
            deadline = time.monotonic() + 30
            while not shown.exists():
                self.assertLess(time.monotonic(), deadline, line)
                time.sleep(0.02)
            completed.append(shown.read_text())
        return completed

    def test_the_programs_run_and_find_their_documents_beside_them(self):
        for name in ("pachbuild", "builder-runtime", "worker-shim"):
            with self.subTest(name):
                self.succeed(self.folder / "usr/bin" / name, "--version")
        documents = self.folder / "usr/share/doc/pachbuild"
        for name in ("README.md", "ARCHITECTURE.md", "docs/running-locally.md", "examples/map/map-go.json"):
            with self.subTest(name):
                self.assertTrue((documents / name).is_file())

    def test_the_links_of_the_documents_lead_to_what_is_installed(self):
        documents = self.folder / "usr/share/doc/pachbuild"
        self.assertGreater(len(links.markdown_files(documents)), 40)
        self.assertEqual(links.dead_links(root=documents), [])

    def test_the_builders_are_beside_the_programs(self):
        builders = self.folder / "usr/share/pachbuild/builders"
        checkout = support.ROOT / "etc/pipeline-build"
        wanted = sorted(file.parent.name for file in checkout.glob("*/builder.toml"))
        self.assertEqual(sorted(folder.name for folder in builders.glob("*")), wanted)
        for name in wanted:
            self.succeed("diff", "-r", builders / name, checkout / name)
            self.assertEqual([file.stat().st_mode for file in sorted((builders / name).rglob("*"))],
                             [file.stat().st_mode for file in sorted((checkout / name).rglob("*"))])
            self.succeed("diff", "-r", BUILD / "share/pachbuild/builders" / name, checkout / name)

    def test_a_build_uses_a_tool_that_is_installed_beside_it_where_path_has_none(self):
        tool = "#!/bin/sh\nexit 3\n"
        for name, source in {"uv": {"main.py": "", "requirements.txt": "six\n"},
                             "go": {"main.go": "package main\n\nfunc main() {}\n", "go.mod": "module m\n\ngo 1.21\n"}}.items():
            for path, content in source.items():
                self.write(f"{name}/{path}", content)
            beside = self.write(f"usr/bin/{name}", tool, 0o755)
            self.assertIn(f"error: {beside}: does not work", self.build(name, "/usr/bin:/bin"))
            on_path = self.write(f"{name}-bin/{name}", tool, 0o755)
            self.assertIn(f"error: {on_path}: does not work", self.build(name, f"{on_path.parent}:/usr/bin:/bin"))
            beside.unlink()
            self.assertIn(f"error: {name}: is not on PATH\n", self.build(name, "/usr/bin:/bin"))

    def build(self, source, path):
        """The output of a build by the installed program that fails because a tool is missing."""
        support.require(not any(pathlib.Path(folder, source).exists() for folder in ("/usr/bin", "/bin")),
                        f"this machine has {source} in /usr/bin")
        cache = str(self.folder / "cache")
        result = self.run_program(self.folder / "usr/bin/builder-runtime", "--source", source, "--out", "out",
                                  env=support.environment(PATH=path, PACHBUILD_CACHE_DIR=cache))
        self.assertEqual(result.returncode, 69, result.stderr)
        return result.stderr

    def test_bash_completes_verbs_options_values_and_paths(self):
        program = str(self.folder / "usr/bin/pachbuild")
        for words, offered in [
                (["ru"], ["run"]), (["run", "--out"], ["--output"]), (["update", "pi"], ["pipeline"]),
                (["update", "pipeline", "--rep"], ["--reprocess"]), (["update", "pipeline", "--dry-run", "-o", "y"], ["yaml"]),
                (["status", "map", "--con"], ["--context"]), (["help", "upd"], ["update"]),
                (["help", "update", "python"], ["python-pipeline"]), (["run", "--runtime", "p"], ["podman"]),
                (["run", "--runtime", "=", "p"], ["podman"]), (["nothing", "x"], []),
                (["cache", ""], ["path", "list", "clean"]), (["cache", "clean", "re"], ["results", "records"]),
                (["cache", "clean", "go", "py"], ["python"]), (["cache", "clean", "--d"], ["--dry-run"]),
                (["doctor", "--net"], ["--network"]), (["builder", "n"], ["new"]),
                (["builder", "new", "x", "--from", ""], sorted(set(support.LANGUAGES) - {"go", "python"})),
                (["builder", "test", "--ke"], ["--keep"])]:
            with self.subTest(words):
                self.assertEqual(self.complete(program, *words), offered)
        self.assertIn("--file", self.complete(program, "run", "-"))
        self.write("specs/map.json", SPEC)
        for words, offered in [
                (["run", "-f", "spe"], ["specs"]), (["run", "-f", "specs/m"], ["specs/map.json"]), (["run", "specs/m"], ["specs/map.json"]),
                (["glob", "specs/m"], []), (["run", "--input", "data", "=", "spe"], ["specs"]),
                (["run", "-f", "specs/map.json", "--input", ""], ["left=", "right="]),
                (["run", "-f", "specs/map.json", "--input", "l"], ["left="]),
                (["run", "-f", "specs/map.json", "--input", "=", "l"], ["left="]),
                (["run", "-f", "specs/map.json", "--pipeline", ""], ["map"]), (["run", "-f", "absent.json", "--pipeline", ""], []),
                (["run", "--input", "=", "data", "=", "spe"], ["specs"]), (["init", "--language", "p"], ["python"]),
                (["init", "demo", "--from", "specs/m"], ["specs/map.json"]), (["init", "--context", "spe"], ["specs"]),
                (["init", "spe"], ["specs"]), (["builder", "test", "spe"], ["specs"]),
                (["builder", "explain", "./spe"], ["./specs"]), (["builder", "new", "spe"], ["specs"])]:
            with self.subTest(words):
                self.assertEqual(self.complete(program, *words), offered)

    def test_fish_completes_the_same_with_descriptions(self):
        self.write("specs/map.json", SPEC)
        self.assertEqual(self.complete_in_fish("pachbuild ru"), {"run": "Build a pipeline and run it on this machine"})
        self.assertEqual(list(self.complete_in_fish("pachbuild update ")), ["pipeline", "python-pipeline"])
        self.assertEqual(list(self.complete_in_fish("pachbuild run --runtime=p")), ["--runtime=podman"])
        self.assertEqual(list(self.complete_in_fish("pachbuild run specs/")), ["specs/map.json"])
        self.assertEqual(list(self.complete_in_fish("pachbuild run specs/map.json --input ")), ["left=", "right="])
        self.assertEqual(list(self.complete_in_fish("pachbuild run --input left=spe")), ["left=specs/"])

    def test_zsh_completes_the_same(self):
        self.write("specs/map.json", SPEC)
        self.write("a folder/file", "")
        lines = {
            "pachbuild ru": "pachbuild run ",
            "pachbuild update pi": "pachbuild update pipeline ",
            "pachbuild run --runt": "pachbuild run --runtime ",
            "pachbuild run --runtime p": "pachbuild run --runtime podman ",
            "pachbuild run -f spe": "pachbuild run -f specs/",
            "pachbuild run -f specs/m": "pachbuild run -f specs/map.json ",
            "pachbuild run specs/map.json --input le": "pachbuild run specs/map.json --input left=",
            "pachbuild run --input left=spe": "pachbuild run --input left=specs/",
            "pachbuild run --input left=a": "pachbuild run --input left=a\\ folder/",
        }
        self.assertEqual(dict(zip(lines, self.complete_in_zsh(*lines))), lines)


if __name__ == "__main__":
    support.main()
