// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/starter/starter.h"

namespace starter {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = base::fs;

class ConversionTest : public testing::Test {
 protected:
  ConversionTest() { fs::current_path(m_folder.path()); }
  ~ConversionTest() override { fs::current_path(m_before); }

  void write(const std::string& name, const std::string& text = "") const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  // A spec with this transform, in p.json.
  void write_spec(const json& transform, const std::string& name = "p",
                  const std::string& repo = "data") const {
    const json spec = {{"pipeline", {{"name", name}}},
                       {"transform", transform},
                       {"input", {{"pfs", {{"repo", repo}, {"glob", "/*"}}}}}};
    write(name + ".json", spec.dump(1));
  }

  Start convert(const std::vector<std::string>& files, Origin origin = {}) {
    origin.files = files;
    if (origin.default_name.empty()) origin.default_name = "folder";
    auto start = converted_project(origin);
    if (start) return std::move(*start);
    std::string text = base::format_error(start.error());
    base::replace_all(text, m_folder.path().string() + "/", "");
    m_fault = std::to_string(static_cast<int>(start.error().kind)) + " " + text;
    return {};
  }
  std::string fault_of(const std::vector<std::string>& files, const Origin& origin = {}) {
    m_fault = "none";
    convert(files, origin);
    return m_fault;
  }

  // The source's files; those that are made with their content.
  static std::vector<std::string> source_of(const Start& start) {
    std::vector<std::string> all;
    for (const auto& [path, file] : start.project) {
      if (path.starts_with("source/"))
        all.push_back(path.substr(7) + (file.copy_of.empty() ? "=" + file.content : ""));
    }
    return all;
  }
  static std::vector<std::string> notes_of(const Start& start) {
    std::vector<std::string> all;
    for (const auto& [where, what] : start.notes) all.push_back(where + ": " + what);
    return all;
  }
  static json spec_of(const Start& start, const std::string& file = "pipeline.json") {
    const auto found = start.project.find(file);
    return found == start.project.end() ? json("no " + file) : json::parse(found->second.content);
  }
  static json transform_of(const Start& start) { return spec_of(start)["transform"]; }

  // What the RUN instructions become, in a Dockerfile that copies main.py and some lists.
  Start run_of(const std::string& instructions) {
    write("main.py");
    write("requirements.txt", "six\n\n");
    write("more.txt", "toolz\n");
    write("Dockerfile", "FROM python:3\nWORKDIR /app\nCOPY main.py requirements.txt ./\n" + instructions);
    return convert({"Dockerfile"});
  }
  static std::string requirements_of(const Start& start) {
    const auto found = start.project.find("source/requirements.txt");
    if (found == start.project.end()) return "none";
    return found->second.copy_of.empty() ? found->second.content : "copied";
  }

  base::TemporaryFolder m_folder =
      base::TemporaryFolder::make(fs::canonical(fs::temp_directory_path()), "conversion-test-").value();
  fs::path m_before = fs::current_path();
  std::string m_fault;
};

TEST_F(ConversionTest, ASpecAndItsDockerfile) {
  write("edges.py", "import os\nos.listdir('/pfs/images')\n");
  write("Dockerfile",
        "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y libgl1\n"
        "RUN pip3 install --no-cache-dir numpy==1.26.4 \"pillow>=10,<11\"\nADD edges.py /edges.py\n");
  write_spec({{"image", "team/edges:1"},
              {"cmd", {"python3", "/edges.py", "--x", "/data"}},
              {"dockerfile", "Dockerfile"}},
             "edges", "images");
  const auto start = convert({"edges.json", "Dockerfile"});
  EXPECT_EQ(m_fault, "");
  EXPECT_THAT(source_of(start), ElementsAre(".python-version=3.11\n", "edges.py",
                                            "requirements.txt=numpy==1.26.4\npillow>=10,<11\n"));
  EXPECT_EQ(start.project.at("pipeline.json").content, R"({
  "pipeline": {
    "name": "edges"
  },
  "transform": {
    "build": {
      "language": "python",
      "path": "./source"
    },
    "cmd": [
      "python3",
      "/pfs/source/edges.py",
      "--x",
      "/data"
    ]
  },
  "input": {
    "pfs": {
      "repo": "images",
      "glob": "/*"
    }
  }
}
)");
  EXPECT_THAT(
      notes_of(start),
      ElementsAre(
          "Dockerfile:2: RUN apt-get install -y libgl1: not converted: if the program needs these packages, "
          "set transform.image to an image that has them"));
  EXPECT_EQ(start.title, "pipeline edges built from source/");
  EXPECT_THAT(start.run, ElementsAre("pachbuild", "run", "--input", "images=FOLDER"));
  EXPECT_EQ(start.project.at("README.md").content, R"(# edges

A Pachyderm pipeline, converted by pachbuild from `edges.json` and `Dockerfile`. It needs no image of its own: pachbuild builds `source/`.

| file | purpose |
|---|---|
| `pipeline.json` | the pipeline |
| `source/` | the files from the image; the pipeline finds them in `/pfs/source` |

## Run it here

```sh
pachbuild run --input images=FOLDER
```

Put a folder with data in place of each `FOLDER`; without `--input` the folder `data/REPO` is used. `--input pfs:` takes the
data of the cluster instead.

## Run it on a cluster

You need `pachctl`, connected to a Pachyderm 2.x cluster, and the builder's image in a registry that the cluster pulls from
(docs/clusters.md, "The builder's image"). `PACHBUILD_BUILDER_IMAGES` is the prefix of its name:

```sh
export PACHBUILD_BUILDER_IMAGES=REGISTRY/TEAM/
pachbuild update pipeline --wait
```

It has the same name as the original pipeline, and replaces it. `pachbuild diff` shows what would change.

## Not converted

- Dockerfile:2: RUN apt-get install -y libgl1: not converted: if the program needs these packages, set transform.image to an image that has them

)");
}

TEST_F(ConversionTest, ADockerfileAloneSaysWhatIsReadAndStarted) {
  write("app/main.py",
        "open('/pfs/texts/x'), open('/pfs/out/y'), '/pfs/source', '/pfs/build', '/pfs/'\n# '/pfs/labels'\n");
  write(
      "app/Dockerfile",
      "FROM python:3.11.4\nWORKDIR /app\nCOPY . .\nENTRYPOINT [\"python\", \"main.py\"]\nCMD [\"--fast\"]\n");
  const auto start = convert({"app/Dockerfile"});
  EXPECT_EQ(spec_of(start),
            json::parse(R"({"pipeline": {"name": "folder"}, "transform": {"build": {"language": "python",
      "path": "./source"}, "cmd": ["python3", "main.py", "--fast"]}, "input": {"cross": [{"pfs": {"repo": "texts", "glob": "/*"}},
      {"pfs": {"repo": "labels", "glob": "/*"}}]}})"));
  EXPECT_THAT(source_of(start), ElementsAre(".python-version=3.11\n", "Dockerfile", "main.py"));
  EXPECT_THAT(
      notes_of(start),
      ElementsAre("app/Dockerfile: no spec was given: the pipeline reads repos texts, labels, which the "
                  "program names, one datum per file"));
  Origin named;
  named.name = "other";
  EXPECT_EQ(spec_of(convert({"app/Dockerfile"}, named))["pipeline"]["name"], "other");
  write("app/main.py", "'/pfs/one'");
  EXPECT_THAT(notes_of(convert({"app/Dockerfile"})),
              ElementsAre(HasSubstr("the pipeline reads repo one, which")));
  write("app/main.py", "");
  const auto unknown = convert({"app/Dockerfile"});
  EXPECT_EQ(spec_of(unknown)["input"], json::parse(R"({"pfs": {"repo": "data", "glob": "/*"}})"));
  EXPECT_THAT(
      notes_of(unknown),
      ElementsAre("app/Dockerfile: no spec was given: the pipeline reads repo \"data\", one datum per file"));
}

TEST_F(ConversionTest, WithoutACommandTheBuildChoosesTheProgram) {
  write("main.py");
  write("Dockerfile", "FROM python\nCOPY main.py /\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_EQ(transform_of(start), json::parse(R"({"build": {"language": "python", "path": "./source"}})"));
  EXPECT_THAT(source_of(start), ElementsAre("main.py"));
}

TEST_F(ConversionTest, TheLastEntrypointAndCommandCount) {
  write("x.py");
  const auto command = [&](const std::string& instructions) {
    write("Dockerfile", "FROM python\nCOPY x.py /app/\n" + instructions);
    return transform_of(convert({"Dockerfile"})).value("cmd", json()).dump();
  };
  EXPECT_EQ(command("CMD [\"a\"]\nCMD [\"b\"]\n"), R"(["b"])");
  EXPECT_EQ(command("ENTRYPOINT [\"a\"]\nCMD [\"b\"]\n"), R"(["a","b"])");
  EXPECT_EQ(command("CMD [\"b\"]\nENTRYPOINT [\"a\"]\n"), R"(["a"])");
  EXPECT_EQ(command("ENTRYPOINT a b\nCMD [\"c\"]\n"), R"(["a","b"])");
  EXPECT_EQ(command("CMD python  /app/x.py\n"), R"(["python3","/pfs/source/x.py"])");
  EXPECT_EQ(command("CMD cd /app && \\\n python \"x.py\"\n"),
            R"(["sh","-c","cd /pfs/source &&   python \"x.py\""])");
  EXPECT_EQ(command("ENTRYPOINT [\"a\"]\nENTRYPOINT []\n"), "null");
}

TEST_F(ConversionTest, CommandsFindTheirFiles) {
  write("x.py");
  write("lib/step.sh", "#!/usr/bin/env bash\n");
  write("lib/tool.R");
  write("lib/p", "#!/usr/bin/python3.8\n");
  write("Dockerfile", "FROM python\nCOPY . /app\n");
  const auto command = [&](const json& cmd, const std::string& folder = "") {
    json transform = {{"image", "i"}, {"cmd", cmd}};
    if (!folder.empty()) transform["working_dir"] = folder;
    write_spec(transform);
    auto converted = transform_of(convert({"p.json", "Dockerfile"}));
    return converted.value("cmd", json()).dump() +
           (converted.contains("working_dir") ? " in " + converted["working_dir"].get<std::string>() : "");
  };
  EXPECT_EQ(command({"python", "/app/x.py"}), R"(["python3","/pfs/source/x.py"])");
  EXPECT_EQ(command({"/usr/local/bin/python3.9", "-u", "app/x.py"}),
            R"(["python3","-u","/pfs/source/x.py"])");
  EXPECT_EQ(command({"pythonic", "python"}), R"(["pythonic","python"])");
  EXPECT_EQ(command({"/app/lib/step.sh", "a"}), R"(["bash","/pfs/source/lib/step.sh","a"])");
  EXPECT_EQ(command({"app/lib/step.sh"}), R"(["bash","/pfs/source/lib/step.sh"])");
  EXPECT_EQ(command({"/app/lib/tool.R"}), R"(["Rscript","/pfs/source/lib/tool.R"])");
  EXPECT_EQ(command({"/app/lib/p"}), R"(["python3","/pfs/source/lib/p"])");
  EXPECT_EQ(command({"python3", "x.py", "lib"}, "/app"), R"(["python3","x.py","lib"])");
  EXPECT_EQ(command({"./step.sh", "tool.R"}, "/app/lib"),
            R"(["bash","/pfs/source/lib/step.sh","tool.R"] in /pfs/source/lib)");
  EXPECT_EQ(command({"python3", "../app/x.py"}, "/tmp"), R"(["python3","/pfs/source/x.py"] in /tmp)");
  EXPECT_EQ(command({"bash", "-c", "cd /app/lib; python3 /app/x.py --c=/app"}),
            R"(["bash","-c","cd /pfs/source/lib; python3 /pfs/source/x.py --c=/pfs/source"])");
}

TEST_F(ConversionTest, CommandsAreFoundOnTheImagesPath) {
  write("scripts/process", "#!/usr/bin/env python3\n");
  write("scripts/wrap.sh", "#!/bin/sh\n");
  write("x/own.py");
  const std::string start = "FROM python\nCOPY scripts/ /usr/local/bin/\nCOPY x /opt/x\n";
  const auto command = [&](const json& cmd, const std::string& more = "") {
    write("Dockerfile", start + more);
    write_spec({{"image", "i"}, {"cmd", cmd}});
    return transform_of(convert({"p.json", "Dockerfile"}))["cmd"].dump();
  };
  EXPECT_EQ(command({"process", "--x", "process"}),
            R"(["python3","/pfs/source/usr/local/bin/process","--x","process"])");
  EXPECT_EQ(command({"wrap.sh"}), R"(["sh","/pfs/source/usr/local/bin/wrap.sh"])");
  EXPECT_EQ(command({"own.py"}), R"(["own.py"])");
  EXPECT_EQ(command({"own.py"}, "ENV PATH=/opt/x:$PATH\n"), R"(["python3","/pfs/source/opt/x/own.py"])");
  EXPECT_EQ(command({"process"}, "ENV PATH=/opt/x\n"), R"(["process"])");
  write("Dockerfile", start);
  write_spec(
      {{"image", "i"},
       {"cmd", {"bash"}},
       {"stdin", {"wrap.sh a b", "if true; then process x; fi", "cat process; /bin/wrap.sh", "own.py"}},
       {"err_cmd", {"sh"}},
       {"err_stdin", {"exec wrap.sh"}}});
  const auto scripts = convert({"p.json", "Dockerfile"});
  EXPECT_EQ(transform_of(scripts)["stdin"][0], "wrap.sh a b");
  const std::string wrap =
      "\"wrap.sh\" is /usr/local/bin/wrap.sh in the image; write sh "
      "/pfs/source/usr/local/bin/wrap.sh";
  EXPECT_THAT(notes_of(scripts),
              ElementsAre("pipeline.json (stdin): " + wrap,
                          "pipeline.json (stdin): \"process\" is /usr/local/bin/process in the image; write "
                          "python3 /pfs/source/usr/local/bin/process",
                          "pipeline.json (err_stdin): " + wrap));
}

TEST_F(ConversionTest, PackagesOfPythonBesideAGoProgramAreTold) {
  write("main.go", "package main\n");
  write("Dockerfile",
        "FROM golang\nCOPY main.go .\nRUN go build -o /map\nRUN pip install six toolz\nCMD [\"/map\"]\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre("main.go"));
  EXPECT_THAT(notes_of(start),
              ElementsAre("Dockerfile:4: pip install: not converted: a pipeline has one language",
                          HasSubstr("no spec was given")));
}

TEST_F(ConversionTest, AGoProgramIsFoundOnTheImagesPath) {
  write("main.go", "package main\n");
  write("Dockerfile",
        "FROM golang AS build\nWORKDIR /src\nCOPY main.go .\nRUN go build -o /out/map .\nFROM debian\n"
        "COPY --from=build /out/map /usr/bin\nCMD [\"map\", \"-x\"]\n");
  EXPECT_EQ(transform_of(convert({"Dockerfile"}))["cmd"],
            json::parse(R"(["sh", "/pfs/build/run.sh", "-x"])"));
}

TEST_F(ConversionTest, AShellStartsAGoProgram) {
  write("main.go", "package main\n");
  write("Dockerfile",
        "FROM golang\nWORKDIR /src\nCOPY main.go .\nRUN go build -o /bin/map . && go install ./...\n");
  write_spec(
      {{"image", "i"},
       {"cmd", {"/bin/sh"}},
       {"stdin",
        {"cd /go/bin", "for f in /pfs/data/*; do /bin/map -v $f; done", "/bin/mapper; cat /src/main.go"}}});
  const auto transform = transform_of(convert({"p.json", "Dockerfile"}));
  EXPECT_EQ(transform["cmd"], json::parse(R"(["/bin/sh"])"));
  EXPECT_EQ(transform["stdin"],
            json::parse(R"(["cd /go/bin", "for f in /pfs/data/*; do sh /pfs/build/run.sh -v $f; done",
                            "/bin/mapper; cat /pfs/source/main.go"])"));
  write_spec({{"image", "i"}, {"cmd", {"/bin/map"}}, {"err_cmd", {"/bin/map"}}});
  const auto handled = transform_of(convert({"p.json", "Dockerfile"}));
  EXPECT_FALSE(handled.contains("cmd"));
  EXPECT_EQ(handled["err_cmd"], json::parse(R"(["sh", "/pfs/build/run.sh"])"));
  write_spec({{"image", "i"}, {"cmd", {"bash", "-c", "time /bin/map /pfs/data"}}});
  EXPECT_EQ(transform_of(convert({"p.json", "Dockerfile"}))["cmd"],
            json::parse(R"(["bash", "-c", "time sh /pfs/build/run.sh /pfs/data"])"));
}

TEST_F(ConversionTest, ScriptsInTheSpecAndErrCmdAreConvertedToo) {
  write("x.py");
  write("Dockerfile", "FROM python\nWORKDIR /code\nCOPY x.py .\n");
  write_spec({{"image", "i"},
              {"cmd", {"bash"}},
              {"stdin", {"cd /code", "python3 /code/x.py"}},
              {"errCmd", {"python", "/code/x.py"}},
              {"err_stdin", {"/code/x.py"}},
              {"env", {{"A", "spec"}}}});
  EXPECT_EQ(transform_of(convert({"Dockerfile", "p.json"})),
            json::parse(R"({"build": {"language": "python", "path": "./source"}, "cmd": ["bash"],
                "stdin": ["cd /pfs/source", "python3 /pfs/source/x.py"], "err_cmd": ["python3", "/pfs/source/x.py"],
                "err_stdin": ["/pfs/source/x.py"], "env": {"A": "spec"}})"));
}

TEST_F(ConversionTest, VariablesOfTheImageAreThePrograms) {
  write("x.py");
  write("Dockerfile",
        "FROM python\nARG V=2\nARG W\nENV A=1 B=\"b $V\" C=/app/x.py\nENV D  some words \nENV "
        "PATH=/x:$PATH\nENV E=$NONE\n"
        "ENV VIRTUAL_ENV=/v DEBIAN_FRONTEND=n HOME=/h PIP_NO_CACHE_DIR=1 POETRY_HOME=/p UV_SYSTEM_PYTHON=1\n"
        "ENV PIP_INDEX_URL=https://a PIP_EXTRA_INDEX_URL=https://b\nENV =x Y\nCOPY x.py /app/x.py\n");
  write_spec({{"image", "i"}, {"cmd", {"a"}}, {"env", {{"A", "spec"}}}});
  const auto start = convert({"Dockerfile", "p.json"});
  EXPECT_EQ(transform_of(start)["env"],
            json::parse(R"({"A": "spec", "B": "b 2", "C": "/pfs/source/x.py", "D": "some words", "E": ""})"));
  EXPECT_EQ(transform_of(start)["build"]["env"],
            json::parse(R"({"PIP_INDEX_URL": "https://a", "PIP_EXTRA_INDEX_URL": "https://b"})"));
  EXPECT_THAT(notes_of(start), ElementsAre("Dockerfile:6: ENV PATH: not converted",
                                           "Dockerfile:7: ENV E: nothing sets NONE, which is taken as empty; "
                                           "check E in transform.env"));
}

TEST_F(ConversionTest, EachVariableOfALineIsConvertedByItself) {
  write("x.py");
  write("Dockerfile",
        "FROM python\nENV VIRTUAL_ENV=/v PATH=\"/v/bin:$PATH\" MODEL=resnet W=${NOPE:-w} V=${MODEL:+v}\n"
        "ENV FOO=\"a b\" BAR=$FOO/x NEXT=${MODEL:+n}\nENV PYTHONPATH=/lib:$PYTHONPATH LANG=C.UTF-8\nCOPY "
        "x.py /app/x.py\n");
  write_spec({{"image", "i"}, {"cmd", {"a"}}});
  const auto start = convert({"Dockerfile", "p.json"});
  EXPECT_EQ(transform_of(start)["env"],
            json::parse(R"({"MODEL": "resnet", "W": "w", "V": "", "FOO": "a b", "BAR": "/x", "NEXT": "n",
                            "PYTHONPATH": "/lib:", "LANG": "C.UTF-8"})"));
  const std::string check = ", which is taken as empty; check ";
  EXPECT_THAT(notes_of(start),
              ElementsAre("Dockerfile:2: ENV PATH: not converted",
                          "Dockerfile:3: ENV BAR: nothing sets FOO" + check + "BAR in transform.env",
                          "Dockerfile:4: ENV PYTHONPATH: nothing sets PYTHONPATH" + check +
                              "PYTHONPATH in transform.env"));
}

TEST_F(ConversionTest, IndexesOfTheImageAreTheBuilds) {
  write("x.py");
  write("pip.conf");
  const auto env_after = [&](const std::string& steps) {
    write("Dockerfile", "FROM python\nCOPY x.py /app/x.py\n" + steps);
    return transform_of(convert({"Dockerfile"}))["build"].value("env", json()).dump();
  };
  const std::string pip = R"({"PIP_INDEX_URL":"https://a"})";
  for (const std::string step :
       {"ENV PIP_INDEX_URL=https://a\n", "ARG PIP_INDEX_URL=https://a\n",
        "ARG A=https://a\nENV PIP_INDEX_URL=$A\n", "RUN PIP_INDEX_URL=https://a pip install six\n",
        "RUN export A=b PIP_INDEX_URL=https://a && pip install six\n",
        "RUN pip config set global.index-url https://a\n",
        "ENV PIP_INDEX_URL=https://a\nARG PIP_INDEX_URL\n"}) {
    EXPECT_EQ(env_after(step), pip) << step;
  }
  EXPECT_EQ(
      env_after("RUN PIP_INDEX_URL=https://a true\nRUN PIP_INDEX_URL=https://a\nRUN A=b pip install six\n"),
      "null");
  EXPECT_EQ(env_after("ENV UV_DEFAULT_INDEX=https://a UV_LINK_MODE=copy\n"),
            R"({"UV_DEFAULT_INDEX":"https://a"})");
  write("Dockerfile",
        "FROM python\nCOPY x.py /app/x.py\nARG PIP_INDEX_URL\nENV PIP_EXTRA_INDEX_URL=https://$TOKEN@a\n"
        "ARG UV_INDEX=https://$TOKEN@a\nCOPY pip.conf /etc/\n");
  auto notes = notes_of(convert({"Dockerfile"}));
  notes.pop_back();
  const std::string in_env = " in transform.build.env";
  EXPECT_THAT(
      notes,
      ElementsAre("Dockerfile:3: ARG PIP_INDEX_URL: not converted: nothing sets it; set it" + in_env,
                  "Dockerfile:4: ENV PIP_EXTRA_INDEX_URL: not converted: nothing sets TOKEN; set "
                  "PIP_EXTRA_INDEX_URL" +
                      in_env,
                  "Dockerfile:5: ARG UV_INDEX: not converted: nothing sets TOKEN; set UV_INDEX" + in_env,
                  "Dockerfile:6: COPY pip.conf: builds do not read it; set PIP_INDEX_URL or "
                  "PIP_EXTRA_INDEX_URL" +
                      in_env + " to its indexes"));
}

TEST_F(ConversionTest, PipBecomesRequirements) {
  EXPECT_EQ(requirements_of(run_of("")), "copied");
  EXPECT_EQ(requirements_of(run_of("RUN pip install -r requirements.txt\n")), "copied");
  EXPECT_EQ(requirements_of(
                run_of("RUN pip install --upgrade pip && pip install -r /app/requirements.txt numpy\n")),
            "six\nnumpy\n");
  EXPECT_EQ(
      requirements_of(run_of("COPY more.txt /tmp/\nRUN cd /tmp && pip install -r more.txt -i https://x\n"
                             "RUN pip install -r requirements.txt -c /tmp/more.txt\n")),
      "-r more.txt\n--index-url https://x\nsix\n-c more.txt\n");
  EXPECT_EQ(requirements_of(run_of("RUN pip install . -e .\n")), "./\n-e ./\n");
  EXPECT_EQ(requirements_of(run_of("COPY more.txt wheels/\nRUN pip install --no-index -f wheels six\n")),
            "--no-index\n--find-links ./wheels\nsix\n");
  EXPECT_EQ(requirements_of(run_of("RUN [\"pip\", \"install\", \"a b\"]\n")), "a b\n");
  EXPECT_EQ(requirements_of(run_of("RUN <<EOF\ncd /\npip install one # two\npip install three\nEOF\n")),
            "one\nthree\n");
  EXPECT_THAT(
      notes_of(run_of("RUN pip install numpy\n"))[0],
      "Dockerfile: the copied requirements.txt is replaced, because the Dockerfile does not install from it");
}

TEST_F(ConversionTest, WhatPipCannotFindIsTold) {
  const auto start = run_of("RUN pip install -r none.txt six \\\n  --no-deps\nRUN pip install $X\n");
  EXPECT_THAT(
      notes_of(start),
      ElementsAre(
          "Dockerfile:4: pip install --no-deps: this option is not converted",
          "Dockerfile:6: RUN pip install $X: not converted",
          "Dockerfile:4: pip install -r none.txt: not converted: the Dockerfile does not copy /app/none.txt",
          "Dockerfile: the copied requirements.txt is replaced, because the Dockerfile does not install from "
          "it",
          "Dockerfile: no spec was given: the pipeline reads repo \"data\", one datum per file"));
}

TEST_F(ConversionTest, WhatPipCannotFindIsQuotedAsWritten) {
  auto notes = notes_of(run_of("RUN cd /other && pip install . -e ./x -c c.txt -f wheels\n"));
  notes.pop_back();
  EXPECT_THAT(
      notes,
      ElementsAre(
          "Dockerfile:4: pip install .: not converted: the Dockerfile does not copy /other",
          "Dockerfile:4: pip install -e ./x: not converted: the Dockerfile does not copy /other/x",
          "Dockerfile:4: pip install -c c.txt: not converted: the Dockerfile does not copy /other/c.txt",
          "Dockerfile:4: pip install --find-links wheels: not converted: the Dockerfile does not copy "
          "/other/wheels"));
}

TEST_F(ConversionTest, ListsOfTheWebAndLostFoldersAreNotConverted) {
  const auto start = run_of(
      "RUN pip install six -r https://me:secret@x/r.txt -c https://x/c.txt\n"
      "RUN pip install --no-index --find-links /none toolz\n");
  EXPECT_EQ(requirements_of(start), "six\ntoolz\n");
  const std::string include =
      ": not converted: copy the file into source/ and include it in requirements.txt";
  auto notes = notes_of(start);
  notes.resize(4);
  EXPECT_THAT(
      notes,
      ElementsAre(
          "Dockerfile:4: pip install -r https://me:***@x/r.txt" + include,
          "Dockerfile:4: pip install -c https://x/c.txt" + include,
          "Dockerfile:5: pip install --find-links /none: not converted: the Dockerfile does not copy /none",
          "Dockerfile:5: pip install --no-index: not converted: the source does not have the "
          "folder of --find-links"));
  EXPECT_EQ(requirements_of(run_of("RUN pip install --no-index -f /none -f https://x six\n")),
            "--no-index\n--find-links https://x\nsix\n");
  EXPECT_EQ(requirements_of(run_of("RUN pip install --no-index six\n")), "--no-index\nsix\n");
  const auto made = run_of("RUN pip wheel -w /w six && pip install --no-index -f /w /w/*.whl\n");
  EXPECT_EQ(requirements_of(made), "six\n");
  EXPECT_EQ(made.notes.size(), 2U);
}

TEST_F(ConversionTest, ListsInOtherEncodingsAreCopiedButNotMixed) {
  run_of("");
  write("requirements.txt", std::string("\xFF\xFEs\0i\0x\0", 8));
  write("Dockerfile",
        "FROM python\nWORKDIR /app\nCOPY main.py requirements.txt ./\nRUN pip install -r requirements.txt\n");
  EXPECT_EQ(requirements_of(convert({"Dockerfile"})), "copied");
  write("Dockerfile",
        "FROM python\nWORKDIR /app\nCOPY main.py requirements.txt ./\nRUN pip install -r requirements.txt "
        "six\n");
  EXPECT_EQ(fault_of({"Dockerfile"}),
            "65 error: requirements.txt: is not UTF-8 text\nhint: save it as UTF-8\n");
}

TEST_F(ConversionTest, StepsWithoutEffectAreNotTold) {
  const auto start = run_of(
      "RUN apt-get update && apt-get clean; apt -y autoremove\nRUN mkdir -p /x && chmod +x main.py && chown "
      "a:b /x\n"
      "RUN rm -rf /var/lib/apt/lists/* /var/cache/x /tmp/y /root/.cache\nRUN set -ex; true; : ; export "
      "A=1\nRUN python3 -m venv /v\n"
      "RUN pip cache purge && pip config set a b\nRUN poetry install && poetry config x && pdm install && "
      "pdm sync && pipenv install && "
      "pipenv sync && uv sync && uv venv\nEXPOSE 80\nLABEL a=b\nMAINTAINER me\nHEALTHCHECK NONE\nSHELL "
      "[\"sh\"]\nSTOPSIGNAL 9\n"
      "CMD [\"python3\", \"main.py\"]\n");
  EXPECT_THAT(
      notes_of(start),
      ElementsAre("Dockerfile: no spec was given: the pipeline reads repo \"data\", one datum per file"));
}

TEST_F(ConversionTest, EverythingElseIsToldWithItsLine) {
  const auto start = run_of(
      "RUN apt-get install -y a && \\\n    # why\n    apt upgrade && apk add b\nRUN yum install c; dnf "
      "install d; conda install e; mamba install f\n"
      "RUN curl -O https://x | tar x\nRUN rm -rf /app/x\nRUN poetry build\nUSER me\nVOLUME /v\nONBUILD RUN "
      "x\n"
      "COPY --from=other /a /b\nCOPY <<EOF /x\ny\nEOF\nADD https://x/y.txt /z/\nADD a.tar.gz /y/\nADD "
      "git@x:y /y/\nRUN python3 <<EOF\nx\nEOF\n"
      "COPY --exclude=x . /w/\nRUN uv lock\nRUN python -m build\n");
  auto notes = notes_of(start);
  notes.pop_back();
  const std::string packages =
      ": not converted: if the program needs these packages, set transform.image to an image that has them";
  EXPECT_THAT(
      notes,
      ElementsAre(
          "Dockerfile:4: RUN apt-get install -y a" + packages, "Dockerfile:6: RUN apt upgrade" + packages,
          "Dockerfile:6: RUN apk add b" + packages, "Dockerfile:7: RUN yum install c" + packages,
          "Dockerfile:7: RUN dnf install d" + packages, "Dockerfile:7: RUN conda install e" + packages,
          "Dockerfile:7: RUN mamba install f" + packages,
          "Dockerfile:8: RUN curl -O https://x | tar x: not converted",
          "Dockerfile:9: RUN rm -rf /app/x: not converted", "Dockerfile:10: RUN poetry build: not converted",
          "Dockerfile:11: USER me: not converted", "Dockerfile:12: VOLUME /v: not converted",
          "Dockerfile:13: ONBUILD RUN x: not converted",
          "Dockerfile:14: COPY --from=other /a /b: not converted: it copies from another image",
          "Dockerfile:15: COPY <<EOF /x: not converted",
          "Dockerfile:18: ADD https://x/y.txt: not converted: download the file into source/ yourself",
          "Dockerfile:19: ADD a.tar.gz: not converted: it is unpacked",
          "Dockerfile:20: ADD git@x:y: not converted: download the file into source/ yourself",
          "Dockerfile:21: RUN python3 <<EOF: not converted",
          "Dockerfile:24: COPY --exclude=x . /w/: not converted", "Dockerfile:25: RUN uv lock: not converted",
          "Dockerfile:26: RUN python -m build: not converted"));
}

TEST_F(ConversionTest, ALongCommandIsShortened) {
  const auto notes = notes_of(run_of("RUN x " + std::string(200, 'y') + "\n"));
  EXPECT_EQ(notes[0].size(),
            std::string("Dockerfile:4: : not converted").size() + 100 + std::string(" … ").size());
  EXPECT_THAT(notes[0], HasSubstr(" … "));
}

TEST_F(ConversionTest, StagesBelowAreAPartAndOthersAreTold) {
  write("x.py");
  write("Dockerfile",
        "ARG V=3.12\nFROM scratch\nRUN one\nFROM docker.io/library/python:${V}-slim@sha256:00 AS "
        "base\nWORKDIR /app\nCMD [\"a\"]\n"
        "FROM node AS web\nRUN two\nFROM --platform=linux/amd64 base AS final\nCOPY x.py .\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre(".python-version=3.12\n", "x.py"));
  EXPECT_EQ(transform_of(start)["cmd"], json::parse(R"(["a"])"));
  auto notes = notes_of(start);
  notes.pop_back();
  EXPECT_THAT(notes, ElementsAre("Dockerfile:2: stage 0 of a multi-stage build is not converted",
                                 "Dockerfile:7: stage \"web\" of a multi-stage build is not converted"));
  write("Dockerfile", "FROM ubuntu:22.04\nCOPY x.py /\n");
  EXPECT_THAT(notes_of(convert({"Dockerfile"}))[0],
              "Dockerfile:1: FROM ubuntu:22.04: not converted: the pipeline runs in the builder's image");
}

TEST_F(ConversionTest, PythonsVersionIsThatOfTheTag) {
  write("x.py");
  const auto version = [&](const std::string& image) {
    write("Dockerfile", "FROM " + image + "\nCOPY x.py /\n");
    const auto start = convert({"Dockerfile"});
    const auto found = start.project.find("source/.python-version");
    return found == start.project.end() ? "none" : found->second.content;
  };
  for (const std::string image :
       {"python:3.9", "python:3.9.1", "python:3.9-alpine", "registry:5000/a/python:3.9.18-slim-bookworm"})
    EXPECT_EQ(version(image), "3.9\n") << image;
  for (const std::string image : {"python", "python:3", "python:latest", "python:slim", "python:3.x",
                                  "python:x.9", "mypython:3.9", "python@sha256:0"})
    EXPECT_EQ(version(image), "none") << image;
  write(".python-version", "3.10\n");
  write("Dockerfile", "FROM python:3.9\nCOPY x.py .python-version /\n");
  EXPECT_THAT(source_of(convert({"Dockerfile"})), ElementsAre(".python-version", "x.py"));
}

TEST_F(ConversionTest, CopyPutsFilesWhereDockerWould) {
  for (const char* name : {"a.py", "b.py", "lib/c.py", "lib/d/e.py", "s p.py"}) write(name);
  const auto copied = [&](const std::string& instructions) {
    write("Dockerfile", "FROM python\n" + instructions + "COPY a.py /zz\n");
    auto all = source_of(convert({"Dockerfile"}));
    return base::join(all, " ");
  };
  EXPECT_EQ(copied("COPY a.py /x\n"), "x zz");
  EXPECT_EQ(copied("COPY a.py /x/\n"), "x/a.py zz");
  EXPECT_EQ(copied("COPY a.py /x/.\n"), "x/a.py zz");
  EXPECT_EQ(copied("WORKDIR /x\nCOPY a.py /x\n"), "x/a.py zz");
  EXPECT_EQ(copied("COPY a.py /x/y.py\nCOPY b.py /x\n"), "x/b.py x/y.py zz");
  EXPECT_EQ(copied("COPY ?.py /x\n"), "x/a.py x/b.py zz");
  EXPECT_EQ(copied("COPY lib /x\n"), "x/c.py x/d/e.py zz");
  EXPECT_EQ(copied("COPY lib/ a.py x\n"), "x/a.py x/c.py x/d/e.py zz");
  EXPECT_EQ(copied("WORKDIR /w\nWORKDIR v\nCOPY lib/c.py .\n"), "w/v/c.py zz");
  EXPECT_EQ(copied("COPY [\"s p.py\", \"/x/\"]\n"), "x/s p.py zz");
  EXPECT_EQ(copied("ENV X=/deep\nARG F=lib/c.py\nCOPY --chown=a --chmod=7 --link $F ${X}/\n"),
            "deep/c.py zz");
  EXPECT_EQ(copied("COPY a.py /x\nCOPY b.py /x\n"), "x zz");
  EXPECT_EQ(copied("COPY a.py /usr/local/bin\n"), "usr/local/bin/a.py zz");
}

TEST_F(ConversionTest, OldPathsInProgramsAreTold) {
  write("x.py", "a = 1\n# /app/x.py\nopen('/app/lib/data.txt'); open('/app/x.py')\n");
  write("lib/data.txt", "/app/x.py\n");
  write("Dockerfile", "FROM python\nCOPY . /app\nCMD [\"python3\", \"/app/x.py\"]\n");
  EXPECT_THAT(notes_of(convert({"Dockerfile"})),
              ElementsAre("source/x.py:3: names /app/lib/data.txt; write /pfs/source/lib/data.txt instead",
                          HasSubstr("no spec was given")));
}

TEST_F(ConversionTest, ScriptsWithTheBuildsNamesAreTold) {
  write("run.sh", "#!/bin/sh\n");
  write("Dockerfile", "FROM python\nCOPY run.sh /\nCMD [\"/run.sh\"]\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre("image-run.sh"));
  EXPECT_EQ(transform_of(start)["cmd"], json::parse(R"(["sh", "/pfs/source/image-run.sh"])"));
  EXPECT_THAT(notes_of(start)[0],
              "Dockerfile: /run.sh is now image-run.sh: pachbuild takes a run.sh there for its own");
}

TEST_F(ConversionTest, GoProgramsAreStartedByTheBuild) {
  write("main.go", "package main\n// \"/pfs/texts\"\n");
  write("go.mod", "module x\n");
  const auto transform = [&](const std::string& command, const std::string& base = "golang:1.21") {
    write("Dockerfile", "FROM " + base +
                            "\nWORKDIR /src\nCOPY main.go go.mod ./\nRUN go mod download && go vet && go "
                            "build -o words . && go "
                            "get x && go install\n" +
                            command);
    return transform_of(convert({"Dockerfile"})).dump();
  };
  const std::string build = R"("build":{"language":"go","path":"./source"})";
  EXPECT_EQ(transform("CMD [\"/src/words\"]\n"), "{" + build + "}");
  EXPECT_EQ(transform("CMD [\"words\"]\n"), "{" + build + "}");
  EXPECT_EQ(transform("CMD [\"./words\", \"-n\", \"3\"]\n"),
            "{" + build + R"(,"cmd":["sh","/pfs/build/run.sh","-n","3"]})");
  EXPECT_EQ(transform("CMD [\"other\"]\n", "debian"), "{" + build + R"(,"cmd":["other"]})");
  EXPECT_EQ(transform("RUN go generate\n"), "{" + build + "}");
  EXPECT_THAT(notes_of(convert({"Dockerfile"}))[0], "Dockerfile:5: RUN go generate: not converted");
}

TEST_F(ConversionTest, ArgumentsOfAGoProgramFindTheirFiles) {
  write("main.go", "package main\n");
  write("go.mod", "module x\n");
  write("config.yml");
  write("Dockerfile",
        "FROM golang:1.22\nWORKDIR /src\nCOPY main.go go.mod ./\nRUN go build -o /usr/bin/tool .\n"
        "COPY config.yml /etc/tool/config.yml\nENTRYPOINT [\"/usr/bin/tool\", \"-c\", "
        "\"/etc/tool/config.yml\", \"--all=/etc/tool\"]\n");
  const auto transform = transform_of(convert({"Dockerfile"}));
  EXPECT_EQ(transform["cmd"],
            json::parse(R"(["sh", "/pfs/build/run.sh", "-c", "/pfs/source/etc/tool/config.yml",
                                             "--all=/pfs/source/etc/tool"])"));
  EXPECT_EQ(transform["working_dir"], "/pfs/source/src");
  write_spec({{"image", "i"}, {"cmd", {"/usr/bin/tool", "config.yml"}}, {"working_dir", "/etc/tool"}});
  EXPECT_EQ(transform_of(convert({"p.json", "Dockerfile"}))["cmd"],
            json::parse(R"(["sh", "/pfs/build/run.sh", "config.yml"])"));
}

TEST_F(ConversionTest, TheStageThatCompilesAGoProgramIsTheSource) {
  write("main.go", "package main\n");
  write("go.mod", "module example.com/team/tool/v2\n");
  write("config.yml");
  const auto converted = [&](const std::string& build, const std::string& last) {
    write("Dockerfile", "FROM golang:1.22 AS Build\nWORKDIR /src\nCOPY main.go go.mod ./\nRUN " + build +
                            "\nFROM alpine\n" + last);
    return convert({"Dockerfile"});
  };
  for (const auto& [build, last] : std::vector<std::pair<std::string, std::string>>{
           {"go build -o /out/map .", "COPY --from=build /out/map /map\nCMD [\"/map\"]\n"},
           {"go build -o=/out/map", "COPY --from=0 /out /usr/bin/\nCMD [\"/usr/bin/map\"]\n"},
           {"go build", "COPY --from=build /src/tool /usr/bin/\nCMD [\"/usr/bin/tool\"]\n"},
           {"go build -ldflags '-s -w' ./cmd/map", "COPY --from=build /src/map /\nCMD [\"/map\"]\n"},
           {"go build -o /out/ ./...", "COPY --from=build /out/* /bin/\nCMD [\"/bin/map\"]\n"},
           {"GOARCH=$TARGETARCH go build -ldflags \"-X main.version=${VERSION}\" -o /out/map .",
            "COPY --from=build /out/map /map\nCMD [\"/map\"]\n"},
           {"go install ./...", "COPY --from=build /go/bin/map /map\nCMD [\"/map\"]\n"},
           {"go install example.com/map@latest",
            "WORKDIR /x\nCOPY --from=build /go/bin/map .\nCMD "
            "[\"./map\"]\n"}}) {
    const auto start = converted(build, last);
    EXPECT_EQ(transform_of(start), json::parse(R"({"build": {"language": "go", "path": "./source"}})"))
        << build << m_fault;
    EXPECT_THAT(source_of(start), ElementsAre("go.mod", "main.go")) << build;
    EXPECT_THAT(
        notes_of(start),
        ElementsAre("Dockerfile:5: FROM alpine: not converted: the pipeline runs in the builder's image",
                    HasSubstr("no spec was given")))
        << build;
  }
  const auto start =
      converted("curl x && go build -o /out/tool .",
                "COPY --from=build /out/tool /usr/bin/tool\nCOPY --from=build /etc/ssl/certs /etc/ssl/certs\n"
                "COPY config.yml /etc/tool/config.yml\nENTRYPOINT [\"/usr/bin/tool\", "
                "\"/etc/tool/config.yml\"]\n");
  EXPECT_THAT(source_of(start), ElementsAre("etc/tool/config.yml", "src/go.mod", "src/main.go"));
  EXPECT_EQ(transform_of(start)["cmd"],
            json::parse(R"(["sh", "/pfs/build/run.sh", "/pfs/source/etc/tool/config.yml"])"));
  EXPECT_THAT(
      notes_of(start),
      ElementsAre("Dockerfile:4: RUN curl x: not converted",
                  "Dockerfile:5: FROM alpine: not converted: the pipeline runs in the builder's image",
                  "Dockerfile:7: COPY --from=build /etc/ssl/certs /etc/ssl/certs: not converted: it "
                  "copies from another image",
                  HasSubstr("no spec was given")));
}

TEST_F(ConversionTest, FilesOfOtherStagesAreCopied) {
  write("app/main.py");
  write("app/x.csv");
  write("Dockerfile",
        "FROM node AS web\nCOPY app /web\nRUN make\nUSER me\nENV A=$B\nFROM node AS unused\nFROM python\n"
        "COPY --from=web /web /app/\nCOPY --from=web /web/x.csv /app/data/\nCMD [\"python\", "
        "\"/app/main.py\"]\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre("data/x.csv", "main.py", "x.csv"));
  EXPECT_THAT(notes_of(start),
              ElementsAre("Dockerfile:3: RUN make: not converted",
                          "Dockerfile:6: stage \"unused\" of a multi-stage build is not converted",
                          HasSubstr("no spec was given")));
}

TEST_F(ConversionTest, WhatOtherStagesMakeOtherwiseIsLost) {
  write("main.go", "package main\n");
  write("x.py");
  const auto fault = [&](const std::string& instructions) {
    write("Dockerfile", instructions);
    return fault_of({"Dockerfile"});
  };
  const std::string hint = "hint: name a Dockerfile whose last stage copies the program's files\n";
  EXPECT_EQ(
      fault("FROM rust AS build\nCOPY . .\nFROM debian\nCOPY --from=build /out/x /x\n"),
      "65 error: Dockerfile: the last stage of this multi-stage build copies neither the program's files, "
      "nor what go build or pip made\n" +
          hint);
  EXPECT_EQ(
      fault("FROM rust AS build\nCOPY . .\nFROM debian\nCOPY --from=build /out/x /x\nCOPY Dockerfile /y\n"),
      "65 error: Dockerfile: no supported language found: the last stage of this multi-stage build copies "
      "neither Python nor Go files, nor what go build or pip made\n" +
          hint);
  write("Dockerfile",
        "FROM golang AS build\nCOPY main.go .\nRUN go build -o /tool\nFROM python\nCOPY --from=build /tool "
        "/bin/tool\nCOPY x.py /\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre("x.py"));
  EXPECT_THAT(
      notes_of(start),
      ElementsAre(
          "Dockerfile:1: stage \"build\" of a multi-stage build is not converted",
          "Dockerfile:5: COPY --from=build /tool /bin/tool: not converted: a pipeline has one language",
          HasSubstr("no spec was given")));
}

TEST_F(ConversionTest, PackagesOfOtherStagesAreListed) {
  write("app/run.py");
  write("requirements.txt", "-r base.txt\nsix\n");
  write("base.txt", "toolz\n");
  const auto converted = [&](const std::string& install, const std::string& last) {
    write("Dockerfile",
          "FROM python:3.11 AS builder\nWORKDIR /build\nCOPY requirements.txt base.txt ./\nRUN " + install +
              "\nFROM debian\n" + last + "\nCOPY app/ /app/\n");
    return convert({"Dockerfile"});
  };
  for (const auto& [install, last] : std::vector<std::pair<std::string, std::string>>{
           {"python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt",
            "COPY --from=builder /opt/venv /opt/venv"},
           {"pip install --target=/deps -r requirements.txt", "COPY --from=builder /deps /usr/lib/python3"},
           {"pip install --prefix /install -r requirements.txt", "COPY --from=builder /install /usr/local"},
           {"pip install --user -r requirements.txt", "COPY --from=builder /root/.local /root/.local"},
           {"pip install -r requirements.txt",
            "COPY --from=builder /usr/local/lib/python3.11/site-packages /usr/lib\nCOPY --from=builder "
            "/usr/local/bin /usr/local/bin"},
           {"pip wheel -w /wheels -r requirements.txt",
            "COPY --from=builder /wheels /wheels\nRUN pip install --no-index --find-links=/wheels "
            "/wheels/*"}}) {
    const auto start = converted(install, last);
    EXPECT_THAT(source_of(start),
                ElementsAre(".python-version=3.11\n", "base.txt", "requirements.txt", "run.py"))
        << install << m_fault;
    EXPECT_THAT(
        notes_of(start),
        ElementsAre("Dockerfile:5: FROM debian: not converted: the pipeline runs in the builder's image",
                    HasSubstr("no spec was given")))
        << install;
  }
  // The image has the list itself.
  EXPECT_THAT(
      source_of(converted("pip install --user -r requirements.txt six",
                          "COPY --from=builder /root/.local /root/.local\nCOPY requirements.txt /app/r.txt")),
      ElementsAre(".python-version=3.11\n", "r.txt", "requirements.txt=-r r.txt\nsix\n", "run.py"));
  EXPECT_THAT(source_of(converted("pip install -r requirements.txt",
                                  "COPY --from=builder /usr/local /usr/local\n"
                                  "COPY . /app")),
              testing::AllOf(testing::Contains("requirements.txt"), testing::Contains("base.txt"),
                             testing::Not(testing::Contains("image-requirements.txt"))));
  // Another folder of the stage.
  EXPECT_THAT(
      notes_of(converted("pip install -r requirements.txt", "COPY --from=builder /data /data")),
      testing::Contains("Dockerfile:6: COPY --from=builder /data /data: not converted: it copies from "
                        "another image"));
}

TEST_F(ConversionTest, LocksOfOtherStagesComeAlong) {
  write("app/run.py");
  write("uv.lock");
  write("pyproject.toml");
  write("Dockerfile",
        "FROM python AS builder\nWORKDIR /build\nCOPY uv.lock pyproject.toml ./\nRUN uv sync --frozen\n"
        "FROM python\nWORKDIR /app\nCOPY --from=builder /build/.venv .venv\nCOPY app .\n");
  EXPECT_THAT(source_of(convert({"Dockerfile"})), ElementsAre("pyproject.toml", "run.py", "uv.lock"));
}

TEST_F(ConversionTest, TheLanguageCanBeChosen) {
  write("x.txt");
  write("Dockerfile", "FROM debian\nCOPY x.txt /\n");
  EXPECT_EQ(
      fault_of({"Dockerfile"}),
      "65 error: Dockerfile: no supported language found: neither Python nor Go is copied or installed\n"
      "hint: choose one with --language\n");
  Origin origin;
  origin.language = "go";
  EXPECT_EQ(transform_of(convert({"Dockerfile"}, origin))["build"]["language"], "go");
  write_spec({{"image", "i"}, {"cmd", {"python3", "x"}}});
  EXPECT_EQ(transform_of(convert({"Dockerfile", "p.json"}))["build"]["language"], "python");
  write("Dockerfile", "FROM debian\nCOPY x.txt /\nRUN pip install six\n");
  EXPECT_EQ(transform_of(convert({"Dockerfile"}))["build"]["language"], "python");
  EXPECT_EQ(fault_of({"Dockerfile"}, origin),
            "64 error: --language go: no Go files are copied or installed\nhint: omit --language\n");
  write("x.py");
  write("x.go");
  write("Dockerfile", "FROM debian\nCOPY x.go /\n");
  EXPECT_EQ(transform_of(convert({"Dockerfile"}, origin))["build"]["language"], "go");
  origin.language = "python";
  EXPECT_EQ(fault_of({"Dockerfile"}, origin),
            "64 error: --language python: no Python files are copied or installed\nhint: omit --language\n");
  write("Dockerfile", "FROM debian\nCOPY x.py x.go /\n");
  EXPECT_EQ(transform_of(convert({"Dockerfile"}, origin))["build"]["language"], "python");
  EXPECT_EQ(transform_of(convert({"Dockerfile"}))["build"]["language"], "python");
}

TEST_F(ConversionTest, ADockerfileIsKnownByItsNameOrItsStart) {
  write("main.py");
  for (const std::string text : {"FROM python\nCOPY main.py /\n", "# why\n\n  from python\nCOPY main.py /\n",
                                 "ARG A=python\nFROM ${A}\nCOPY main.py /\n"}) {
    write("image.txt", text);
    EXPECT_EQ(transform_of(convert({"image.txt"}))["build"]["language"], "python") << text;
  }
  write("image.txt", "fromage: 1\n");
  EXPECT_NE(fault_of({"image.txt"}).find("image.txt:1:1"), std::string::npos) << "a spec";
}

TEST_F(ConversionTest, ASpecAloneTakesFilesBesideIt) {
  write("specs/edges.py");
  write("specs/helper.sh");
  write("specs/requirements.txt", "six\n");
  const json spec = {
      {"pipeline", {{"name", "p"}}},
      {"transform",
       {{"image", "team/x:1"},
        {"cmd", {"bash"}},
        {"stdin", {"python3 /code/edges.py", "/code/helper.sh x"}}}},
      {"input",
       {{"cross",
         {{{"pfs", {{"repo", "a"}, {"glob", "/"}}}}, {{"cron", {{"name", "t"}, {"spec", "@daily"}}}}}}}}};
  write("specs/p.yaml", spec.dump());
  const auto start = convert({"specs/p.yaml"});
  EXPECT_THAT(source_of(start), ElementsAre("edges.py", "helper.sh", "requirements.txt"));
  EXPECT_EQ(transform_of(start)["stdin"],
            json::parse(R"(["python3 /pfs/source/edges.py", "/pfs/source/helper.sh x"])"));
  EXPECT_THAT(start.run, ElementsAre("pachbuild", "run", "--input", "a=FOLDER"));
  EXPECT_THAT(notes_of(start), ElementsAre("specs/p.yaml: the Dockerfile of \"team/x:1\" was not given: "
                                           "packages that the image has are not converted"));
  write_spec({{"image", "i"}, {"cmd", {"python3", "/missing.py"}}});
  EXPECT_EQ(fault_of({"p.json"}),
            "65 error: p.json:12:10: the command does not start a file in the spec's folder\nhint: add the "
            "image's Dockerfile: --from Dockerfile\n");
}

TEST_F(ConversionTest, SeveralPipelinesShareASource) {
  write("x.py");
  write("Dockerfile", "FROM python:3.11\nCOPY x.py /\n");
  write_spec({{"image", "team/x:1"}, {"cmd", {"python3", "/x.py"}}}, "a", "data");
  write_spec({{"image", "team/x@sha256:2"}, {"cmd", {"python3", "/x.py", "b"}}}, "b", "a");
  const auto start = convert({"a.json", "b.json", "Dockerfile"});
  EXPECT_EQ(spec_of(start, "pipelines/a.json")["transform"]["build"]["path"], "../source");
  EXPECT_EQ(spec_of(start, "pipelines/b.json")["transform"]["cmd"],
            json::parse(R"(["python3", "/pfs/source/x.py", "b"])"));
  EXPECT_EQ(start.title, "2 pipelines built from source/");
  EXPECT_THAT(start.run, ElementsAre("pachbuild", "run", "-f", "pipelines", "--input", "data=FOLDER",
                                     "--output", "output"));
  EXPECT_THAT(
      start.project.at("README.md").content,
      HasSubstr("# Pipelines\n\nPachyderm pipelines, converted by pachbuild from `a.json`, `b.json` and "
                "`Dockerfile`. They need no image of their own: pachbuild builds `source/`.\n"));
  EXPECT_THAT(start.project.at("README.md").content, HasSubstr("\n## Run them on a cluster\n"));
  EXPECT_THAT(
      start.project.at("README.md").content,
      HasSubstr("\nThey have the same names as the original pipelines, and replace them. `pachbuild diff -f "
                "pipelines` shows what would change.\n"));
  EXPECT_THAT(start.project.at("README.md").content,
              HasSubstr("| `pipelines/` | a file for each pipeline |"));
  Origin origin;
  origin.name = "c";
  EXPECT_EQ(fault_of({"a.json", "b.json", "Dockerfile"}, origin),
            "64 error: --name c: there are 2 pipelines, which keep their names\nhint: omit --name\n");
  EXPECT_EQ(spec_of(convert({"a.json", "Dockerfile"}, origin))["pipeline"]["name"], "c");
  EXPECT_EQ(fault_of({"a.json", "a.json", "Dockerfile"}), "65 error: a.json: pipeline a appears twice\n");
  write_spec({{"image", "team/y:1"}, {"cmd", {"x"}}}, "b", "a");
  EXPECT_EQ(fault_of({"a.json", "b.json"}),
            "65 error: b.json:15:12: the pipelines run in different images: \"team/x:1\" and \"team/y:1\"\n"
            "hint: convert the pipelines of each image into a separate folder\n");
}

TEST_F(ConversionTest, WhatIsGivenMustFit) {
  write("Dockerfile", "FROM python\nCOPY x.py /\n");
  write("x.Dockerfile", "FROM python\n");
  write("folder/x");
  EXPECT_EQ(fault_of({"Dockerfile", "x.Dockerfile"}),
            "64 error: --from x.Dockerfile: is a second Dockerfile, after Dockerfile\nhint: convert the "
            "pipelines of each image into a separate folder\n");
  EXPECT_EQ(fault_of({"folder"}),
            "65 error: folder: is a folder\nhint: name the spec or the Dockerfile in it\n");
  EXPECT_EQ(fault_of({"Dockerfil"}),
            "65 error: Dockerfil: cannot read: no such file or folder\nhint: did you mean \"Dockerfile\"?\n");
  EXPECT_EQ(fault_of({"x.Dockerfile"}),
            "65 error: x.Dockerfile: neither copies files nor installs packages with pip\n"
            "hint: name the Dockerfile of the pipeline's own image\n");
  EXPECT_THAT(fault_of({"Dockerfile"}),
              HasSubstr("65 error: Dockerfile:2: \"x.py\" does not exist in the build context\n"));
  Origin origin;
  origin.context = "folder";
  write("folder/x.py");
  EXPECT_EQ(fault_of({"Dockerfile"}, origin), "none");
  write_spec({{"build", {{"language", "python"}}}});
  EXPECT_EQ(fault_of({"p.json"}, origin),
            "64 error: --context: needs a Dockerfile\nhint: add --from Dockerfile\n");
  EXPECT_EQ(fault_of({"p.json"}),
            "65 error: p.json:12:12: pipeline p already has transform.build\nhint: run it: pachbuild run -f "
            "p.json\n");
  write("big.Dockerfile", std::string((1 << 20) + 1, '\n'));
  EXPECT_EQ(fault_of({"big.Dockerfile"}), "65 error: big.Dockerfile: is too large: the limit is 1.0 MiB\n");
  write("Containerfile", "FROM python:$V\n");
  EXPECT_EQ(fault_of({"Containerfile"}),
            "65 error: Containerfile:1: FROM uses \"V\", which nothing sets\nhint: write its value into a "
            "copy of the Dockerfile\n");
}

TEST_F(ConversionTest, InstructionsThatMeanNothingAreErrors) {
  write("x.py");
  const auto fault = [&](const std::string& instructions) {
    write("Dockerfile", "FROM python\n" + instructions);
    return fault_of({"Dockerfile"});
  };
  const std::string hint = "\nhint: write its value into a copy of the Dockerfile\n";
  EXPECT_EQ(fault("COPY $X /\n"), "65 error: Dockerfile:2: COPY uses \"X\", which nothing sets" + hint);
  EXPECT_EQ(fault("WORKDIR $X\n"), "65 error: Dockerfile:2: WORKDIR uses \"X\", which nothing sets" + hint);
  EXPECT_EQ(fault("COPY x.py\n"), "65 error: Dockerfile:2: COPY needs a source and a destination\n");
  write("Dockerfile", "RUN x\n");
  EXPECT_EQ(fault_of({"Dockerfile"}), "65 error: Dockerfile: has no FROM\n");
  write("Dockerfile", "FROM\n");
  EXPECT_EQ(fault_of({"Dockerfile"}), "65 error: Dockerfile:1: FROM has no image\n");
}

TEST_F(ConversionTest, WhatGrowsWithoutEndIsRefused) {
  write("x.py");
  std::string stages;
  for (int i = 1; i < 100; ++i)
    stages += "FROM s" + std::to_string(i - 1) + " AS s" + std::to_string(i) + "\n";
  write("Dockerfile", "FROM python:3.9 AS s0\n" + stages + "COPY x.py /\n");
  EXPECT_THAT(source_of(convert({"Dockerfile"})), ElementsAre(".python-version=3.9\n", "x.py"));
  write("Dockerfile", "FROM python AS s0\n" + stages + "FROM s9\nCOPY x.py /\n");
  EXPECT_EQ(fault_of({"Dockerfile"}), "65 error: Dockerfile: has 101 stages; the limit is 100\n");
  std::string doubled;
  for (int i = 0; i < 40; ++i) doubled += "ENV A=$A$A\n";
  write("Dockerfile", "FROM python\nENV A=0123456789abcdef\n" + doubled + "COPY x.py /\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_LE(transform_of(start)["env"]["A"].get<std::string>().size(), k_largest_expansion);
  EXPECT_THAT(notes_of(start),
              testing::Contains("Dockerfile:19: ENV A: not converted: its value is larger than 1.0 MiB"));
}

TEST_F(ConversionTest, ListsThatIncludeEachOtherEnd) {
  write("x.py");
  write("a.txt", "-r b.txt\n-c sub/c.txt\n-r none.txt x\n");
  write("b.txt", "--requirement a.txt\n");
  write("sub/c.txt", "--constraint ../d.txt\n");
  write("d.txt", "six\n");
  write("e.txt");
  write("Dockerfile",
        "FROM python\nCOPY x.py e.txt /app/\nCOPY a.txt b.txt d.txt /tmp/\nCOPY sub /tmp/sub\nRUN pip "
        "install -r /tmp/a.txt\n");
  const auto start = convert({"Dockerfile"});
  EXPECT_THAT(source_of(start), ElementsAre("a.txt", "b.txt", "c.txt", "d.txt", "e.txt",
                                            "requirements.txt=-r a.txt\n", "x.py"));
}

TEST_F(ConversionTest, NamesThatPfsCannotStoreAreRefused) {
  write("x+y.py");
  write("Dockerfile", "FROM python\nCOPY x+y.py /\n");
  EXPECT_EQ(fault_of({"Dockerfile"}),
            "65 error: Dockerfile: invalid file name for PFS: \"x+y.py\" contains +\n"
            "hint: names must be printable ASCII without * ? [ ] { } ! ( ) @ + ^; rename them\n");
}

TEST_F(ConversionTest, WhatIsLeftToDoInCommandsIsFound) {
  write("x.py");
  write("Dockerfile", "FROM python\nCOPY x.py /\n");
  write_spec({{"image", "i"}, {"cmd", {"python3", "/app/x.py"}}});
  const auto start = convert({"p.json", "Dockerfile"});
  ASSERT_TRUE(write_project("made", start.project));
  const auto notes = check_converted(m_folder.path() / "made", start.project);
  ASSERT_TRUE(notes);
  ASSERT_EQ(notes->size(), 1U);
  EXPECT_EQ((*notes)[0].where, "pipeline.json:12:7");
  EXPECT_EQ((*notes)[0].what,
            "\"/app/x.py\" is a path in the image; the source has x.py; write \"cmd\": [\"python3\", "
            "\"/pfs/source/x.py\"]");
  write_spec({{"image", "i"}, {"cmd", {"python3", "/code/made.py"}}});
  const auto missing = convert({"p.json", "Dockerfile"});
  ASSERT_TRUE(write_project("missing", missing.project));
  const auto told = check_converted(m_folder.path() / "missing", missing.project);
  ASSERT_TRUE(told);
  ASSERT_EQ(told->size(), 1U);
  EXPECT_EQ(
      (*told)[0].what,
      "\"/code/made.py\" is a path in the image; the source has no made.py; add the file to the source, or "
      "write the name of a program that the build installs");
  write_spec({{"image", "i"}, {"cmd", {"python3", "/x.py"}}}, "p", "source");
  const auto other = convert({"p.json", "Dockerfile"});
  ASSERT_TRUE(write_project("other", other.project));
  const auto fault = check_converted(m_folder.path() / "other", other.project);
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().where, "pipeline.json:17:15");
  EXPECT_THAT(fault.error().what, testing::StartsWith("cannot be converted: "));
}

TEST(PipelineName, IsMadeOfTheFolders) {
  EXPECT_EQ(pipeline_name_of("/a/b/my demo"), "my-demo");
  EXPECT_EQ(pipeline_name_of("x/Edges_2"), "Edges_2");
  EXPECT_EQ(pipeline_name_of("/a/__x!!"), "x");
  EXPECT_EQ(pipeline_name_of("/"), "pipeline");
  EXPECT_EQ(pipeline_name_of("/a/---"), "pipeline");
  EXPECT_EQ(pipeline_name_of("/a/" + std::string(60, 'x')), std::string(51, 'x'));
  EXPECT_EQ(pipeline_name_of("."), pipeline_name_of(fs::current_path()));
}

TEST(Sample, HasAllThatItsReadmeNames) {
  EXPECT_THAT(languages(), ElementsAre("python", "go"));
  for (const auto& [language, files] : std::map<std::string, std::vector<std::string>>{
           {"python",
            {"README.md", "data/texts/bridge.txt", "data/texts/garden.txt", "data/texts/river.txt",
             "pipeline.json", "source/main.py"}},
           {"go",
            {"README.md", "data/texts/bridge.txt", "data/texts/garden.txt", "data/texts/river.txt",
             "pipeline.json", "source/go.mod", "source/main.go"}}}) {
    const auto start = sample_project(language, "my-name").value();
    std::vector<std::string> names;
    for (const auto& [path, file] : start.project) {
      names.push_back(path);
      EXPECT_FALSE(file.content.empty()) << path;
      EXPECT_TRUE(file.copy_of.empty());
    }
    EXPECT_EQ(names, files);
    EXPECT_THAT(start.notes, IsEmpty());
    EXPECT_THAT(start.run, ElementsAre("pachbuild", "run"));
    EXPECT_EQ(
        json::parse(start.project.at("pipeline.json").content),
        json::parse(
            R"({"pipeline": {"name": "my-name"}, "description": "Counts the words of each text.", "transform": {"build":
                  {"language": ")" +
            language + R"(", "path": "./source"}}, "input": {"pfs": {"repo": "texts", "glob": "/*"}}})"));
    const auto& readme = start.project.at("README.md").content;
    EXPECT_THAT(readme, testing::StartsWith("# my-name\n"));
    EXPECT_THAT(readme, HasSubstr("\npachbuild run\n"));
    EXPECT_THAT(readme, HasSubstr(language == "go" ? "in Go:" : "in Python:"));
    EXPECT_THAT(readme, HasSubstr(language == "go" ? "`source/main.go`" : "`source/main.py`"));
    EXPECT_THAT(readme, HasSubstr(language == "go" ? "`go get PACKAGE`" : "`source/requirements.txt`"));
    EXPECT_THAT(readme, testing::Not(testing::ContainsRegex("@[A-Z]+@")));
    EXPECT_EQ(start.title, language == "go" ? "a Go pipeline that counts words, with sample data"
                                            : "a Python pipeline that counts words, with sample data");
  }
  const auto none = sample_project("pyton", "x");
  ASSERT_FALSE(none);
  EXPECT_EQ(base::format_error(none.error()),
            "error: --language pyton: has no sample\nhint: did you mean \"python\"?\n");
}

}  // namespace
}  // namespace starter
