// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/pip_install.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace starter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What a pip command becomes: each item with a letter for its kind, then what is not converted after a "?".
std::vector<std::string> items_of(const std::string& line) {
  const auto install = read_pip_install(base::words(line));
  if (!install) return {"none"};
  std::vector<std::string> items;
  for (const auto& item : install->items)
    items.push_back(std::string(1, "lfcped"[static_cast<std::size_t>(item.kind)]) + " " + item.text);
  for (const auto& option : install->unconverted) items.push_back("? " + option);
  return items;
}

TEST(PipInstall, IsRecognisedInAllItsForms) {
  for (const std::string pip :
       {"pip", "pip3", "pip3.11", "/usr/local/bin/pip3", "python -m pip", "python3 -m pip",
        "/usr/bin/python3.8 -m pip", "uv pip", "pip --no-cache-dir"})
    EXPECT_THAT(items_of(pip + " install six"), ElementsAre("l six")) << pip;
  for (const std::string other :
       {"", "pip", "pip download six", "pipx install six", "pipenv install six", "python3 pip install six",
        "python3 -m venv install", "pythonx -m pip install six", "uv sync", "apt-get install six",
        "python3 -m"})
    EXPECT_THAT(items_of(other), ElementsAre("none")) << other;
}

TEST(PipInstall, OptionsThatDecideWhatIsInstalledAreLines) {
  EXPECT_THAT(items_of("pip install -i https://a/simple --extra-index-url=https://b -fhttps://c --find-links "
                       "/wheels --trusted-host d x"),
              ElementsAre("l --index-url https://a/simple", "l --extra-index-url https://b",
                          "l --find-links https://c", "d /wheels", "l --trusted-host d", "l x"));
  EXPECT_THAT(
      items_of(
          "pip install --no-binary :all: --only-binary=x --no-index --pre --prefer-binary --require-hashes"),
      ElementsAre("l --no-binary :all:", "l --only-binary x", "l --no-index", "l --pre", "l --prefer-binary",
                  "l --require-hashes"));
}

TEST(PipInstall, IndexesOfUvAreThoseOfPip) {
  EXPECT_THAT(items_of("uv pip install --default-index https://a/simple --index own=https://b/simple?x=y "
                       "--index=https://c x"),
              ElementsAre("l --index-url https://a/simple", "l --extra-index-url https://b/simple?x=y",
                          "l --extra-index-url https://c", "l x"));
}

TEST(PipInstall, SettingsThatNameIndexesAreVariables) {
  const auto setting = [](const std::string& line) { return read_pip_config(base::words(line)); };
  EXPECT_EQ(setting("pip config set global.index-url https://a"), "PIP_INDEX_URL=https://a");
  EXPECT_EQ(setting("python3 -m pip config --user set install.extra-index-url https://a"),
            "PIP_EXTRA_INDEX_URL=https://a");
  for (const std::string other :
       {"pip config set global.timeout 60", "pip config set global.index-url", "pip config list",
        "pip config unset global.index-url x", "npm config set global.index-url https://a", "pip"})
    EXPECT_EQ(setting(other), "") << other;
  for (const std::string name : {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
                                 "UV_EXTRA_INDEX_URL", "UV_INDEX"})
    EXPECT_TRUE(is_index_variable(name)) << name;
  EXPECT_FALSE(is_index_variable("PIP_NO_CACHE_DIR"));
}

TEST(PipInstall, FilesAndProjectsHaveKindsOfTheirOwn) {
  EXPECT_THAT(items_of("pip install -r a.txt --requirement=b.txt -rc.txt -c d.txt --constraint e.txt"),
              ElementsAre("f a.txt", "f b.txt", "f c.txt", "c d.txt", "c e.txt"));
  EXPECT_THAT(items_of("pip install . ./x /y z.whl z.tar.gz z.zip"),
              ElementsAre("p .", "p ./x", "p /y", "p z.whl", "p z.tar.gz", "p z.zip"));
  EXPECT_THAT(items_of("pip install -e . --editable git+https://x/y"),
              ElementsAre("e .", "l -e git+https://x/y"));
  EXPECT_THAT(items_of("pip install https://x/z.whl git+ssh://a/b"),
              ElementsAre("l https://x/z.whl", "l git+ssh://a/b"));
}

TEST(PipInstall, OptionsOfThePipAloneAreDropped) {
  EXPECT_THAT(
      items_of(
          "pip install -qU --no-cache-dir --user --timeout 60 --progress-bar=off --cache-dir /x --retries 3 "
          "--default-timeout=100 --root-user-action=ignore --break-system-packages --upgrade-strategy eager "
          "-I "
          "--system --disable-pip-version-check -v -n -y --no-input --force-reinstall --ignore-installed "
          "--compile "
          "--no-compile --no-color --no-warn-script-location --use-pep517 --python 3.9 -p 3 --verbose "
          "--quiet six"),
      ElementsAre("l six"));
}

TEST(PipInstall, WhatAListCannotSayIsTold) {
  EXPECT_THAT(
      items_of("pip install --no-deps --target /x --prefix=/y --root z --no-such -x -qZ six --platform p "
               "--no-build-isolation --config-settings a=b --global-option=c -t q -C r"),
      ElementsAre("l six", "? --no-deps", "? --target", "? --prefix", "? --root", "? --no-such", "? -x",
                  "? -Z", "? --platform", "? --no-build-isolation", "? --config-settings",
                  "? --global-option", "? --target", "? --config-settings"));
}

TEST(PipInstall, FoldersThatPackagesComeIntoAreTold) {
  const auto folders = [](const std::string& line) { return read_pip_install(base::words(line))->folders; };
  EXPECT_THAT(folders("pip install --target /x --prefix=/y -t z --user six"),
              ElementsAre("/x", "/y", "z", "/root/.local"));
  EXPECT_THAT(folders("pip wheel --wheel-dir /a -w b six"), ElementsAre("/a", "b"));
  EXPECT_THAT(items_of("pip wheel -w b -r c six"), ElementsAre("f c", "l six"));
  EXPECT_THAT(folders("pip install six"), IsEmpty());
  EXPECT_TRUE(is_target_option("--root"));
  EXPECT_FALSE(is_target_option("--wheel-dir"));
}

TEST(PipInstall, InstallersAreNotInstalled) {
  EXPECT_THAT(items_of("pip install --upgrade pip setuptools==58 wheel[x] poetry>=1 pipenv pdm~=2 uv<1"),
              IsEmpty());
  EXPECT_THAT(items_of("pip install pip-tools uvicorn wheelhouse"),
              ElementsAre("l pip-tools", "l uvicorn", "l wheelhouse"));
}

TEST(PipInstall, AnOptionWithoutItsValueIsEmpty) {
  EXPECT_THAT(items_of("pip install -r"), ElementsAre("f "));
  EXPECT_THAT(items_of("pip install -"), ElementsAre("l -"));
}

}  // namespace
}  // namespace starter
