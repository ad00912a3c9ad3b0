// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_runner.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

using testing::ElementsAre;

class DoctorNetwork : public testing::Test {
 protected:
  std::string write(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    const auto file = m_folder.path() / path;
    EXPECT_TRUE(base::make_folders(file.parent_path()));
    EXPECT_TRUE(base::write_file(file, text, mode));
    return file.string();
  }
  Machine machine() {
    return {.environment = m_environment, .runner = &m_runner, .root = m_folder.path() / "root"};
  }
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "network.").value();
  process::Environment m_environment;
  FakeRunner m_runner;
};

TEST_F(DoctorNetwork, ProxiesAreShownWithoutPasswords) {
  EXPECT_THAT(lines_of(check_proxies(machine())), ElementsAre("ok proxies: none set"));
  m_environment = {{"http_proxy", "http://me:secret@proxy:3128"},
                   {"HTTPS_PROXY", "me:secret@proxy:3128"},
                   {"all_proxy", "proxy:3128"},
                   {"no_proxy", "localhost,.example.com"}};
  EXPECT_THAT(lines_of(check_proxies(machine())),
              ElementsAre("ok http_proxy: http://me:***@proxy:3128", "ok HTTPS_PROXY: me:***@proxy:3128",
                          "ok all_proxy: proxy:3128", "ok no_proxy: localhost,.example.com"));
}

TEST_F(DoctorNetwork, AProxyOfTwoValuesIsAWarning) {
  m_environment = {{"https_proxy", "http://a:1"}, {"HTTPS_PROXY", "http://me:secret@b:2"}};
  EXPECT_THAT(lines_of(check_proxies(machine())),
              ElementsAre("warning https_proxy: http://a:1, but HTTPS_PROXY is http://me:***@b:2 | export "
                          "HTTPS_PROXY=\"$https_proxy\""));
  m_environment["HTTPS_PROXY"] = "http://a:1";
  EXPECT_THAT(lines_of(check_proxies(machine())), ElementsAre("ok https_proxy: http://a:1"));
}

TEST_F(DoctorNetwork, CertificatesAreTheSystemsUnlessSet) {
  EXPECT_THAT(
      lines_of(check_certificates(machine())),
      ElementsAre("warning certificates: none found on this machine | sudo apt-get install ca-certificates"));
  for (const std::string file : {"etc/ssl/cert.pem", "etc/ssl/ca-bundle.pem",
                                 "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/certs/ca-certificates.crt"}) {
    const auto path = write("root/" + file, "");
    EXPECT_THAT(lines_of(check_certificates(machine())), ElementsAre("ok certificates: " + path));
  }
}

TEST_F(DoctorNetwork, FilesOfCertificatesMustBeWhatTheyAreSaidToBe) {
  const auto good = write("good.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto empty = write("empty.pem", "");
  const auto missing = (m_folder.path() / "missing.pem").string();
  m_environment = {{"SSL_CERT_FILE", good}, {"CURL_CA_BUNDLE", empty}, {"PIP_CERT", missing}};
  EXPECT_THAT(
      lines_of(check_certificates(machine())),
      ElementsAre("ok SSL_CERT_FILE: " + good,
                  "problem CURL_CA_BUNDLE: " + empty +
                      " has no certificates | unset CURL_CA_BUNDLE, or set it to a file that can be read",
                  "problem PIP_CERT: " + missing +
                      ": cannot read: no such file or folder | unset PIP_CERT, or set it to a file that can "
                      "be read"));
}

TEST_F(DoctorNetwork, FoldersOfCertificatesMustBeFolders) {
  const auto file = write("folder/file", "");
  const auto folder = (m_folder.path() / "folder").string();
  m_environment = {{"SSL_CERT_DIR", folder + ":" + folder}};
  EXPECT_THAT(lines_of(check_certificates(machine())),
              ElementsAre("ok SSL_CERT_DIR: " + folder + ":" + folder));
  m_environment = {{"SSL_CERT_DIR", folder + ":" + file}};
  EXPECT_THAT(lines_of(check_certificates(machine())),
              ElementsAre("problem SSL_CERT_DIR: " + file +
                          " is not a folder | unset SSL_CERT_DIR, or set it to a file that can be read"));
  m_environment = {{"SSL_CERT_DIR", folder + "/missing"}};
  EXPECT_THAT(lines_of(check_certificates(machine())).at(0), testing::StartsWith("problem SSL_CERT_DIR: "));
}

class DoctorIndexes : public DoctorNetwork {
 protected:
  DoctorIndexes() {
    m_curl = write("bin/curl", "", 0755);
    m_environment["PATH"] = (m_folder.path() / "bin").string();
  }
  std::string words(const std::string& address) const {
    return m_curl +
           " --silent --show-error --location --max-time 10 --output /dev/null --write-out %{http_code} -- " +
           address;
  }
  std::string python(const std::string& address, FakeRunner::Answer answer) {
    m_runner.answer(words(address), std::move(answer));
    return lines_of(check_indexes(machine())).at(0);
  }
  std::string m_curl;
};

TEST_F(DoctorIndexes, AreAskedForAnAnswer) {
  m_runner.answer(words("https://proxy.golang.org"), {0, "200", ""});
  m_runner.answer(words("https://pypi.org/simple/"), {0, "200", ""});
  EXPECT_THAT(lines_of(check_indexes(machine())),
              ElementsAre("ok Python packages: https://pypi.org/simple/ answers (HTTP 200)",
                          "ok Go modules: https://proxy.golang.org answers (HTTP 200)"));
  EXPECT_EQ(m_runner.calls().at(0), "20000 " + words("https://pypi.org/simple/"));
}

TEST_F(DoctorIndexes, AreThoseThatTheVariablesName) {
  m_environment["PIP_INDEX_URL"] = "https://c/simple";
  EXPECT_EQ(python("https://c/simple", {0, "200", ""}),
            "ok Python packages: https://c/simple answers (HTTP 200)");
  m_environment["UV_INDEX_URL"] = "https://b/simple?token=secret";
  EXPECT_EQ(python("https://b/simple", {0, "401", ""}),
            "ok Python packages: https://b/simple answers (HTTP 401)");
  m_environment["UV_DEFAULT_INDEX"] = "own=https://me:secret@a/simple";
  EXPECT_EQ(python("https://a/simple", {0, "499", ""}),
            "ok Python packages: https://a/simple answers (HTTP 499)");
  m_environment["GOPROXY"] = "off";
  EXPECT_EQ(lines_of(check_indexes(machine())).at(1), "ok Go modules: off: none is asked");
  m_environment["GOPROXY"] = "https://g,direct";
  m_runner.answer(words("https://g"), {0, "200", ""});
  EXPECT_EQ(lines_of(check_indexes(machine())).at(1), "ok Go modules: https://g answers (HTTP 200)");
}

TEST_F(DoctorIndexes, ThatDoNotAnswerAreBad) {
  const std::string address = "https://pypi.org/simple/";
  const std::string begin = "problem Python packages: https://pypi.org/simple/";
  EXPECT_EQ(python(address, {exit_status(6), "000", "curl: (6) Could not resolve host\n"}),
            begin + ": curl: (6) Could not resolve host | check the network; behind a proxy set https_proxy");
  for (const int code : {60, 77}) {
    EXPECT_EQ(python(address, {exit_status(code), "000", "curl: certificate\n"}),
              begin +
                  ": curl: certificate | set SSL_CERT_FILE to a file with the certificate of the network's "
                  "authority");
  }
  EXPECT_EQ(python(address, {exit_status(5), "000", "curl: proxy\n"}),
            begin + ": curl: proxy | correct http_proxy and https_proxy");
  EXPECT_EQ(python(address, {0, "407", ""}),
            begin + " answers (HTTP 407) | set a user and password in https_proxy");
  EXPECT_EQ(python(address, {0, "500", ""}), begin + " answers (HTTP 500) | try again later");
  FakeRunner silent;
  EXPECT_EQ(lines_of(check_indexes({.environment = m_environment, .runner = &silent})).at(0),
            begin + ": did not answer within 5 s | check the network; behind a proxy set https_proxy");
}

TEST_F(DoctorIndexes, CannotBeAskedWithoutCurl) {
  m_environment["PATH"] = "/nowhere";
  EXPECT_THAT(lines_of(check_indexes(machine())),
              ElementsAre("warning indexes: cannot be checked without curl | sudo apt-get install curl"));
}

}  // namespace
}  // namespace doctor
