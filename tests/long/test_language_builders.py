# SPDX-License-Identifier: Apache-2.0
"""The declared builders with what takes long: native modules, yarn and pnpm, TypeScript; vendored crates; R packages with C++,
and the same bytes of all of it elsewhere."""

import json
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import language_suite  # noqa: E402  (found by the line above)
import r_packages  # noqa: E402
import support  # noqa: E402
from r_packages import Repository, lock_of, lock_record  # noqa: E402
from test_node_builder import WORKSPACES  # noqa: E402
from test_rust_builder import HELLO, LOCK, locked, manifest  # noqa: E402

NATIVE = {
    "package.json": '{"name": "native", "version": "1.0.0", "gypfile": true, "scripts": {"install": "node-gyp rebuild"}}',
    "index.js": 'module.exports = require("./build/Release/native.node").file;\n',
    "binding.gyp": '{"targets": [{"target_name": "native", "sources": ["native.c"]}]}',
    "native.c": "#include <node_api.h>\n"
                "static napi_value file(napi_env env, napi_callback_info info) {\n  napi_value value;\n"
                "  napi_create_string_utf8(env, __FILE__, NAPI_AUTO_LENGTH, &value);\n  return value;\n}\n"
                "NAPI_MODULE_INIT() {\n  napi_value value;\n"
                '  napi_create_function(env, "file", NAPI_AUTO_LENGTH, file, NULL, &value);\n'
                '  napi_set_named_property(env, exports, "file", value);\n  return exports;\n}\n',
}
CXX_CODE = """#include <string>
#include <Rinternals.h>
extern "C" SEXP answer() { return Rf_mkString(std::string(__FILE__).c_str()); }
"""


class LongNode(language_suite.LanguageSuite):
    LANGUAGE = "node"

    def setUp(self):
        super().setUp()
        support.require_tool("npm")
        language_suite.require_npm_registry()

    def npm(self, folder, *words):
        self.succeed("npm", *words, cwd=folder, env=self.environment())

    def environment(self, **changes):
        # Where Node brings its headers along, they need not be fetched.
        headers = {"npm_config_nodedir": "/usr"} if pathlib.Path("/usr/include/node/node_api.h").exists() else {}
        return super().environment(**headers, **changes)

    def test_a_native_module(self):
        self.source(NATIVE, "native")
        source = self.source({"package.json": json.dumps({"name": "app", "private": True, "main": "main.js", "dependencies": {
            "native": "file:native-1.0.0.tgz"}}), "main.js": 'console.log(require("native")());\n'})
        self.npm(self.folder / "native", "pack", "--silent", "--pack-destination", str(source))
        self.npm(source, "install", "--package-lock-only", "--silent")
        self.build_well(source)
        self.assertEqual(self.output_of(source), "../native.c\n")
        files = {str(path.relative_to(source)): path.read_bytes() for path in source.iterdir()}
        self.same_bytes_for_another_user("node", files, npm_config_cache=None)

    def test_yarn_and_pnpm(self):
        tools = support.shared_cache("node-tools")
        if not (tools / "bin/pnpm").exists():
            self.npm(self.folder, "install", "--global", "--silent", f"--prefix={tools}", "yarn@1.22.22", "pnpm@9.15.9")
        env = self.environment()
        env["PATH"] = f"{tools / 'bin'}:{env['PATH']}"
        for tool, lock, words in (("yarn", "yarn.lock", ["yarn", "install", "--non-interactive", "--silent"]),
                                  ("pnpm", "pnpm-lock.yaml", ["pnpm", "install", "--lockfile-only"])):
            with self.subTest(tool):
                shutil.rmtree(self.folder / "source", ignore_errors=True)
                wanted = "workspace:*" if tool == "pnpm" else "1.2.3"
                source = self.source({**{name: text for name, text in WORKSPACES.items() if name != "package-lock.json"},
                                      "package.json": json.dumps({
                                          **json.loads(WORKSPACES["package.json"]),
                                          "dependencies": {"@team/words": wanted, "csv-parse": "5.6.0"}})})
                if tool == "pnpm":
                    self.write("source/pnpm-workspace.yaml", "packages:\n  - packages/*\n")
                self.succeed(*words, cwd=source, env=env)
                for modules in list(source.rglob("node_modules")):
                    shutil.rmtree(modules, ignore_errors=True)
                self.assertTrue((source / lock).exists())
                self.build_well(source, env=env)
                self.assertEqual(self.output_of(source, "hello", env=env), "HELLO!\n")

    def test_typescript(self):
        source = self.source({
            "package.json": json.dumps({"name": "typed", "private": True, "main": "dist/main.js", "scripts": {"build": "tsc"},
                                        "devDependencies": {"typescript": "5.4.5"}, "dependencies": {"csv-parse": "5.6.0"}}),
            "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "module": "commonjs", "strict": true}, "include": ["src"]}',
            "src/main.ts": 'import { twice } from "./twice";\nconsole.log(twice(21));\n',
            "src/twice.ts": "export const twice = (n: number): number => 2 * n;\n"})
        self.npm(source, "install", "--package-lock-only", "--silent")
        self.build_well(source)
        self.assertEqual(self.output_of(source), "42\n")
        self.write("source/src/twice.ts", "export const twice = (n: number): number => 3 * n;\n")
        self.assertNotIn("npm ci", self.build_well(source).stderr)
        self.assertEqual(self.output_of(source), "63\n")
        self.write("source/src/twice.ts", 'export const twice =\n  (n: number): number => "n";\n')
        self.assert_fails(self.build(source), 1,
                          "error: src/twice.ts:2:26: TS2322: Type 'string' is not assignable to type 'number'.\n")


class LongRust(language_suite.LanguageSuite):
    LANGUAGE = "rust"

    def setUp(self):
        super().setUp()
        support.require_tool("cargo")

    def test_a_vendored_crate_without_a_network(self):
        source = self.source({
            **HELLO, "Cargo.toml": manifest("hello", '[dependencies]\nlib = "0.1"\n'),
            "Cargo.lock": LOCK + locked("hello", "lib") + '\n[[package]]\nname = "lib"\nversion = "0.1.0"\n'
            'source = "registry+https://github.com/rust-lang/crates.io-index"\n',
            ".cargo/config.toml": '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "vendor"\n',
            "vendor/lib/Cargo.toml": manifest("lib"), "vendor/lib/.cargo-checksum.json": '{"files": {}}',
            "vendor/lib/src/lib.rs": 'pub fn name() -> &\'static str { "vendored" }\n',
            "src/main.rs": 'fn main() { println!("{}", lib::name()); }\n'})
        self.build_well(source)
        self.assertEqual(self.output_of(source), "vendored\n")

    def test_the_same_bytes_elsewhere(self):
        panics = {**HELLO, "src/words.rs": 'pub const HELLO: &str = concat!("at ", file!());\n'}
        # Rust's own installer keeps the tools in the home of whoever used it.
        self.same_bytes_for_another_user("cargo", panics, PATH=f"/usr/bin:{support.environment()['PATH']}",
                                         RUSTUP_HOME=os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")))
        self.assertEqual([path for path in (self.folder / "one/out").iterdir() if path.name.startswith("base-")], [])


class LongR(language_suite.LanguageSuite):
    LANGUAGE = "r"

    def test_the_same_bytes_elsewhere(self):
        support.require_tool("Rscript")
        repository = Repository(self.folder / "repository")
        files = {**r_packages.compiled("plus"), "src/answer.cpp": CXX_CODE}
        del files["src/answer.c"]
        records = [lock_record(fields) for fields in (
            repository.add("plus", "1.0", files=files, NeedsCompilation="yes"),
            repository.add("over", "1.0", Imports="plus", code="over <- function() plus::answer()\n"))]
        repository.write_index()
        self.folder.chmod(0o755)
        self.same_bytes_for_another_user("Rscript", {"main.R": "cat(over::over())\n",
                                          "renv.lock": json.dumps(lock_of(repository.url, records), indent=2)})
        self.assertEqual(self.output_of(self.folder / "one/source", build="one/out"), "answer.cpp")

    def test_a_source_that_is_a_package_has_the_same_bytes_elsewhere(self):
        support.require_tool("Rscript")
        self.same_bytes_for_another_user("Rscript", {**r_packages.package_files("own", "1.0", files=r_packages.compiled("own")),
                                                     "main.R": "cat(own::answer())\n"}, CRAN="file:///nowhere")


if __name__ == "__main__":
    support.main()
