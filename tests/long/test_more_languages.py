# SPDX-License-Identifier: Apache-2.0
"""Languages that others have declared: the builders in examples/builders pass every check, and build small programs of their kind."""

import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import builder_suite  # noqa: E402  (found by the line above)
import support  # noqa: E402

BUILDERS = ROOT / "examples/builders"
GEMSPEC = """Gem::Specification.new do |gem|
  gem.name = "@NAME@"
  gem.version = "0.3.1"
  gem.summary = gem.authors = "words"
  gem.files = Dir["{lib,exe,ext}/**/*"]
  @MORE@
end
"""
GEMS = {
    "tally": ('gem.bindir = "exe"; gem.executables = ["tally"]',
              {"lib/tally.rb": "module Tally\n  def self.of(words) = words.tally.map { |word, n| \"#{word}=#{n}\" }.join(\" \")\nend\n",
               "exe/tally": 'require "tally"\nputs Tally.of(ARGV)\n'}),
    "plus": ('gem.extensions = ["ext/plus/extconf.rb"]',
             {"lib/plus.rb": 'require "plus/plus"\n',
              "ext/plus/extconf.rb": 'require "mkmf"\ncreate_makefile("plus/plus")\n',
              "ext/plus/plus.c": "#include <ruby.h>\n"
                                 "static VALUE two(VALUE self, VALUE a, VALUE b) { return LONG2NUM(NUM2LONG(a) + NUM2LONG(b)); }\n"
                                 'void Init_plus(void) { rb_define_global_function("plus", two, 2); }\n'}),
}
FAST_SUM = """#include <octave/oct.h>
#include "add.h"
DEFUN_DLD (fast_sum, args, , "sum of a vector")
{
  return octave_value (add (args(0).array_value ()));
}
"""
ADD = """#include "add.h"
double add (const NDArray& all)
{
  double sum = 0;
  for (octave_idx_type i = 0; i < all.numel (); i++) sum += all(i);
  return sum;
}
"""


class MoreLanguages(builder_suite.BuilderSuite):
    LANGUAGE = ""

    def environment(self, **changes):
        env = support.environment(PACHBUILD_CACHE_DIR=str(self.cache), TMPDIR=str(self.folder), **changes)
        env["PATH"] = f"{support.BIN}:{env['PATH']}"
        return env

    def build(self, source, *arguments, **options):
        return super().build(source, "--builder", str(BUILDERS / self.LANGUAGE), *arguments, **options)

    def output_of(self, source, *arguments):
        result = self.run_artifact(source, *arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def passes_the_table(self):
        """By the command of its page."""
        text = (BUILDERS / self.LANGUAGE / "README.md").read_text(encoding="utf-8")
        commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        result = self.succeed("bash", "-euc", "".join(commands), cwd=ROOT, env=self.environment())
        outcomes = dict(re.findall(r"^(\S.*?)  +(ok|FAILED|note|skipped)\b", result.stdout, re.MULTILINE))
        self.assertEqual(len(outcomes), 14, result.stdout)
        skipped = {"without root, source read-only": "skipped"}
        self.assertLessEqual({name: outcome for name, outcome in outcomes.items() if outcome != "ok"}.items(), skipped.items(),
                             result.stdout)

        said = re.search(r"`builder\.toml`, in (\d+) lines", text)
        self.assertEqual(int(said[1]), len((BUILDERS / self.LANGUAGE / "builder.toml").read_text(encoding="utf-8").splitlines()))


class Ruby(MoreLanguages):
    LANGUAGE = "ruby"

    def setUp(self):
        super().setUp()
        support.require_tool("ruby")

    def test_the_table(self):
        self.passes_the_table()

    def test_a_script_without_gems(self):
        source = self.source({"only.rb": 'require "words"\nputs Words.shout(ARGV.first)\n',
                              "lib/words.rb": "module Words\n  def self.shout(text) = text.upcase\nend\n"})
        self.build_well(source)
        self.assertEqual(self.output_of(source, "a b"), "A B\n")
        self.write("source/lib/words.rb", "module Words\n  def self.shout(text) = )\nend\n")
        result = self.build(source)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"error: lib/words\.rb:2: syntax error")

    def test_gems_of_a_lock(self):
        support.require_tool("bundle")
        header = self.succeed("ruby", "-e", 'print RbConfig::CONFIG["rubyhdrdir"], "/ruby.h"', env=self.environment()).stdout
        support.require(pathlib.Path(header).exists(), f"{header} is missing; run scripts/setup long")
        source = self.source({"Gemfile": 'source "https://rubygems.org"\ngem "tally"\ngem "plus"\n',
                              "main.rb": 'require "plus"\nputs plus(40, ARGV.first.to_i), `tally a b a`\n'})
        (source / "vendor/cache").mkdir(parents=True)
        for name, (more, files) in GEMS.items():
            gem = self.source({f"{name}.gemspec": GEMSPEC.replace("@NAME@", name).replace("@MORE@", more), **files}, f"gems/{name}")
            (gem / "exe/tally").chmod(0o755) if name == "tally" else None
            self.succeed("gem", "build", "--silent", f"{name}.gemspec", cwd=gem, env=self.environment())
            shutil.move(gem / f"{name}-0.3.1.gem", source / "vendor/cache")
        platform = self.succeed("ruby", "-e", "puts Gem::Platform.local", env=self.environment()).stdout.strip()
        self.write("source/Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n    plus (0.3.1)\n    tally (0.3.1)\n\n"
                                          f"PLATFORMS\n  {platform}\n\nDEPENDENCIES\n  plus\n  tally\n")
        self.build_well(source)
        self.assertEqual(self.output_of(source, "2"), "42\na=2 b=1\n")
        self.write("source/main.rb", 'require "tally"\nputs Tally.of(ARGV)\n')
        self.assertNotIn("built gems", self.build_well(source).stderr)
        self.assertEqual(self.output_of(source, "x", "x"), "x=2\n")
        (source / "vendor/cache/plus-0.3.1.gem").unlink()
        self.assert_fails(self.build(source), 1, "plus-0.3.1 is not in vendor/cache\n"
                                                 "hint: run bundle cache, and commit vendor/cache\n")

    def test_a_lock_is_needed_and_another_ruby_refused(self):
        source = self.source({"Gemfile": "", "main.rb": ""})
        self.assert_fails(self.build(source), 65, "error: Gemfile.lock: missing from the source\n"
                                                  "hint: run bundle lock, and commit the file\n")
        source = self.source({".ruby-version": "ruby-1.8\n", "main.rb": ""}, "old")
        result = self.build(source)
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("error: .ruby-version: needs ruby ruby-1.8; ", result.stderr)


class Octave(MoreLanguages):
    LANGUAGE = "octave"

    def setUp(self):
        super().setUp()
        support.require_tool("octave-cli")

    def test_the_table(self):
        self.passes_the_table()

    def test_scripts_functions_and_packages(self):
        support.require_tool("mkoctfile")
        source = self.source({
            "main.m": 'words = argv();\nprintf("%g %g %g\\n", twice(str2double(words{1})), fast_sum([1 2 3]), stats.robust.middle([1 9 3]));\n',
            "lib/twice.m": "function y = twice(x)\n  y = 2 * x;\nend\n",
            "src/fast_sum.cc": FAST_SUM, "src/add.cc": ADD, "src/add.h": "#include <octave/oct.h>\ndouble add (const NDArray&);\n",
            "packages/stats/robust/middle.m": "function y = middle(x)\n  y = median(x);\nend\n"})
        self.build_well(source)
        self.assertEqual(self.output_of(source, "4"), "8 6 3\n")
        self.write("source/lib/twice.m", "function y = twice(x)\n  y = 3 * x;\nend\n")
        self.assertNotIn("functions made", self.build_well(source).stderr)
        self.assertEqual(self.output_of(source, "4"), "12 6 3\n")
        self.write("source/src/add.cc", ADD.replace("double sum = 0;", "double sum = zero;"))
        result = self.build(source)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"error: src/add\.cc:4:16: .*zero")

    def test_functions_of_a_source_without_layers(self):
        source = self.source({"main.m": "disp(twice(4))\n", "lib/twice.m": "function y = twice(x)\n  y = 2 * x;\nend\n"})
        self.build_well(source)
        self.assertEqual(self.output_of(source), "8\n")

    def test_each_script_that_is_wrong_is_told(self):
        source = self.source({"main.m": "disp(1)\n", "lib/a.m": "function a\n  x = (1\nend\n", "lib/b.m": "x = [1 2\ny = '\n"})
        result = self.build(source)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"error: lib/a\.m:\d+:\d+: \S")
        self.assertRegex(result.stderr, r"error: lib/b\.m:\d+:\d+: \S")

    def test_a_file_of_no_package(self):
        source = self.source({"main.m": "disp(1)\n", "packages/lost.m": "x = 1;\n"})
        self.assert_fails(self.build(source), 65, "error: packages/lost.m: is in no package or class\n"
                                                  "hint: move it into packages/NAME/\n")


if __name__ == "__main__":
    support.main()
