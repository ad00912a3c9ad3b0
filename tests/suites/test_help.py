# SPDX-License-Identifier: Apache-2.0
"""What the programs and their verbs say of themselves, and of options that are wrong, as tests/golden/help has it."""

import concurrent.futures
import os
import re
import tempfile

import recorded
import support

# What else a call needs to get as far as the option in question, and to touch nothing outside of its folder: an
# artifact that is missing, and a spec whose input is.
NEEDED = {
    "builder-runtime": ["--source", "nowhere", "--out", "out"],
    "worker-shim": ["--build", "nowhere"],
    "pachbuild run": ["-f", "spec.json", "-o", "out"],
    "pachbuild builder test": ["--source", "nowhere"],
    "pachbuild builder explain": ["--source", "nowhere"],
}
SPEC = """{"pipeline": {"name": "p"}, "input": {"pfs": {"repo": "data", "glob": "/*"}},
 "transform": {"build": {"language": "python", "path": "source"}}}
"""


def section_of(text, name):
    return text.partition(f"\n{name}:\n")[2].partition("\n\n")[0]


def verbs_in(text):
    return re.findall(r"^  (\S+)", section_of(text, "Commands"), re.MULTILINE)


def required_arguments(text):
    usage = re.search(r"^Usage: .*? \[OPTIONS\](.*)$", text, re.MULTILINE)
    return re.sub(r"\[.*?\]", "", usage[1]).split() if usage and section_of(text, "Arguments") else []


def options_in(text):
    """Each option's longest name: whether it has a value, and which ones it excludes."""
    options = {}
    for entry in re.findall(r"^  -.*(?:\n {20}.*)*", text, re.MULTILINE):
        if names := re.match(r"  (?:-\w,)?(--[a-z-]+)(,| \S+|)", entry):
            excluded = re.findall(r"(?:\(|; )not with ([^;)]*)", " ".join(entry.split()))
            options[names[1]] = names[2].startswith(" "), re.findall(r"--[a-z-]+", " ".join(excluded))
    # The ways to call worker-shim, which it lists above its options.
    for name, value in re.findall(r"^  worker-shim (--[a-z]+)( DIR)?", text, re.MULTILINE):
        options[name] = bool(value), []
    del options["--help"]
    return options


class Help(recorded.RecordedSuite):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PACHCTL": "/nowhere/pachctl"}

    def call(self, words):
        """The call as a person would type it, and all that comes of it."""
        folder = tempfile.mkdtemp(dir=self.folder)
        self.write(f"{folder}/spec.json", SPEC)
        self.write(f"{folder}/source/main.py", "")
        env = {**self.env, "PACHBUILD_CACHE_DIR": f"{folder}/cache"}
        result = self.run_program(support.BIN / words[0], *words[1:], env=env, cwd=folder)
        if result.stdout.startswith("system\n"):  # what doctor finds is another thing on each machine
            return f"$ {' '.join(words)}\n[findings]\n\n"
        text = f"$ {' '.join(words)}\n{result.stdout}{result.stderr}".replace(folder, "FOLDER")
        text = re.sub(r"\blinux/(amd64|arm64)\b", "PLATFORM", text)
        text = re.sub(rf"^(\S+) {re.escape(support.VERSION)}( \(.*\))?$", r"\1 VERSION", text, flags=re.MULTILINE)
        return f"{text}[exit code {result.returncode}]\n\n"

    def calls_of(self, program):
        """All calls of a program by the words of its verbs, its verbs found in its own words."""
        found = {}
        waiting = [[program]]
        while waiting:
            words = waiting.pop()
            text = self.run_program(support.BIN / words[0], *words[1:], "--help", env=self.env).stdout
            found[" ".join(words)] = self.calls_for(words, text)
            waiting += [[*words, verb] for verb in verbs_in(text)]
        return found

    def calls_for(self, words, text):
        needed = NEEDED.get(" ".join(words), ["-f", "spec.json"] if "  -f,--file SPEC " in text else [])
        needed = needed + ["nonsense"] * len(required_arguments(text))
        options = options_in(text)
        valued = [option for option, (has_value, _) in options.items() if has_value and option not in needed]
        calls = [[*words, "--help"], words if words[0] == "pachbuild" else [*words, *needed], [*words, *needed],
                 [*words, "--version"], [*words, "--no-such-option"], [*words, *needed, "nonsense"]]  # fmt: skip
        for option, (_, excluded) in options.items():
            if option in valued:
                calls.append([*words, *needed, option, "nonsense"])
            elif option not in needed:
                calls += [[*words, *needed, option], [*words, *needed, option + "=nonsense"]]
            calls += [[*words, option, "x", other, "x"] for other in excluded]
        for option in valued[-1:]:  # one of each verb stands for its others
            calls += [[*words, *needed, option], [*words, *needed, option + "="]]
        return [call for number, call in enumerate(calls) if call not in calls[:number]]

    def test_all_say_what_is_recorded(self):
        calls = {}
        for program in ("pachbuild", "builder-runtime", "worker-shim"):
            calls.update(self.calls_of(program))
        self.assertGreater(len(calls), 20)
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            texts = {words.replace(" ", "-") + ".txt": threads.map(self.call, several)
                     for words, several in calls.items()}  # fmt: skip
            texts = {name: "".join(parts) for name, parts in texts.items()}
        self.compare("help", texts)
        self.assertFalse(self.home.exists(), "nothing is written to the home folder")

    def test_a_verb_is_explained_as_by_its_help(self):
        for words in ([], ["run"], ["update", "pipeline"], ["list"]):
            with self.subTest(words):
                said = self.run_program(support.PACHBUILD, "help", *words, env=self.env)
                self.assertEqual((said.returncode, said.stderr), (0, ""))
                self.assertEqual(said.stdout, self.run_program(support.PACHBUILD, *words, "--help", env=self.env).stdout)

    def test_what_is_mistyped_is_recognised(self):
        for words, fault in (
            (["rnu"], 'unknown command rnu\nhint: did you mean "run"?'),
            (["help", "rnu"], 'unknown command rnu\nhint: did you mean "run"?'),
            (["update", "pipelin"], 'unknown command pipelin\nhint: did you mean "pipeline"?'),
            (["help", "update", "pipelin"], 'unknown command pipelin\nhint: did you mean "pipeline"?'),
            (["help", "glob", "x"], "unexpected argument x\nhint: see pachbuild glob --help"),
            (["pipeline"], 'unknown command pipeline\nhint: did you mean "create pipeline" or "update pipeline" or '
                           '"delete pipeline"?'),
            (["datum"], 'unknown command datum\nhint: did you mean "list datum"?'),
            (["help", "clean"], 'unknown command clean\nhint: did you mean "cache clean"?'),
            (["init", "x", "--language", "pyton"], '--language pyton: must be python or go\nhint: did you mean "python"?'),
            (["run", "--runtime=dokcer"], '--runtime dokcer: must be none, podman or docker\nhint: did you mean "docker"?'),
            (["xyzzy"], "unknown command xyzzy\nhint: see pachbuild --help"),
            (["run", "--inptu", "x=y"], 'unknown option --inptu\nhint: did you mean "--input"?'),
            (["run", "--inptu=x=y"], 'unknown option --inptu\nhint: did you mean "--input"?'),
            (["update", "pipeline", "--regisrty", "x"], 'unknown option --regisrty\nhint: did you mean "--registry"?'),
            (["run", "-y"], "unknown option -y\nhint: see pachbuild run --help"),
            (["glob", "a", "b", "c"], "unexpected argument c\nhint: see pachbuild glob --help"),
        ):  # fmt: skip
            with self.subTest(words):
                said = self.run_program(support.PACHBUILD, *words, env=self.env)
                self.assertEqual((said.returncode, said.stdout, said.stderr), (64, "", f"error: {fault}\n"))

    def test_a_spec_needs_no_option(self):
        for words in (["spec.json"], ["-f", "spec.json"]):
            self.assertIn("data -> [p]\n", self.call(["pachbuild", "graph", *words]))
        self.assertIn("other.json", self.call(["pachbuild", "validate", "spec.json", "other.json"]))


if __name__ == "__main__":
    support.main()
