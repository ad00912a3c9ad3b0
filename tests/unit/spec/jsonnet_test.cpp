// SPDX-License-Identifier: Apache-2.0
// Templates: what is refused before they are evaluated, how the program jsonnet is called, and what is told
// of its errors. A shell script stands in for it.
#include "pachbuild/spec/jsonnet.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/errors.h"
#include "base/files.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {
namespace {

class JsonnetTest : public testing::Test {
 protected:
  JsonnetTest() {
    const char* const path = std::getenv("PATH");
    if (path != nullptr) m_path = path;
    ::setenv("PATH", m_folder.path().c_str(), 1);
  }
  ~JsonnetTest() override { ::setenv("PATH", m_path.c_str(), 1); }

  // What stands in for jsonnet does this.
  void jsonnet(const std::string& script) {
    ASSERT_TRUE(base::write_file(m_folder.path() / "jsonnet", "#!/bin/sh\n" + script + "\n", 0755));
  }
  std::string told(const std::string& text, const std::vector<std::string>& arguments = {}) {
    const auto result = evaluate(text, "t.jsonnet", arguments);
    return result ? *result : base::format_error(result.error());
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "jsonnet.").value();
  std::string m_path;
};

TEST_F(JsonnetTest, IsCalledWithTheArguments) {
  jsonnet("for word; do printf '<%s>' \"$word\"; done");
  EXPECT_EQ(told("{}"), "<--><t.jsonnet>");
  EXPECT_EQ(told("{}", {"a=1", "b=x=y", "c="}),
            "<--tla-str><a=1><--tla-str><b=x=y><--tla-str><c=><--><t.jsonnet>");
  for (const std::string wrong : {"a", "=1", ""}) {
    const auto result = evaluate("{}", "t.jsonnet", {"x=1", wrong});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, base::ErrorKind::usage);
    EXPECT_EQ(result.error().where, "--arg " + wrong);
    EXPECT_EQ(result.error().what, "does not have the form KEY=VALUE");
    EXPECT_EQ(result.error().hint, "for example --arg image=ubuntu:24.04");
  }
}

TEST_F(JsonnetTest, ThatIsNotInstalledIsAnError) {
  const auto result = evaluate("{}", "t.jsonnet", {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::unavailable);
  EXPECT_EQ(told("{}"),
            "error: t.jsonnet: jsonnet is not on PATH\n"
            "hint: install it (apt install jsonnet), or save the template's result as JSON\n");
}

TEST_F(JsonnetTest, ErrorsHaveTheirPlace) {
  for (const auto& [said, expected] : std::vector<std::pair<std::string, std::string>>{
           {"STATIC ERROR: t.jsonnet:3:7-9: unexpected: x",
            "t.jsonnet:3:7: is not a valid template: unexpected: x"},
           {"STATIC ERROR: t.jsonnet:3:7: expected", "t.jsonnet:3:7: is not a valid template: expected"},
           {"STATIC ERROR: t.jsonnet:(1:2)-(3:4): two lines",
            "t.jsonnet: is not a valid template: two lines"},
           {"STATIC ERROR: t.jsonnet:3", "t.jsonnet: jsonnet exited with code 3"},
           {"RUNTIME ERROR: no field\\n\\tt.jsonnet:5:1-4\\tobject\\n\\tt.jsonnet:9:9\\tcall",
            "t.jsonnet:5:1: is not a valid template: no field"},
           {"RUNTIME ERROR: no field\\n\\tother:5:1-4", "t.jsonnet: is not a valid template: no field"},
           {"RUNTIME ERROR: function parameter x not bound in call.\\n",
            "t.jsonnet: parameter \"x\" has no value"},
           {"RUNTIME ERROR: function parameter x not bound in call.\\n\\tt.jsonnet:5:1-4",
            "t.jsonnet:5:1: is not a valid template: function parameter x not bound in call."},
           {"RUNTIME ERROR: function parameter", "t.jsonnet: is not a valid template: function parameter"},
           {"RUNTIME ERROR: no field", "t.jsonnet: is not a valid template: no field"},
           {"  out of memory ", "t.jsonnet: is not a valid template: out of memory"},
           {"STATIC ERROR: other.jsonnet:3:7: expected",
            "t.jsonnet: is not a valid template: other.jsonnet:3:7: expected"},
           {"", "t.jsonnet: jsonnet exited with code 3"},
       }) {
    jsonnet("printf '" + said + "' >&2; exit 3");
    const auto result = evaluate("{}", "t.jsonnet", {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, base::ErrorKind::bad_input);
    EXPECT_EQ(result.error().where + ": " + result.error().what, expected) << said;
  }
}

TEST_F(JsonnetTest, GetsNoOtherFiles) {
  jsonnet("echo evaluated");
  for (const std::string word : {"import", "importstr", "importbin"}) {
    const std::string refused =
        "error: t.jsonnet: imports a file; templates cannot import files\nhint: put what it imports into the "
        "template\n";
    for (const std::string& text : std::vector<std::string>{
             word + " 'x'", "{a: " + word + "'x'}", "'a' + " + word + "\"x\"", "/* c */" + word + " 'x'",
             "# c\n" + word + " 'x'", "// c\n" + word + " 'x'", "@'a\\'" + word + " 'x'",
             "'it\\'s'" + word + " 'x'", "\"a\\\\\"" + word + " 'x'", "|||\n  a ||| b\n|||" + word + " 'x'",
             "[1]" + word + " 'x'", "@\"a\" " + word + " 'x'", "/**/" + word + " 'x'",
             "'' + " + word + " 'x'", "|||\n  " + word + "\n  |||\n" + word + " 'x'", "1/2 " + word + " 'x'",
             "#\n" + word + "'x'"})
      EXPECT_EQ(told(text), refused) << text;
    for (const std::string& text : std::vector<std::string>{"'" + word + " x'",
                                                            "\"" + word + "\"",
                                                            "/* " + word + " */",
                                                            "/* a * " + word + "\n*/ 1",
                                                            "# " + word,
                                                            "// " + word + "\n1",
                                                            "@'" + word + "'",
                                                            "@\"" + word + "\"",
                                                            "|||\n  " + word + "\n|||",
                                                            "|||\n\n  " + word + " 'x'\n  " + word + "\n|||",
                                                            word + "s",
                                                            "x" + word,
                                                            "_" + word,
                                                            word + "_",
                                                            word + "1",
                                                            "9" + word,
                                                            "A" + word,
                                                            word + "Z",
                                                            "'it\\'s " + word + "'",
                                                            "\"\\\"" + word + "\"",
                                                            "/* " + word,
                                                            "'" + word,
                                                            "|||\n" + word,
                                                            "# " + word,
                                                            "'\\",
                                                            ""})
      EXPECT_EQ(told(text), "evaluated\n") << text;
  }
}

TEST_F(JsonnetTest, MakesPipelinesOfItsResult) {
  const auto write = [&](const std::string& name, const std::string& text) {
    EXPECT_TRUE(base::write_file(m_folder.path() / name, text));
    return (m_folder.path() / name).string();
  };
  const auto file = write("t.jsonnet", "function(name) {}");
  jsonnet("echo '{\"pipeline\": {\"name\": \"p\"}}'; echo \"$2\" > '" + m_folder.path().string() + "/seen'");
  const auto pipelines = load_for_cluster({{}, {file}, {"name=p"}}, Target::cluster);
  ASSERT_TRUE(pipelines) << pipelines.error().what;
  ASSERT_EQ(pipelines->size(), 1U);
  EXPECT_EQ(pipelines->front().name, "p");
  EXPECT_EQ(pipelines->front().document.places.where(""), file + " (its result):1:1");
  EXPECT_EQ(pipelines->front().document.places.file(), file);
  EXPECT_EQ(base::read_file(m_folder.path() / "seen").value(), "name=p\n");
  jsonnet("echo '{'");
  EXPECT_EQ(load_for_cluster({{}, {file}, {}}, Target::cluster).error().where, file + " (its result):2:1");
  EXPECT_EQ(load_for_cluster({{}, {file + "x"}, {}}, Target::cluster).error().where, file + "x");
  write("t.jsonnet", "import 'x'");
  EXPECT_EQ(load_for_cluster({{}, {file}, {}}, Target::cluster).error().where, file);
}

}  // namespace
}  // namespace spec
