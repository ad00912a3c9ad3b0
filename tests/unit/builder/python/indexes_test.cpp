// SPDX-License-Identifier: Apache-2.0
// Which indexes a build asks, how they are asked what is wrong, and in which words that is said.
#include "builder-runtime/languages/python/install/indexes.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace builder::python {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// Gives the answer of the test to what is asked on standard input.
class AskedPython : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    std::array<char, 65536> buffer{};
    const auto count = ::read(command.standard_input, buffer.data(), buffer.size());
    questions.clear();
    for (const auto& line :
         base::split(std::string_view(buffer.data(), static_cast<std::size_t>(count)), '\n')) {
      if (!line.empty()) questions.push_back(nlohmann::json::parse(line));
    }
    environment = command.environment;
    return process::Finished{process::Ending::from_wait_status(0), answer, ""};
  }
  std::string answer;
  std::vector<nlohmann::json> questions;
  process::Environment environment;
};

class Indexes : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "indexes.").value();
  base::fs::path m_source = m_folder.path() / "source";
  AskedPython m_python;
  process::Environment m_environment{{"HOME", (m_folder.path() / "home").string()}};

  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  [[nodiscard]] Installation installation() const {
    EXPECT_TRUE(base::make_folders(m_source));
    Installation installation{.source = m_source};
    installation.manifest = find_manifest(m_source, {}).value();
    installation.interpreter.path = "/bin/python3";
    installation.configuration.environment = m_environment;
    return installation;
  }
  // "URL (PLACE)", with "=NAME" and "file" or "default".
  [[nodiscard]] std::vector<std::string> places() const {
    std::vector<std::string> told;
    for (const auto& place : index_places(installation(), m_environment))
      told.push_back(place.url + " (" + place.place + ")" + (place.name.empty() ? "" : "=" + place.name) +
                     (place.is_index ? "" : " file") + (place.is_default ? " default" : ""));
    return told;
  }
  std::string fault(const std::string& answer, bool only_named = false) {
    m_python.answer = answer;
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_python);
    const auto found = find_index_fault(installation(), tools, only_named).value();
    return found ? found->what + "|" + found->hint : "none";
  }
};

TEST_F(Indexes, AreThoseOfFilesAndVariables) {
  EXPECT_EQ(places().size(), 1U);
  EXPECT_THAT(places().front(), StartsWith("https://pypi.org/simple"));
  write("source/requirements.txt",
        "# https://comment/\n-i https://a/s\n--extra-index-url=https://b/s # why\nx @ https://c/x.whl\n"
        "y @ git+https://d/y\n-r more/list.txt\n-r ../outside.txt\nz @ https://c/z-1.tar.gz\n");
  write("source/more/list.txt", "--find-links https://e/links\n-i https://a/s\n");
  write("outside.txt", "-i https://outside/s\n");
  EXPECT_THAT(places(),
              ElementsAre("https://a/s (requirements.txt:2)", "https://b/s (requirements.txt:3)",
                          "https://e/links (more/list.txt:1)", "https://c/x.whl (requirements.txt:4) file",
                          StartsWith("https://pypi.org/simple ()")));
  m_environment["UV_DEFAULT_INDEX"] = "https://f/s";
  m_environment["UV_INDEX"] = "one=https://g/s,https://h/s?a=b /folder";
  EXPECT_THAT(
      places(),
      ElementsAre("https://a/s (requirements.txt:2)", "https://b/s (requirements.txt:3)",
                  "https://e/links (more/list.txt:1)", "https://f/s (the variable UV_DEFAULT_INDEX)",
                  "https://g/s (the variable UV_INDEX)=one", "https://h/s?a=b (the variable UV_INDEX)",
                  "https://c/x.whl (requirements.txt:4) file"));
}

TEST_F(Indexes, AreThoseOfProjectsAndLocks) {
  write("source/pyproject.toml",
        "[project]\nname = 'x'\nversion = '1'\ndependencies = ['a', 'b @ https://b/b.whl ; m']\n"
        "urls = {home = 'https://home'}\n[[tool.uv.index]]\nname = 'n'\nurl = 'https://u/s'\n"
        "[tool.other]\nurl = 'https://other'\n[[tool.poetry.source]]\nname = 'p'\nurl = 'https://p/s'\n");
  EXPECT_THAT(places(),
              ElementsAre("https://u/s (pyproject.toml:8)=n", "https://p/s (pyproject.toml:13)=p",
                          "https://b/b.whl (pyproject.toml:4) file", StartsWith("https://pypi.org")));
  write("source/uv.lock",
        "[[package]]\nname = 'a'\nsource = { registry = 'https://r/s' }\n"
        "wheels = [{ url = 'https://files/a.whl' }, { url = 'https://r/b.whl' }]\n");
  const auto with_lock = places();
  EXPECT_THAT(with_lock, testing::Contains("https://r/s (uv.lock:3)"));
  EXPECT_THAT(with_lock, testing::Contains("https://files/a.whl (uv.lock:4) file"));
  EXPECT_THAT(with_lock, testing::Not(testing::Contains("https://r/b.whl (uv.lock:4) file")))
      << "its index is asked";
}

TEST_F(Indexes, OfThePypiServerItselfAreAskedOnce) {
  write("source/requirements.txt", "-i https://pypi.org/simple/\n");
  EXPECT_THAT(places(), ElementsAre("https://pypi.org/simple/ (requirements.txt:1)"));
}

TEST_F(Indexes, AreAskedWithTheirCredentialsAndProxies) {
  write("source/requirements.txt", "Own_Name\nother>1\n");
  m_environment.insert({{"UV_DEFAULT_INDEX", "https://me:pw@a:8443/s"},
                        {"UV_INDEX", "my-index=https://b/s http://c/s"},
                        {"UV_INDEX_MY_INDEX_USERNAME", "user"},
                        {"UV_INDEX_MY_INDEX_PASSWORD", "word"},
                        {"NETRC", "/netrc"},
                        {"HTTPS_PROXY", "proxy:3128"},
                        {"http_proxy", "http://q"},
                        {"NO_PROXY", "x, .c"},
                        {"UV_INSECURE_HOST", "z,a"},
                        {"SSL_CERT_FILE", "/cert"}});
  EXPECT_EQ(fault(""), "none");
  ASSERT_EQ(m_python.questions.size(), 3U);
  const auto expect = [](const nlohmann::json& question, const nlohmann::json& expected) {
    for (const auto& [name, value] : expected.items()) EXPECT_EQ(question.at(name), value) << name;
  };
  expect(m_python.questions[0], {{"url", "https://me:pw@a:8443/s"},
                                 {"user", "me"},
                                 {"password", "pw"},
                                 {"proxy", "http://proxy:3128"},
                                 {"insecure", true},
                                 {"netrc", "/netrc"},
                                 {"names", {"own-name", "other"}}});
  expect(m_python.questions[1], {{"user", "user"}, {"password", "word"}, {"insecure", false}});
  expect(m_python.questions[2], {{"user", ""}, {"password", ""}, {"proxy", ""}});
  EXPECT_EQ(m_python.environment, (process::Environment{{"LC_ALL", "C.UTF-8"},
                                                        {"HOME", (m_folder.path() / "home").string()},
                                                        {"SSL_CERT_FILE", "/cert"}}));
  m_environment.erase("UV_INDEX_MY_INDEX_USERNAME");
  m_environment.erase("UV_INDEX_MY_INDEX_PASSWORD");
  m_environment.insert(
      {{"POETRY_HTTP_BASIC_MY_INDEX_USERNAME", "theirs"}, {"POETRY_HTTP_BASIC_MY_INDEX_PASSWORD", "p"}});
  fault("");
  expect(m_python.questions[1], {{"user", "theirs"}, {"password", "p"}});
}

TEST_F(Indexes, ProxiesLeaveOutWhatNoProxyNames) {
  const auto proxy = [&](const std::string& url, const std::string& exempt,
                         const std::string& name = "https_proxy", const std::string& value = "http://proxy") {
    m_environment = {{"UV_DEFAULT_INDEX", url}, {"no_proxy", exempt}, {name, value}};
    fault("");
    return m_python.questions.at(0).at("proxy").get<std::string>();
  };
  for (const std::string exempt : {"*", "a.b.c", ".b.c", "b.c", " b.c ,x", "a.b.c:8443"})
    EXPECT_EQ(proxy("https://a.b.c:8443/s", exempt), "") << exempt;
  for (const std::string exempt : {"", "x", "a.b", "xa.b.c", "a.b.c:1", "c.b"})
    EXPECT_EQ(proxy("https://a.b.c:8443/s", exempt), "http://proxy") << exempt;
  EXPECT_EQ(proxy("http://a/s", ""), "");
  EXPECT_EQ(proxy("http://a/s", "", "HTTP_PROXY"), "http://proxy");
  EXPECT_EQ(proxy("http://a/s", "", "ALL_PROXY"), "http://proxy");
  EXPECT_EQ(proxy("https://a/s", "", "all_proxy", "host:1"), "http://host:1");
  EXPECT_EQ(proxy("https://a/s", "", "HTTPS_PROXY", "socks5://host"), "") << "Python does not speak it";
}

TEST_F(Indexes, FaultsAreSaidInOneForm) {
  m_environment = {{"UV_INDEX", "one=https://me:pw@a:8443/s"}, {"HTTPS_PROXY", "http://u:secret@proxy"}};
  const std::string index = "the package index https://me:***@a:8443/s";
  const std::string origin = "this address comes from the variable UV_INDEX";
  const std::string set = "HTTPS_PROXY sets this proxy; ";
  const std::vector<std::array<std::string, 4>> rows = {
      {"certificate", "", "the certificate of a:8443 is not trusted",
       origin + "; set SSL_CERT_FILE to a file"},
      {"tls", "", "no secure connection to a:8443 (TLS)",
       origin + "; check whether the URL should start with http://"},
      {"name", "", "the host a is unknown", origin + "; check the name"},
      {"refused", "", index + " cannot be reached: connection refused", origin + "; check the address"},
      {"silence", "", index + " does not answer", origin + "; check the network, and whether a proxy"},
      {"broken", "why", index + " cannot be reached: why", origin + "; check the network"},
      {"proxy", "407 X", "the proxy http://u:***@proxy requires credentials (407)",
       set + "put the user name and password"},
      {"proxy", "why", "a:8443 cannot be reached through the proxy http://u:***@proxy: why",
       set + "correct it, or add a to"},
      {"proxy", "", "a:8443 cannot be reached through the proxy http://u:***@proxy", set + "correct it"},
      {"credentials", "missing", index + " requires credentials (401)",
       origin + "; put the user name and password in ~/.netrc (machine a) or in UV_INDEX_ONE_USERNAME and "
                "…_PASSWORD, "
                "or into"},
      {"credentials", "refused", index + " refuses the credentials (401)",
       origin + "; check the user name and password in"},
      {"status", "404", "https://me:***@a:8443/s is not a package index (404)",
       origin + "; check it: it usually ends"},
      {"status", "403", index + " denies access (403)", origin + "; check whether its credentials"},
      {"status", "500", index + " fails (500)", origin + "; try again later"}};
  for (const auto& [kind, detail, what, hint] : rows)
    EXPECT_THAT(fault("0\t" + kind + "\t" + detail + "\n"), StartsWith(what + "|" + hint)) << kind << detail;
  for (const std::string answer : {"", "0\tother\t\n", "0\ttls\n", "\ttls\t\n", "7\ttls\t\n", "nonsense\n"})
    EXPECT_EQ(fault(answer), "none") << answer;
  EXPECT_THAT(fault("0\tother\t\n1\ttls\t\n"), StartsWith("no secure connection to pypi.org"));
}

TEST_F(Indexes, TheDefaultIsNamedOnlyWhereItIsAsked) {
  EXPECT_THAT(
      fault("0\tname\t\n"),
      StartsWith(
          "the host pypi.org is unknown|this is the default index; set UV_DEFAULT_INDEX or PIP_INDEX_URL"));
  m_python.questions.clear();
  EXPECT_EQ(fault("0\tname\t\n", true), "none");
  EXPECT_TRUE(m_python.questions.empty());
  m_environment["UV_INDEX"] = "https://a/s https://pypi.org/other";
  fault("", true);
  ASSERT_EQ(m_python.questions.size(), 1U);
  EXPECT_EQ(m_python.questions[0].at("url"), "https://a/s");
}

TEST_F(Indexes, AreThoseOfEachKindOfManifest) {
  const auto of = [&](const std::map<std::string, std::string>& files) {
    boost::filesystem::remove_all(m_source);
    for (const auto& [name, text] : files) write("source/" + name, text);
    auto told = places();
    if (!told.empty() && told.back().starts_with("https://pypi.org/simple ()")) told.pop_back();
    return told;
  };
  const std::string pipfile = "[[source]]\nname = 'n'\nurl = 'https://p/s'\n[packages]\n";
  EXPECT_THAT(of({{"Pipfile", pipfile}}), ElementsAre("https://p/s (Pipfile:3)=n"));
  EXPECT_THAT(of({{"Pipfile", pipfile}, {"requirements.txt", "a\n"}}), ElementsAre());
  const std::string lock =
      R"({"_meta": {"sources": [{"name": "m", "url": "https://l/s"}]}, "default": {"a": {"file": "https://f/a.whl"}}})";
  EXPECT_THAT(of({{"Pipfile.lock", lock}}), ElementsAre("https://l/s (Pipfile.lock)=m"));
  EXPECT_THAT(of({{"Pipfile.lock", lock}, {"Pipfile", pipfile}}),
              ElementsAre("https://p/s (Pipfile:3)=n", "https://l/s (Pipfile.lock)=m"));
  EXPECT_THAT(of({{"Pipfile.lock", "{"}}), ElementsAre());
  EXPECT_THAT(
      of({{"uv.toml", "index-url = 'https://u/s'\nextra-index-url = ['https://v/s', 'https://w/s;x']\n"}}),
      testing::UnorderedElementsAre("https://u/s (uv.toml:1)", "https://v/s (uv.toml:2)",
                                    "https://w/s (uv.toml:2)"));
  EXPECT_THAT(of({{"pyproject.toml",
                   "[[tool.pdm.source]]\nname = 'd'\nurl = 'https://d/s'\n[tool.poetry.dependencies]\na = { "
                   "url = 'https://f/a.zip' }\n"}}),
              ElementsAre("https://d/s (pyproject.toml:3)=d", "https://f/a.zip (pyproject.toml:5) file"));
  EXPECT_THAT(of({{"poetry.lock", "[[package]]\n[package.source]\nurl = 'https://q/s'\n"}}),
              ElementsAre("https://q/s (poetry.lock:3)"));
  EXPECT_THAT(
      of({{"pyproject.toml",
           "[project]\nname = 'x'\n[[tool.uv.index]]\nurl = 'https://u/s'\ndefault = "
           "'https://z/s'\nauthenticate = 'https://no'\n"}}),
      testing::UnorderedElementsAre("https://u/s (pyproject.toml:4)", "https://z/s (pyproject.toml:5)"));
  write("source/requirements.txt", "");
  write("home/.config/uv/uv.toml", "find-links = ['https://h/l']\n");
  EXPECT_THAT(of({}),
              ElementsAre("https://h/l (" + (m_folder.path() / "home/.config/uv/uv.toml").string() + ":1)"));
}

TEST_F(Indexes, AreThoseThatPipNames) {
  auto asked = installation();
  asked.configuration.index_places = {
      {"https://p/s", "/etc/pip.conf"}, {"not/a/url", "/etc/pip.conf"}, {"https://p/s", "again"}};
  const auto found = index_places(asked, m_environment);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].url, "https://p/s");
  EXPECT_EQ(found[0].place, "/etc/pip.conf");
}

TEST_F(Indexes, AreThoseOfEachVariable) {
  for (const std::string variable :
       {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"}) {
    m_environment = {{variable, "https://v/s?a=b"}};
    const auto told = places();
    EXPECT_EQ(told.front(), "https://v/s?a=b (the variable " + variable + ")");
    EXPECT_EQ(told.size(), variable == "UV_DEFAULT_INDEX" || variable == "UV_INDEX_URL" ? 1U : 2U)
        << variable;
  }
  // Uv gets another value than the user has set: that is of a manifest.
  auto asked = installation();
  asked.configuration.environment = {{"UV_INDEX", "https://of-manifest/s"}};
  EXPECT_EQ(index_places(asked, {{"UV_INDEX", "https://v/s"}}).size(), 1U);
  EXPECT_EQ(index_places(asked, {{"PIP_INDEX_URL", "https://v/s"}}).size(), 2U);
}

TEST_F(Indexes, FilesAreKnownByTheirEndings) {
  for (const std::string end : {".whl", ".tar.gz", ".zip", ".tar.bz2", ".whl.metadata", ".tar.xz"}) {
    write("source/requirements.txt", "x @ https://f/x" + end + "#sha256=0\ny @ https://f/y" + end + "?z\n");
    EXPECT_THAT(places(), ElementsAre("https://f/x" + end + "#sha256=0 (requirements.txt:1) file",
                                      StartsWith("https://pypi.org")))
        << end;
  }
  for (const std::string end : {"", "/", ".whl/", ".txt", "?a.whl"}) {
    write("source/requirements.txt", "-f https://f/x" + end + "\n");
    EXPECT_THAT(places(),
                ElementsAre("https://f/x" + end + " (requirements.txt:1)", StartsWith("https://pypi.org")))
        << end;
  }
  write("source/requirements.txt",
        "-i http://f/s\n-f file:///x -f ftp://x http:/x xhttp://g/s\n-i \"https://q/s\"; "
        "'https://r/s',https://t/s\n");
  EXPECT_THAT(places(), ElementsAre("http://f/s (requirements.txt:1)", "http://g/s (requirements.txt:2)",
                                    "https://q/s (requirements.txt:3)", "https://r/s (requirements.txt:3)",
                                    "https://t/s (requirements.txt:3)", StartsWith("https://pypi.org")));
}

TEST_F(Indexes, TwelveAreAskedAndNoMore) {
  const auto asked = [&](int count) {
    std::string urls;
    for (int i = 0; i < count; ++i) urls += "https://h" + std::to_string(i) + "/s ";
    m_environment["UV_INDEX"] = urls;
    m_environment["UV_DEFAULT_INDEX"] = "https://h0/s";
    fault("");
    return m_python.questions.size();
  };
  EXPECT_EQ(asked(11), 11U);
  EXPECT_EQ(asked(12), 12U);
  EXPECT_EQ(asked(13), 12U);
  EXPECT_EQ(asked(24), 12U);
}

TEST_F(Indexes, AreLookedForInSixtyFourFiles) {
  for (int i = 0; i < 70; ++i)
    write("source/" + (i == 0 ? std::string("requirements") : "r" + std::to_string(i)) + ".txt",
          "-i https://h" + std::to_string(i) + "/s\n-r r" + std::to_string(i + 1) + ".txt\n");
  EXPECT_EQ(places().size(), 65U);
}

TEST_F(Indexes, QuestionsAreOfOneServer) {
  const auto question = [&](process::Environment variables) {
    variables.emplace("UV_DEFAULT_INDEX", "https://pypi.org/simple");
    m_environment = std::move(variables);
    m_python.questions.clear();
    fault("");
    return m_python.questions.at(1);
  };
  EXPECT_EQ(question({{"UV_INDEX", "https://me@a/s"}}).at("user"), "me");
  EXPECT_EQ(question({{"UV_INDEX", "https://me@a/s"}}).at("password"), "");
  EXPECT_EQ(question({{"UV_INDEX", "https://me:p:w@a/s"}}).at("password"), "p:w");
  EXPECT_EQ(question({{"UV_INDEX", "https://m@e:pw@a/s"}}).at("user"), "m@e");
  const process::Environment named = {
      {"UV_INDEX_N_USERNAME", "n"}, {"UV_INDEX_N_PASSWORD", "p"}, {"UV_INDEX__USERNAME", "no"}};
  auto with = named;
  with["UV_INDEX"] = "n=https://me:pw@a/s";
  EXPECT_EQ(question(with).at("user"), "me") << "what is in the address counts";
  EXPECT_EQ(question(with).at("password"), "pw");
  with["UV_INDEX"] = "n=https://a/s";
  EXPECT_EQ(question(with).at("user"), "n");
  with["UV_INDEX"] = "https://a/s";
  EXPECT_EQ(question(with).at("user"), "");
  for (const auto& [hosts, is_insecure] : std::map<std::string, bool>{{"a", true},
                                                                      {"x,a", true},
                                                                      {"a:8443", true},
                                                                      {"x a", true},
                                                                      {"b", false},
                                                                      {"aa", false},
                                                                      {"", false}})
    EXPECT_EQ(question({{"UV_INDEX", "https://a:8443/s"}, {"UV_INSECURE_HOST", hosts}}).at("insecure"),
              is_insecure)
        << hosts;
  m_environment = {{"UV_DEFAULT_INDEX", "https://a/s"}};
  write("source/uv.lock", "");
  fault("");
  EXPECT_EQ(m_python.questions.at(0).at("names"), nlohmann::json::array())
      << "a lock needs no index for its names";
}

TEST_F(Indexes, FaultsOfFilesAndUnnamedIndexes) {
  m_environment = {{"UV_DEFAULT_INDEX", "https://a/s"}};
  write("source/requirements.txt", "x @ https://f/x.whl\n");
  const std::string origin = "this address comes from requirements.txt:1";
  EXPECT_EQ(fault("1\tstatus\t404\n"), "https://f/x.whl does not exist (404)|" + origin + "; check it");
  EXPECT_EQ(fault("1\tstatus\t403\n"), "https://f/x.whl denies access (403)|" + origin +
                                           "; check whether its credentials may read this index");
  EXPECT_EQ(fault("0\tcredentials\tmissing\n"),
            "the package index https://a/s requires credentials (401)|this address comes from the variable "
            "UV_DEFAULT_INDEX; put the user name and password in ~/.netrc (machine a), or into the URL");
  EXPECT_EQ(
      fault("0\tcredentials\trefused\n"),
      "the package index https://a/s refuses the credentials (401)|this address comes from the variable "
      "UV_DEFAULT_INDEX; check the user name and password in ~/.netrc (machine a), or in the URL");
  EXPECT_EQ(fault("0\tstatus\t404\n"),
            "https://a/s is not a package index (404)|this address comes from the variable UV_DEFAULT_INDEX; "
            "check it: it "
            "usually ends with /simple");
  EXPECT_THAT(fault("1\ttls\t\n"), StartsWith("no secure connection to f"));
  EXPECT_EQ(fault("2\ttls\t\n"), "none") << "so many are not asked";
  EXPECT_EQ(fault("1\tstatus\t404\n", true), "none") << "files are not asked";
}

}  // namespace
}  // namespace builder::python
