// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <functional>
#include <set>

#include "../../steps.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"

namespace local {
namespace {

const std::string k_key_rule = "\nhint: a key has letters, digits, '-', '_' and '.'\n";

class SecretsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void put(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(base::make_folders(m_folder.path() / base::fs::path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), content));
  }
  // The values of `--secret db=NAME` as "key=value|", or the error; the test's folder is TMP.
  std::string read(const std::string& name) const { return load({"db=" + path(name)}); }
  std::string load(const std::vector<std::string>& options) const {
    const auto secrets = load_secrets(options);
    std::string text;
    if (secrets) {
      for (const auto& [secret, values] : *secrets) {
        if (secrets->size() > 1) text += secret + ": ";
        for (const auto& [key, value] : values) text += key + "=" + value + "|";
      }
    } else {
      text = base::format_error(secrets.error());
    }
    base::replace_all(text, m_folder.path().string(), "TMP");
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "secrets.").value();
};

TEST_F(SecretsTest, AreReadFromLines) {
  using std::string_literals::operator""s;
  const std::pair<std::string, std::string> k_texts[] = {
      {"", ""},
      {"a=1", "a=1|"},
      {"a=1\nb=2\n", "a=1|b=2|"},
      {"a=1\r\nb=2\r\n", "a=1|b=2|"},
      {"a=1\r\r\n", "a=1\r|"},
      {" \ta=1 ", "a=1 |"},
      {"a=b=c=", "a=b=c=|"},
      {"a=", "a=|"},
      {"a=1\na=2", "a=2|"},
      {"#a=1\n  # b\n\n \t\na=#1", "a=#1|"},
      {"A-z_0.9=x", "A-z_0.9=x|"},
      {"x",
       "error: TMP/s:1: does not have the form KEY=VALUE\nhint: a Kubernetes manifest must be named *.json "
       "or "
       "*.yaml\n"},
      {"a=1\n\nx",
       "error: TMP/s:3: does not have the form KEY=VALUE\nhint: a Kubernetes manifest must be named *.json "
       "or *.yaml\n"},
      {"a=1\n=2", "error: TMP/s:2: invalid secret key" + k_key_rule},
      {"a b=1", "error: TMP/s:1: invalid secret key" + k_key_rule}};
  for (const auto& [text, values] : k_texts) {
    put("s", text);
    EXPECT_EQ(read("s"), values) << text;
  }
}

TEST_F(SecretsTest, KeysAreThoseOfKubernetes) {
  const auto is_key = [&](const std::string& key) {
    put("s", key + "=1");
    return read("s") == key + "=1|";
  };
  for (const std::string key : {"a", "z", "A", "Z", "0", "9", "-", "_", ".a", "a.", "a..b", "a-b_c.d"})
    EXPECT_TRUE(is_key(key)) << key;
  // The neighbours of each range.
  for (const std::string key :
       {".", "..", "..a", "/", ":", "@", "[", "`", "{", "a/b", "a b", "\xc3\xa9", "+", ","})
    EXPECT_FALSE(is_key(key)) << key;
}

TEST_F(SecretsTest, AreReadFromAFolder) {
  put("d/user", "me");
  put("d/password", "p\n");
  put("d/..data/x", "hidden");
  put("d/..hidden", "hidden");
  put("d/folder/x", "deeper");
  base::fs::create_symlink("..data/x", path("d/linked"));
  EXPECT_EQ(read("d"), "linked=hidden|password=p\n|user=me|");
  put("d/a b", "");
  EXPECT_EQ(read("d"), "error: TMP/d/a b: invalid secret key \"a b\"" + k_key_rule);
  ASSERT_TRUE(base::make_folders(path("empty")));
  EXPECT_EQ(read("empty"), "");
}

TEST_F(SecretsTest, AreReadFromAManifest) {
  const std::string head = "kind: Secret\nmetadata: {name: db}\n";
  const std::pair<std::string, std::string> k_texts[] = {
      {head, ""},
      {head + "data: {a: eA==}\n", "a=x|"},
      {head + "data: {a: eA==, b: eA==}\nstringData: {a: y, c: z}\n", "a=y|b=x|c=z|"},
      {head + "data: null\n", ""},
      {"kind: Secret\nmetadata: {name: other}\ndata: {a: eA==}\n---\n" + head + "stringData: {b: y}\n",
       "b=y|"},
      {"- x\n---\nkind: ConfigMap\nmetadata: {name: db}\n---\nkind: Secret\n---\nkind: Secret\nmetadata: "
       "db\n---\n" +
           head + "stringData: {b: y}\n",
       "b=y|"},
      {"kind: Secret\nmetadata: {name: d}\n",
       "error: TMP/s.yaml: has no Secret named \"db\"\nhint: set kind: Secret and metadata.name: db\n"},
      {head + "data: [a]\n", "error: TMP/s.yaml:3:7: data must be an object\n"},
      {head + "stringData: {a: 1}\n", "error: TMP/s.yaml:3:17: stringData.a must be a string\n"},
      {head + "data: {a: '?'}\n",
       "error: TMP/s.yaml:3:11: data.a is not base64\nhint: put plain text into stringData\n"},
      {head + "stringData: {a b: x}\n", "error: TMP/s.yaml:3:19: invalid secret key \"a b\"" + k_key_rule},
  };
  for (const auto& [text, values] : k_texts) {
    put("s.yaml", text);
    EXPECT_EQ(read("s.yaml"), values) << text;
  }
  put("s.json", R"({"kind": "Secret", "metadata": {"name": "db"}, "stringData": {"a": "1"}})");
  EXPECT_EQ(read("s.json"), "a=1|");
  put("s.yml", head + "stringData: {a: x}\n");
  EXPECT_EQ(read("s.yml"), "a=x|");
  put("s.yaml", "password: [secret\n");
  const auto broken = read("s.yaml");
  EXPECT_TRUE(broken.starts_with("error: TMP/s.yaml")) << broken;
  EXPECT_TRUE(broken.ends_with(": invalid JSON or YAML\n")) << "its own words may show a value: " << broken;
  put("s.yamlx", "a=1");
  EXPECT_EQ(read("s.yamlx"), "a=1|") << "lines";
}

TEST_F(SecretsTest, AreNamedByOptions) {
  put("s", "a=1");
  const auto s = path("s");
  EXPECT_EQ(load({"x=" + s, "y=" + s}), "x: a=1|y: a=1|");
  const std::string form = "does not have the form NAME=PATH\nhint: for example --secret db=db.env\n";
  for (const std::string option : {"", "db", "=x", "db=", "="})
    EXPECT_EQ(load({option}), "error: --secret " + option + ": " + form);
  EXPECT_EQ(load({"db=" + s, "x=" + s, "db=" + s}),
            "error: --secret db=TMP/s: names secret db a second time\n");
  EXPECT_EQ(load({"db=" + path("none/s")}),
            "error: --secret db=TMP/none/s: cannot read: no such file or folder\n");
  put("a=b", "c=2");
  EXPECT_EQ(load({"db=" + path("a=b")}), "c=2|");
}

TEST_F(SecretsTest, AreOfAMegabyteAtMost) {
  const std::string most((std::size_t{1} << 20) - 2, 'x');
  put("s", "a=" + most);
  EXPECT_EQ(read("s").size(), most.size() + 3);
  put("s", "a=x" + most);
  EXPECT_TRUE(read("s").starts_with("error: TMP/s: ")) << read("s").substr(0, 100);
  put("d/key", most + "123");
  EXPECT_TRUE(read("d").starts_with("error: TMP/d/key: ")) << read("d").substr(0, 100);
}

spec::PipelineSpec reading(const std::vector<spec::Secret>& secrets, const std::string& file = "p.json") {
  spec::PipelineSpec spec;
  spec.places = spec::Places(file);
  for (std::size_t i = 0; i < secrets.size(); ++i)
    spec.places.add("/transform/secrets/" + std::to_string(i), {i + 2, 5});
  spec.transform.secrets = secrets;
  return spec;
}

TEST(CheckSecrets, AllThatIsMissingIsToldAtOnce) {
  const auto told = [](const std::vector<spec::PipelineSpec>& specs, const Secrets& secrets) {
    std::vector<const spec::PipelineSpec*> pointers;
    for (const auto& one : specs) pointers.push_back(&one);
    const auto status = check_secrets(pointers, secrets);
    return status ? "" : base::format_error(status.error());
  };
  const spec::Secret whole{"db", "", "/secrets", ""};
  const spec::Secret user{"db", "user", "", "USER"};
  const spec::Secret other{"other", "", "/other", ""};
  const Secrets db = {{"db", {{"user", "me"}}}};
  const std::string forms =
      "; PATH is a folder with a file per key, a Kubernetes manifest, or a file with KEY=VALUE lines\n";
  EXPECT_EQ(told({}, {}), "");
  EXPECT_EQ(told({reading({whole, user})}, db), "");
  EXPECT_EQ(told({reading({whole})}, {}),
            "error: p.json:2:5: no value was given for secret db\nhint: add --secret db=PATH" + forms);
  EXPECT_EQ(
      told({reading({user, user})}, {}),
      "error: p.json:2:5: no value was given for secret db (key user)\nhint: add --secret db=PATH" + forms);
  EXPECT_EQ(told({reading({user, whole, {"db", "password", "", "P"}})}, {}),
            "error: p.json:2:5: no value was given for secret db (keys user, password)\nhint: add --secret "
            "db=PATH" +
                forms);
  EXPECT_EQ(
      told({reading({user})}, {{"db", {{"password", "x"}}}}),
      "error: p.json:2:5: no value was given for secret db (key user)\nhint: add the key to the file or "
      "folder that --secret names\n");
  EXPECT_EQ(
      told({reading({whole}), reading({user, other, whole}, "q.json")}, {}),
      "error: p.json:2:5: no values were given for the secrets db (key user), other\nhint: add --secret "
      "db=PATH --secret other=PATH" +
          forms);
  EXPECT_EQ(told({reading({whole}), reading({whole, other}, "q.json")}, db),
            "error: q.json:3:5: no value was given for secret other\nhint: add --secret other=PATH" + forms);
  EXPECT_EQ(told({reading({whole})}, {{"db", {}}, {"dbb", {}}}),
            "error: --secret dbb: no pipeline reads secret \"dbb\"\nhint: did you mean \"db\"?\n");
  EXPECT_EQ(told({reading({other})}, {{"aaaaaa", {}}, {"other", {}}}),
            "error: --secret aaaaaa: no pipeline reads secret \"aaaaaa\"\n");
}

class DigestOfSecrets : public SecretsTest {
 protected:
  std::string digest(const spec::PipelineSpec& spec, const Secrets& secrets) const {
    return digest_of_secrets(spec, secrets, m_folder.path()).value();
  }
};

TEST_F(DigestOfSecrets, IsOfWhatThePipelineReadsOfThem) {
  EXPECT_EQ(digest(reading({}), {}), "");
  EXPECT_FALSE(base::fs::exists(path("secret-key"))) << "nothing is needed";
  const spec::Secret mounted{"db", "", "/secrets", ""};
  const spec::Secret variable{"db", "user", "", "USER"};
  const Secrets secrets = {{"db", {{"user", "me"}, {"password", "p"}}}};
  std::set<std::string> all = {digest(reading({mounted}), secrets), digest(reading({variable}), secrets)};
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(digest(reading({mounted}), secrets), digest(reading({mounted}), secrets));
  const auto is_new = [&](const spec::Secret& secret, const Secrets& values) {
    return all.insert(digest(reading({secret}), values)).second;
  };
  EXPECT_TRUE(is_new({"db", "", "/other", ""}, secrets));
  EXPECT_TRUE(is_new({"db", "password", "", "USER"}, secrets));
  EXPECT_TRUE(is_new({"db", "user", "", "OTHER"}, secrets));
  EXPECT_TRUE(is_new({"db2", "user", "", "USER"}, {{"db2", secrets.at("db")}}));
  EXPECT_TRUE(is_new(mounted, {{"db", {{"user", "me"}, {"password", "q"}}}}));
  EXPECT_TRUE(is_new(mounted, {{"db", {{"user", "me"}, {"other", "p"}}}}));
  EXPECT_TRUE(is_new(mounted, {{"db", {{"user", "me"}}}}));
  EXPECT_TRUE(is_new(variable, {{"db", {{"user", "you"}, {"password", "p"}}}}));
  EXPECT_FALSE(is_new(variable, {{"db", {{"user", "me"}, {"password", "not read"}}}}));
  EXPECT_TRUE(all.insert(digest(reading({mounted, variable}), secrets)).second);
}

TEST_F(DigestOfSecrets, IsMadeWithBytesThatOnlyThisCacheHas) {
  const auto spec = reading({{"db", "", "/secrets", ""}});
  const Secrets secrets = {{"db", {{"user", "me"}}}};
  const auto first = digest(spec, secrets);
  const auto key = base::read_file(path("secret-key")).value();
  EXPECT_EQ(key.size(), 32U);
  struct stat status{};
  ASSERT_EQ(::stat(path("secret-key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(base::fs::directory_iterator(m_folder.path()), {}), 1);
  base::fs::remove(path("secret-key"));
  EXPECT_NE(digest(spec, secrets), first);
  EXPECT_NE(base::read_file(path("secret-key")).value(), key);
  {
    // Another one was quicker.
    const steps::Watch watch([&](std::string_view call, std::string_view) {
      if (call != "link") return 0;
      EXPECT_TRUE(base::write_file(path("secret-key"), key));
      return EEXIST;
    });
    base::fs::remove(path("secret-key"));
    EXPECT_EQ(digest(spec, secrets), first);
  }
  const auto told = [&] {
    const auto made = digest_of_secrets(spec, secrets, m_folder.path());
    return made ? "" : base::format_error(made.error());
  };
  for (const std::size_t size : {0U, 31U, 33U}) {
    put("secret-key", std::string(size, 'x'));
    EXPECT_EQ(told(), "error: " + path("secret-key") + ": is damaged\nhint: remove it\n");
  }
  base::fs::remove(path("secret-key"));
  const steps::Watch watch(
      [](std::string_view call, std::string_view) { return call == "link" ? EROFS : 0; });
  EXPECT_EQ(told(), "error: " + path("secret-key") + ": cannot create: the file system is read-only\n");
}

}  // namespace
}  // namespace local
