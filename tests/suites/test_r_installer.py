# SPDX-License-Identifier: Apache-2.0
"""etc/pipeline-build/r/install: what each manifest asks for, what is chosen of repositories and of the image, and what is refused.

All cases go through one R, in which a refusal is an error that is told and not the end. What installs is in test_r_builder.py.
"""

import contextlib
import http.server
import json
import re
import shutil
import threading

import r_packages
import support
from r_packages import Repository, lock_of, lock_record

INSTALLER = support.ROOT / "etc/pipeline-build/r/install"

# For each case (a folder with its manifest's name in `manifest`): the packages of the plan, or code, error and hint.
HARNESS = r"""
words <- commandArgs(TRUE)
for (part in c("errors.R", "json.R", "manifests.R", "repositories.R", "plan.R", "fixed.R", "library.R")) source(file.path(words[1], part))
fail <- function(what, hint = NULL, code = k_manifest_wrong) {
  stop(structure(class = c("refusal", "error", "condition"), list(message = what, hint = hint, code = code, call = NULL)))
}
tell <- function(...) NULL
options(warn = 1, keep.source = FALSE, useFancyQuotes = FALSE)
for (case in words[-(1:2)]) {
  manifest <- readLines(file.path(case, "manifest"))
  Sys.setenv(CRAN = readLines(file.path(case, "cran")))
  override <- file.path(case, "override")
  if (file.exists(override)) Sys.setenv(RENV_CONFIG_REPOS_OVERRIDE = readLines(override))
  result <- tryCatch({
    plan <- plan_packages(read_manifest(case, manifest), words[2])
    order <- ordered(plan)
    paste(vapply(plan[order], function(entry) paste(entry$name, entry$record["Version"], entry$from), ""), collapse = "\n")
  }, refusal = function(refusal) paste0(c(paste(refusal$code, refusal$message), refusal$hint), collapse = "\n"))
  Sys.unsetenv("RENV_CONFIG_REPOS_OVERRIDE")
  cat("=== ", basename(case), "\n", result, "\n", sep = "")
}
"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /401 and /500 with these codes, and everything below /damaged with an index that lies."""

    def do_GET(self):
        parts = self.path.split("/")
        if parts[1] == "damaged" and parts[-1] == "PACKAGES":
            self.answer(200, b"Package: bad\nVersion: 1.0\nMD5sum: 00000000000000000000000000000000\n")
        elif parts[1] == "damaged" and parts[-1].endswith(".tar.gz"):
            self.answer(200, b"not an archive")
        elif parts[1] == "repos":
            self.answer(200, r_packages.HUB.read_bytes()) if parts[-1] == "a" * 40 else self.answer(404, b"")
        else:
            self.answer(int(parts[1]) if parts[1].isdigit() else 404, b"")

    do_HEAD = do_GET

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body if self.command == "GET" else b"")

    def log_message(self, *words):
        pass


class Installer(support.Suite):
    def setUp(self):
        super().setUp()
        support.require_tool("Rscript")
        self.cases = {}
        self.repository = Repository(self.folder / "repository")
        self.alpha = self.repository.add("alpha", "1.2")
        self.repository.add("alpha", "1.0", old=True)
        self.beta = self.repository.add("beta", "2.1", Imports="alpha (>= 1.1),\n  stats", Depends="R (>= 3.5)")
        self.repository.add("needy", "1.0", Imports="alpha (>= 2.0)")
        self.repository.add("orphan", "1.0", Depends="nowhere")
        self.repository.add("future", "1.0", Depends="methods")
        self.repository.add("one", "1.0", Imports="two")
        self.repository.add("two", "1.0", Imports="one")
        self.repository.write_index()
        other = Repository(self.folder / "other")
        self.newer = other.add("alpha", "1.10")
        self.other = other.write_index()

    def serve(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    def case(self, name, manifest, text, expected, cran=None, override=None):
        text = text if isinstance(text, str) else json.dumps(text, indent=2)
        self.write(f"cases/{name}/{manifest}", text)
        self.write(f"cases/{name}/manifest", manifest + "\n")
        self.write(f"cases/{name}/cran", (self.repository.url if cran is None else cran) + "\n")
        if override:
            self.write(f"cases/{name}/override", override + "\n")
        self.cases[name] = expected

    def check(self):
        self.write("harness.R", HARNESS)
        folders = [self.folder / "cases" / name for name in self.cases]
        env = support.environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", LC_ALL="C.UTF-8")
        result = self.succeed("Rscript", "--no-init-file", "harness.R", INSTALLER, self.folder / "cache", *folders, env=env)
        answers = dict(re.findall(r"^=== (.*)\n((?:(?!=== ).*\n)*)", result.stdout, re.MULTILINE))
        for name, expected in self.cases.items():
            with self.subTest(name):
                shown = answers.get(name, result.stderr).removesuffix("\n")
                self.assertEqual(shown.replace(self.repository.url, "REPOSITORY").replace(self.other.url, "OTHER"), expected)

    def test_lists_and_descriptions(self):
        both = "alpha 1.2 archive\nbeta 2.1 archive"
        self.case("list", "packages.txt", "# packages\n\nbeta # the second\n", both)
        self.case("list with versions", "packages.txt", "alpha == 1.0\n", "alpha 1.0 archive")
        self.case("at least", "packages.txt", "alpha>=1.2\n", "alpha 1.2 archive")
        self.case("twice", "packages.txt", "alpha\nalpha == 1.0\nalpha >= 0.1\n", "alpha 1.0 archive")
        self.case("empty list", "packages.txt", "# none\n", "")
        self.case("base packages", "packages.txt", "stats\ntools\n", "")
        self.case("two versions", "packages.txt", "alpha == 1.0\nalpha == 1.2\n",
                  "65 packages.txt:2: alpha is requested as 1.0, 1.2\nkeep one of the versions")
        self.case("bad line", "packages.txt", "alpha\nalpha; beta\n",
                  '65 packages.txt:2: invalid requirement "alpha; beta"\nwrite a name, name==version or name>=version')
        self.case("no such package", "packages.txt", "nothing\n", "65 packages.txt:1: no repository has nothing\n"
                  "correct the name, or add its repository; repositories: REPOSITORY")
        self.case("no such version", "packages.txt", "\nalpha == 7\n", "65 packages.txt:2: no repository has alpha 7\n"
                  "there is 1.2; repositories: REPOSITORY")
        self.case("too new", "packages.txt", "alpha >= 1.3\n", "65 packages.txt:1: no repository has alpha >= 1.3\n"
                  "there is 1.2; repositories: REPOSITORY")
        self.case("what it needs is too old", "packages.txt", "needy\nalpha == 1.2\n",
                  "65 packages.txt:2: needy needs alpha >= 2.0, but 1.2 is asked for\nchange one of the versions")
        self.case("what it needs is nowhere", "packages.txt", "\norphan\n", "65 packages.txt:2: no repository has nowhere\n"
                  "correct the name, or add its repository; repositories: REPOSITORY")
        self.case("circle", "packages.txt", "one\n", "65 packages.txt:1: packages depend on each other in a cycle: one, two")
        self.case("no repository", "packages.txt", "alpha\n", "65 packages.txt:1: REPOSITORY/none is not a repository of R "
                  "packages\ncorrect the repository's URL", cran=f"{self.repository.url}/none")
        self.case("description", "DESCRIPTION", "Package: own\nDepends: R (>= 3.0), methods\nImports:\n    beta (>= 2.0),\n    alpha\n",
                  both)
        self.case("old R", "DESCRIPTION", "Package: own\nDepends:\n    R (>= 99.1)\n",
                  f"69 DESCRIPTION:3: needs R >= 99.1; {shutil.which('R')} is {r_packages.installed_r()}\n"
                  "install a version that fits, build in an image that has one, or change DESCRIPTION")
        self.case("remotes", "DESCRIPTION", "Package: own\nImports: alpha\nRemotes: someone/alpha\n",
                  "65 DESCRIPTION:3: Remotes is for packages outside of repositories\n"
                  "lock their versions with renv::snapshot(); this builder installs what renv.lock says")
        self.case("bad field", "DESCRIPTION", "Package: own\nImports: alpha (1.0)\n", '65 DESCRIPTION: invalid requirement "alpha (1.0)"')
        self.case("two records", "DESCRIPTION", "Package: own\n\nImports: alpha\n",
                  "65 DESCRIPTION: must be one record, without empty lines between its fields")
        self.case("line of a requirement", "DESCRIPTION", "Package: nothings\nImports: alpha,\n nothing\n",
                  "65 DESCRIPTION:3: no repository has nothing\ncorrect the name, or add its repository; repositories: REPOSITORY")
        self.case("more repositories", "DESCRIPTION", f"Package: own\nImports: alpha\nAdditional_repositories: {self.other.url}\n",
                  "alpha 1.10 archive")
        self.check()

    def test_scripts_that_install(self):
        both = "alpha 1.2 archive\nbeta 2.1 archive"
        for number, text in enumerate((
                'install.packages("beta")\n', 'install.packages(c("alpha", "beta"), dependencies = TRUE)\n',
                'utils::install.packages(pkgs = "beta", quiet = TRUE)\n', 'if (!require("beta")) install.packages("beta")\n',
                'wanted <- c("beta")\nnew <- wanted[!(wanted %in% rownames(installed.packages()))]\n'
                "if (length(new)) install.packages(new)\n",
                'for (name in c("beta", "alpha")) {\n  install.packages(name)\n}\n',
                'wanted <- c("beta")\ninstall.packages(setdiff(wanted, rownames(installed.packages())))\n',
                'invisible(lapply(c("beta"), install.packages))\n')):
            self.case(f"script {number}", "install.R", text, both)
        self.case("own repository", "install.R", f'install.packages("alpha", repos = "{self.other.url}")\n', "alpha 1.10 archive")
        self.case("one version", "install.R", 'remotes::install_version("alpha", "1.0")\n', "alpha 1.0 archive")
        name_them = "\nname them as strings, or list them in packages.txt"
        self.case("unclear", "install.R", '\ninstall.packages(readLines("list"))\n',
                  '65 install.R:2: cannot tell which packages install.packages(readLines("list")) installs without running it' + name_them)
        self.case("unclear loop", "install.R", "lapply(all(), install.packages)\n",
                  "65 install.R:1: cannot tell which packages lapply(all(), install.packages) installs without running it" + name_them)
        self.case("github", "install.R", 'x <- 1\nremotes::install_github("some/one")\n',
                  "65 install.R:2: install_github installs packages that are not in a repository\n"
                  "lock the versions with renv::snapshot(); this builder installs what renv.lock says")
        self.case("no R", "install.R", "x <- 1\ny <- )\n", "65 install.R:2:6: unexpected ')'")
        self.case("hostile name", "install.R", 'install.packages("../x")\n', '65 install.R:1: invalid package name "../x"')
        self.check()

    def test_locks(self):
        url = self.repository.url
        alpha, beta = lock_record(self.alpha), lock_record(self.beta)
        again = "\nregenerate the lock file with renv::snapshot()"
        self.case("whole", "renv.lock", lock_of(url, [alpha, beta]), "alpha 1.2 archive\nbeta 2.1 archive", cran="")
        self.case("no hash", "renv.lock", lock_of(url, [{**alpha, "Hash": None, "Version": "1.0"}]), "alpha 1.0 archive")
        self.case("another hash", "renv.lock", lock_of(url, [{**alpha, "Hash": "0" * 32}]),
                  "65 renv.lock:12: alpha 1.2 does not match the lock file: "
                  f"its hash is {alpha['Hash']}, not {'0' * 32}\n"
                  "check the repository, or lock its packages again with renv::snapshot()")
        self.case("not complete", "renv.lock", lock_of(url, [beta]), "65 renv.lock:12: beta needs alpha, which is not locked\n"
                  "install it and run renv::snapshot()")
        self.case("no such version", "renv.lock", lock_of(url, [{**alpha, "Version": "1.1"}]),
                  "65 renv.lock:12: no repository has alpha 1.1\nthere is 1.2; repositories: REPOSITORY")
        self.case("no packages", "renv.lock", {"R": {}}, "65 renv.lock: has no Packages\nregenerate it with renv::snapshot()")
        self.case("no version", "renv.lock", lock_of(url, [{**alpha, "Version": "latest"}]),
                  "65 renv.lock:12: alpha has no valid version" + again)
        self.case("bad name", "renv.lock", lock_of(url, [{**alpha, "Package": "../x"}]), "65 renv.lock:12: invalid package name")
        self.case("local", "renv.lock", lock_of(url, [{**alpha, "Source": "Local"}]),
                  "65 renv.lock:12: alpha comes from Local, which this builder cannot install\n"
                  "install it from a repository, GitHub or GitLab, and run renv::snapshot()")
        self.case("no commit", "renv.lock", lock_of(url, [{**alpha, "Source": "GitHub"}]),
                  "65 renv.lock:12: alpha from GitHub has no RemoteUsername, RemoteRepo and RemoteSha" + again)
        restore = "\nrestore the file, or regenerate it with its tool"
        self.case("cut off", "renv.lock", '{\n  "R": {', "65 renv.lock:2: invalid JSON" + restore)
        self.case("no JSON", "renv.lock", '{\n  "R": 1,\n  Packages: 2\n}', "65 renv.lock:3: invalid JSON" + restore)
        self.case("more than JSON", "renv.lock", "{}\n}\n", "65 renv.lock:2: invalid JSON" + restore)
        self.case("deep", "renv.lock", "[" * 60 + "]" * 60, "65 renv.lock:1: invalid JSON" + restore)
        self.case("empty", "renv.lock", "", "65 renv.lock: the file is empty")
        self.case("its own repository first", "renv.lock", {
            **lock_of(url, [lock_record(self.newer, Repository="Other")]),
            "R": {"Version": "4.2.2", "Repositories": [{"Name": "CRAN", "URL": url}, {"Name": "Other", "URL": self.other.url}]}},
                  "alpha 1.10 archive")
        self.case("another mirror", "renv.lock", lock_of("file:///nowhere", [alpha]), "alpha 1.2 archive", override=f"CRAN={url}")
        self.check()

    def test_what_the_image_has(self):
        version = self.succeed("Rscript", "-e", "for (f in find.package('jsonlite', quiet = TRUE)) cat(read.dcf(file.path(f, "
                               "'DESCRIPTION'), 'Version'))").stdout
        support.require(version, "r-cran-jsonlite is not installed; run scripts/setup languages")
        nothing = "REPOSITORY/none is not a repository of R packages\ncorrect the repository's URL"
        none = f"{self.repository.url}/none"
        self.case("any version", "packages.txt", "jsonlite\n", f"jsonlite {version} image", cran=none)
        self.case("its version", "packages.txt", f"jsonlite == {version}\n", f"jsonlite {version} image", cran=none)
        self.case("another version", "packages.txt", "jsonlite >= 99\n", f"65 packages.txt:1: {nothing}", cran=none)
        record = {"Package": "jsonlite", "Version": version, "Source": "Repository"}
        if version == "1.8.4":  # Debian 12's; the hash is what renv notes of it
            record["Hash"] = "a4269a09a9b865579b2635c77e572374"
        self.case("locked", "renv.lock", lock_of(none, [record]), f"jsonlite {version} image")
        self.case("another hash", "renv.lock", lock_of(none, [{**record, "Hash": "1" * 32}]), f"65 renv.lock:12: {nothing}")
        self.check()

    def test_servers(self):
        server = self.serve()
        hub = self.folder / "hub.tar.gz"
        r_packages.archive(hub, "someone-hubbed-aaaaaaa", r_packages.package_files("hubbed", "0.1"))
        r_packages.HUB = hub
        self.case("login", "packages.txt", "bad\n", f"65 packages.txt:1: {server}/401 refuses access\n"
                  "put the credentials into the repository's URL", cran=f"{server}/401")
        self.case("fault", "packages.txt", "bad\n", f"75 packages.txt:1: {server}/500 does not answer\n"
                  "try again, or name a mirror that can be reached", cran=f"{server}/500")
        self.case("nobody", "packages.txt", "bad\n", "75 packages.txt:1: http://***@127.0.0.1:1 does not answer\n"
                  "try again, or name a mirror that can be reached", cran="http://user:secret@127.0.0.1:1")
        self.case("damaged", "packages.txt", "bad\n", f"75 packages.txt:1: bad_1.0.tar.gz from {server}/damaged is damaged: its MD5 "
                  "sum is not that of the repository's list\ntry again, or use another mirror", cran=f"{server}/damaged")
        record = {"Package": "hubbed", "Version": "0.1", "Source": "GitHub", "RemoteType": "github", "RemoteHost": server,
                  "RemoteUsername": "someone", "RemoteRepo": "hubbed", "RemoteSha": "a" * 40, "Hash": "0" * 32}
        self.case("hub", "renv.lock", lock_of("file:///nowhere", [record]), "hubbed 0.1 archive")
        self.case("hub without it", "renv.lock", lock_of("file:///nowhere", [{**record, "RemoteSha": "b" * 40}]),
                  f"65 renv.lock:12: {server} has no commit {'b' * 40} of hubbed\n"
                  "check that it is pushed; for a private one set GITHUB_PAT in transform.build.env")
        self.case("no hub", "renv.lock", lock_of("file:///nowhere", [{
            **record, "RemoteHost": "http://127.0.0.1:1", "RemoteSha": "c" * 40}]),
                  "75 renv.lock:12: hubbed comes from GitHub, and http://127.0.0.1:1 does not answer\n"
                  "try again where it can be reached, or lock a version from a repository")
        bioc = lock_of("file:///nowhere", [{"Package": "limma", "Version": "1.0", "Source": "Bioconductor"}],
                       Bioconductor={"Version": "3.16"})
        self.case("mirror of Bioconductor", "renv.lock", bioc, "75 renv.lock:15: http://127.0.0.1:1 does not answer\n"
                  "try again, or name a mirror that can be reached", override="http://127.0.0.1:1")
        self.check()


if __name__ == "__main__":
    support.main()
