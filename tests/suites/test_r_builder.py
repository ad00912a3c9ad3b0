# SPDX-License-Identifier: Apache-2.0
"""The builder of R programs: packages that are compiled once and shared, a source that is a package, checks, docs/r.md. What
manifests ask for: test_r_installer.py."""

import json

import language_suite
import r_packages
import support
from r_packages import Repository, lock_of, lock_record

MAIN = 'cat(gamma::answer(), beta::beta(), commandArgs(TRUE), basename(getwd()), sep = "|")\n'


class R(language_suite.LanguageSuite):
    LANGUAGE = "r"

    def setUp(self):
        super().setUp()
        support.require_tool("Rscript")

    def repository(self):
        repository = Repository(self.folder / "repository")
        self.records = [lock_record(fields) for fields in (
            repository.add("alpha", "1.0"),
            repository.add("beta", "2.0", Imports="alpha", code="beta <- function() alpha::version()\n"),
            repository.add("gamma", "0.1", files=r_packages.compiled("gamma"), NeedsCompilation="yes"))]
        return repository.write_index()

    def test_scripts_without_packages(self):
        source = self.source({"main.R": 'source("lib/words.R")\ncat(words(commandArgs(TRUE)), "\\n")\n',
                              "lib/words.R": "words <- function(x) length(x)\n"})
        self.build_well(source)
        self.assertEqual(self.output_of(source, "a b", "c"), "2 \n")
        self.makes_nothing_again(source)
        self.refuses({"main.R": "", "lib/a b.R": "x <- 1\ny <- }\nz\n"}, 1, "error: lib/a b.R:2:6: unexpected '}'\n")

    def test_packages_are_compiled_once_and_shared(self):
        repository = self.repository()
        source = self.source({"main.R": MAIN, "renv.lock": json.dumps(lock_of(repository.url, self.records), indent=2)})
        log = self.build_well(source).stderr
        self.assertEqual(sorted(language_suite.installed(log)), ["alpha 1.0", "beta 2.0", "gamma 0.1"])
        self.assertEqual(self.output_of(source, "x y").split("\n")[-1], "42|alpha 1.0|x y|source")
        packages = json.loads((self.folder / "out/build.json").read_text())["packages"]
        self.assertEqual(packages, ["alpha 1.0", "beta 2.0", "gamma 0.1"])
        self.makes_nothing_again(source)
        # An edit of the program installs nothing, another manifest only what is new.
        self.write("source/main.R", "cat('edited')\n")
        self.assertEqual(language_suite.installed(self.build_well(source).stderr), [])
        self.assertEqual(self.output_of(source), "edited")
        repository.add("delta", "1.0")
        repository.write_index()
        other = self.source({"main.R": MAIN, "packages.txt": "delta\ngamma\nbeta\n"}, "other")
        log = self.build_well(other, env=self.environment(CRAN=repository.url)).stderr
        self.assertEqual(sorted(language_suite.installed(log)), [
            "alpha 1.0 (installed before)", "beta 2.0 (installed before)", "delta 1.0", "gamma 0.1 (installed before)"])

    @support.long_test
    def test_a_source_that_is_a_package(self):
        source = self.source({**r_packages.package_files("own", "1.0", code='word <- function() "one"\n'),
                              "main.R": "cat(own::word())\n"})
        self.build_well(source, env=self.environment(CRAN="file:///nowhere"))
        self.assertEqual(self.output_of(source), "one")
        self.write("source/R/code.R", 'word <- function() "two"\n')
        self.build_well(source, env=self.environment(CRAN="file:///nowhere"))
        self.assertEqual(self.output_of(source), "two")

    @support.long_test
    def test_a_package_that_does_not_compile(self):
        repository = Repository(self.folder / "repository")
        files = r_packages.compiled("broken")
        repository.add("broken", "1.0", NeedsCompilation="yes",
                       files={**files, "src/answer.c": "#include <libxml/parser.h>\n"})
        repository.add("configured", "1.0", files={"configure": "#!/bin/sh\necho ' * deb: libfancy-dev (Debian, Ubuntu)'\nexit 1\n"})
        repository.write_index()
        result = self.build(self.source({"main.R": "", "packages.txt": "\nbroken\n"}), env=self.environment(CRAN=repository.url))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("error: packages.txt:2: broken 1.0 cannot be installed", result.stderr)
        self.refuses({"main.R": "", "packages.txt": "configured\n"}, 1,
                     "error: packages.txt:1: configured 1.0 cannot be installed\n"
                     "hint: add to the builder's image: apt-get install libfancy-dev\n", CRAN=repository.url)

    def test_the_r_of_a_lock(self):
        result = self.build(self.source({"main.R": "", "renv.lock": json.dumps(lock_of("file:///x", [], "3.1.0"))}))
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("error: renv.lock: R.Version: needs R 3.1.0; ", result.stderr)
        self.assertIn("hint: install a version that fits, build in an image that has one, or change renv.lock\n", result.stderr)


class Page(language_suite.PageSuite):
    def test_the_commands_of_the_page(self):
        support.require_tool("Rscript")
        self.run_documented("docs/r.md")
        self.assertEqual((self.folder / "means/ten").read_text(), "5.5\n")


if __name__ == "__main__":
    support.main()
