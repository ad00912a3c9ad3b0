# SPDX-License-Identifier: Apache-2.0
"""The builder of Node programs: both kinds of modules, packages from locks of file packages, workspaces, a build script, checks."""

import io
import json
import os
import tarfile

import language_suite
import support

# Packages that are folders need no registry.
WORDS = {"packages/words/package.json": '{"name": "@team/words", "version": "1.2.3", "main": "index.cjs"}\n',
         "packages/words/index.cjs": 'exports.shout = (text) => require("./mark.cjs")(text.toUpperCase());\n',
         "packages/words/mark.cjs": 'module.exports = (text) => text + "!";\n'}
WORKSPACES = {
    **WORDS,
    "package.json": json.dumps({"name": "app", "private": True, "type": "module", "main": "./app.js", "workspaces": ["packages/*"],
                                "dependencies": {"@team/words": "1.2.3"}}),
    "package-lock.json": json.dumps({
        "name": "app", "lockfileVersion": 3, "requires": True, "packages": {
            "": {"name": "app", "workspaces": ["packages/*"], "dependencies": {"@team/words": "1.2.3"}},
            "node_modules/@team/words": {"resolved": "packages/words", "link": True},
            "packages/words": {"name": "@team/words", "version": "1.2.3"}}}),
    "app.js": 'import { shout } from "@team/words";\nconsole.log(shout(process.argv.slice(2).join(" ")));\n',
}
# A compiler of its own: a script of the source.
BUILT = {
    "package.json": json.dumps({"name": "built", "private": True, "main": "dist/main.js", "scripts": {"build": "node compile.js"}}),
    "compile.js": 'const fs = require("fs");\nfs.mkdirSync("dist", { recursive: true });\n'
                  'if (fs.readFileSync("src/main.x", "utf8").includes("wrong")) {\n'
                  '  console.log("src/main.x(3,5): error X1: this is wrong");\n  process.exit(2);\n}\n'
                  'for (const name of fs.readdirSync("src")) {\n'
                  '  fs.writeFileSync("dist/" + name.replace(".x", ".js"), fs.readFileSync("src/" + name));\n}\n',
    "src/main.x": 'require("./other.js");\nconsole.log("built", __filename.split("/").slice(-2).join("/"));\n',
    "src/other.x": 'console.log("other");\n',
}


class Node(language_suite.LanguageSuite):
    LANGUAGE = "node"

    def setUp(self):
        super().setUp()
        support.require_tool("node")
        support.require_tool("npm")

    def test_both_kinds_of_modules(self):
        source = self.source({"main.mjs": 'import { createRequire } from "node:module";\n'
                                          'console.log(createRequire(import.meta.url)("./old.cjs"), process.argv.slice(2));\n',
                              "old.cjs": 'module.exports = require("./data.json").answer;\n', "data.json": '{"answer": 42}\n'})
        self.build_well(source)
        self.assertEqual(self.output_of(source, "a b", ""), "42 [ 'a b', '' ]\n")
        self.makes_nothing_again(source)

    def test_packages_are_listed_however_they_describe_themselves(self):
        def archive(name, text):
            with tarfile.open(self.folder / "source" / name, "w:gz") as tar:
                for member, content in (("package/package.json", text), ("package/index.js", "module.exports = __dirname;\n")):
                    entry = tarfile.TarInfo(member)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content.encode()))
        wanted = {"left": "file:left.tgz", "@team/right": "file:right.tgz"}
        source = self.source({
            "package.json": json.dumps({"name": "app", "main": "main.js", "dependencies": wanted}),
            "package-lock.json": json.dumps({"name": "app", "lockfileVersion": 3, "requires": True, "packages": {
                "": {"name": "app", "dependencies": wanted},
                "node_modules/left": {"version": "1.2.0", "resolved": "file:left.tgz"},
                "node_modules/@team/right": {"version": "2.0.0-rc.1", "resolved": "file:right.tgz"}}}),
            "main.js": 'console.log(require("left").split("/").pop(), require("@team/right").split("/").pop());\n'})
        archive("left.tgz", '{"version": "1.2.0", "name": "left"}')
        archive("right.tgz", '{"description": "d", "name": "@team/right", "version": "2.0.0-rc.1"}')
        self.build_well(source)
        self.assertEqual(self.output_of(source), "left right\n")
        listed = json.loads((self.folder / "out/build.json").read_text())["packages"]
        self.assertEqual(listed, ["@team/right 2.0.0-rc.1", "left 1.2.0"])

    def test_workspaces_and_an_edit_of_one(self):
        source = self.source(WORKSPACES)
        self.build_well(source)
        self.assertEqual(self.output_of(source, "hello"), "HELLO!\n")
        self.write("source/packages/words/mark.cjs", 'module.exports = (text) => text + "?";\n')
        os.utime(source / "packages/words/mark.cjs", (1, 1))
        log = self.build_well(source).stderr
        self.assertNotIn("npm", log)
        self.assertEqual(self.output_of(source, "hello"), "HELLO?\n")
        self.makes_nothing_again(source)

    def test_a_build_script(self):
        source = self.source(BUILT)
        self.build_well(source)
        self.assertEqual(self.output_of(source), "other\nbuilt dist/main.js\n")
        # What an earlier build has made of a file that is gone is gone as well.
        self.write("source/src/main.x", 'console.log(require("fs").readdirSync(__dirname));\n')
        (source / "src/other.x").unlink()
        self.build_well(source)
        self.assertEqual(self.output_of(source), "[ 'main.js' ]\n")
        self.assertFalse((source / "dist").exists())
        self.write("source/src/main.x", "wrong\n")
        self.assert_fails(self.build(source), 1, "error: src/main.x:3:5: X1: this is wrong\n")
        self.write("source/compile.js", "process.exit(4);\n")
        self.assert_fails(self.build(source), 1, "error: package.json: script build exited with code 4\n")
        self.write("source/compile.js", BUILT["compile.js"])
        self.write("source/package.json", BUILT["package.json"].replace("dist/main.js", "lib/main.js"))
        self.write("source/src/main.x", "1\n")
        self.assert_fails(self.build(source), 65, "error: package.json: main is lib/main.js, which its build script does not create\n"
                                                  "hint: correct main, or the build script\n")

    @support.long_test
    def test_the_same_bytes_elsewhere_and_for_another_user(self):
        self.same_bytes_for_another_user("node", {**WORKSPACES, **{
            "package.json": json.dumps({**json.loads(WORKSPACES["package.json"]), "scripts": {"build": "node -e 1"}})}},
            npm_config_cache=None)

    def test_faults_name_file_and_line(self):
        self.refuses({"main.js": "", "lib/a b.mjs": "import fs from 'fs';\nconst x = ;\n"}, 1,
                     "error: lib/a b.mjs:2: Unexpected token ';'\n")
        self.refuses({"main.js": "return 1;\n}\n"}, 1, "error: main.js:2: Unexpected token '}'\n")
        self.refuses({"package.json": '{"main": "main.cjs"}', "main.cjs": "import fs from 'fs';\n"}, 1,
                     "error: main.cjs:1: Cannot use import statement outside a module\n")
        self.refuses({"package.json": '{"main": "nosuch.js"}', "main.js": ""}, 65,
                     'error: package.json: main: no file nosuch.js in the source\n')
        # Nothing of a source that is compiled is taken for JavaScript, and main may return.
        self.build_well(self.source({"main.js": "#!/usr/bin/env node\nif (1) return;\n"}, "fine"))

    def test_what_cannot_be_installed(self):
        depends = {"package.json": '{"main": "main.js", "dependencies": {"left": "1.0.0"}}', "main.js": ""}
        self.refuses(depends, 65, "error: package-lock.json: missing from the source\n"
                                  "hint: run npm install --package-lock-only, and commit the file\n")
        result = self.build(self.source({**depends, "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}}}'}, "unlocked"))
        self.assert_fails(result, 65, "error: package-lock.json: does not match package.json\n"
                                      "hint: run npm install --package-lock-only\n")
        self.assertIn("Missing: left@1.0.0 from lock file", result.stderr)
        self.assertNotIn("Usage:", result.stderr)
        result = self.build(self.source({**depends, "package-lock.json": "{\n"}, "cut"))
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn("\nerror: package-lock.json: invalid JSON: ", result.stderr)
        self.refuses({**depends, "package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"left": "1.0.0"}}, "node_modules/left": {
                "version": "1.0.0", "resolved": "http://127.0.0.1:1/left.tgz", "integrity": "sha512-AAAA"}}})}, 75,
            "error: package-lock.json: the package registry does not answer\n", npm_config_fetch_retries="0", NO_PROXY="127.0.0.1")

    def test_which_node_is_needed(self):
        result = self.build(self.source({"package.json": '{"engines": {"node": ">=99"}}', "main.js": ""}))
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("error: package.json: engines.node: needs node >=99; ", result.stderr)
        self.assertIn("hint: install a version that fits, build in an image that has one, or change package.json\n", result.stderr)
        result = self.build(self.source({".nvmrc": "99\n", "main.js": ""}, "pinned"))
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("error: .nvmrc: needs node 99; ", result.stderr)
        self.assertIn("hint: install a version that fits, build in an image that has one, or change .nvmrc\n", result.stderr)


class Page(language_suite.PageSuite):
    def test_the_commands_of_the_page(self):
        support.require_tool("node")
        self.run_documented("docs/node.md")
        self.assertEqual((self.folder / "uppers/two").read_text(), "ADA\nGRACE\n")


if __name__ == "__main__":
    support.main()
