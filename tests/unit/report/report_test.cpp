// SPDX-License-Identifier: Apache-2.0
// What a program says and with which code it ends, in processes of their own: the log is set up once in each.
#include "report/report.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/errors.h"

namespace report {
namespace {

using Main = std::function<int()>;

// Ends this process with the code of guard(). A line of JSON begins with '{', one of text does not.
[[noreturn]] void end_with(bool json, const Main& program) {
  ::setenv("PACHBUILD_LOG", json ? "json" : "text", 1);
  set_up();
  std::exit(guard(program));
}

TEST(Guard, GivesTheCodeOfTheProgram) {
  EXPECT_EXIT(end_with(false, [] { return 0; }), testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(end_with(false, [] { return 7; }), testing::ExitedWithCode(7), "^$");
}

TEST(Guard, TellsAMachineThatIsTooSmallFromABug) {
  const auto thrown = [](const auto& exception) { return [exception]() -> int { throw exception; }; };
  EXPECT_EXIT(end_with(false, thrown(std::bad_alloc())), testing::ExitedWithCode(69),
              "^error: out of memory\nhint: raise the memory limit .*\n$");
  EXPECT_EXIT(
      end_with(false,
               thrown(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)))),
      testing::ExitedWithCode(69), "^error: cannot start another thread\nhint: raise the process limit");
  EXPECT_EXIT(
      end_with(false, thrown(std::system_error(std::make_error_code(std::errc::no_such_file_or_directory)))),
      testing::ExitedWithCode(70), "^error: a bug in pachbuild: No such file or directory\nhint: please");
  EXPECT_EXIT(end_with(false, thrown(std::runtime_error("odd"))), testing::ExitedWithCode(70),
              "^error: a bug in pachbuild: odd\nhint: please report it");
}

TEST(Report, IsTextOrJson) {
  const auto speak = [] {
    info("one\ttwo");
    warn("https://me:secret@host/x");
    output("raw\n\nsaid\n\n");
    return fail({base::ErrorKind::bad_input, "https://me:secret@host", "is \"odd\"", "see https://a:b@c"});
  };
  EXPECT_EXIT(end_with(false, speak), testing::ExitedWithCode(65),
              "^one\\\\ttwo\nwarning: https://me:\\*+@host/x\nraw\n\nsaid\n\nerror: https://me:\\*+@host: is "
              "\"odd\"\n"
              "hint: see https://a:\\*+@c\n$");
  EXPECT_EXIT(end_with(true, speak), testing::ExitedWithCode(65),
              "^\\{\"level\":\"info\",\"message\":\"one\\\\ttwo\"\\}\n"
              "\\{\"level\":\"warning\",\"message\":\"https://me:\\*+@host/x\"\\}\n"
              "\\{\"level\":\"output\",\"message\":\"raw\"\\}\n\\{\"level\":\"output\",\"message\":\"\"\\}\n"
              "\\{\"level\":\"output\",\"message\":\"said\"\\}\n"
              "\\{\"level\":\"error\",\"message\":\"is \\\\\"odd\\\\\"\",\"where\":\"https://me:\\*+@host\","
              "\"hint\":\"see https://a:\\*+@c\",\"code\":65\\}\n$");
}

TEST(Report, LeavesOutWhatIsEmpty) {
  EXPECT_EXIT(end_with(true, [] { return fail({base::ErrorKind::io, "", "broke", ""}); }),
              testing::ExitedWithCode(74), "^\\{\"level\":\"error\",\"message\":\"broke\",\"code\":74\\}\n$");
  EXPECT_EXIT(end_with(true,
                       [] {
                         output("\n\n");
                         output("");
                         return is_json() ? 3 : 4;
                       }),
              testing::ExitedWithCode(3), "^$");
  EXPECT_EXIT(end_with(false,
                       [] {
                         output("");
                         return is_json() ? 3 : 4;
                       }),
              testing::ExitedWithCode(4), "^$");
}

TEST(Report, EachOfSeveralErrorsIsTold) {
  const auto several = []() -> int {
    base::Error error{base::ErrorKind::bad_input, "a", "one", ""};
    error.more = {{base::ErrorKind::io, "b", "two", "do"}, {base::ErrorKind::usage, "", "three", ""}};
    error.untold = 2;
    return report::fail(error);
  };
  EXPECT_EXIT(end_with(false, several), testing::ExitedWithCode(65),
              "^error: a: one\nerror: b: two\nhint: do\nerror: three\nerror: 2 more errors not shown\n$");
  EXPECT_EXIT(
      end_with(true, several), testing::ExitedWithCode(65),
      "^[^\n]*\"one\",\"where\":\"a\",\"code\":65\\}\n[^\n]*\"two\",\"where\":\"b\",\"hint\":\"do\","
      "\"code\":74\\}\n[^\n]*\"three\",\"code\":64\\}\n[^\n]*\"2 more errors not shown\",\"code\":65\\}\n$");
  const auto one_more = []() -> int {
    base::Error error{base::ErrorKind::io, "", "one", ""};
    error.untold = 1;
    return report::fail(error);
  };
  EXPECT_EXIT(end_with(false, one_more), testing::ExitedWithCode(74),
              "^error: one\nerror: 1 more error not shown\n$");
}

TEST(Report, IsShortWhateverItIsAbout) {
  const auto length_of = [](bool json, const Main& program) {
    EXPECT_EXIT(end_with(json, program), testing::ExitedWithCode(0),
                testing::Truly([](const std::string& said) {
                  return said.size() > base::k_longest_message &&
                         said.size() < base::k_longest_message + 200 && said.find(" … ") != std::string::npos;
                }));
  };
  const std::string longest(2 * base::k_longest_message, 'x');
  for (const bool json : {false, true}) {
    length_of(json, [&] {
      info(longest);
      return 0;
    });
    length_of(json, [&] {
      report::fail({base::ErrorKind::io, "", longest, ""});
      return 0;
    });
  }
}

TEST(Report, OnlyTheWordJsonMeansJson) {
  for (const char* const value : {"text", "", "JSON", "jso", "json2"}) {
    EXPECT_EXIT(
        {
          ::setenv("PACHBUILD_LOG", value, 1);
          set_up();
          warn("a");
          std::exit(is_json() ? 1 : 0);
        },
        testing::ExitedWithCode(0), "^warning: a\n$");
  }
  EXPECT_EXIT(
      {
        ::unsetenv("PACHBUILD_LOG");
        set_up();
        info("a");
        std::exit(is_json() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "^a\n$");
}

TEST(Redirection, TakesWhatIsSaidUntilItEnds) {
  const auto redirected = [] {
    std::string said;
    {
      const Redirection redirection([&](std::string_view text) { said += "<" + std::string(text) + ">"; });
      info("one");
      output("two\n");
      write("three");
      write_error("directly\n");
    }
    write(said + "\n");
    return 0;
  };
  EXPECT_EXIT(end_with(false, redirected), testing::ExitedWithCode(0), "^directly\n<one\n><two\n><three>\n$");
}

// What goes to standard output has to arrive.
TEST(Guard, AFullStandardOutputIsAnError) {
  const auto print_to_full = [](int code) {
    return [code] {
      ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
      std::fputs("text", stdout);
      return code;
    };
  };
  EXPECT_EXIT(end_with(false, print_to_full(0)), testing::ExitedWithCode(73),
              "^error: standard output: not all of it could be written\n"
              "hint: check whether the disk is full\n$");
  EXPECT_EXIT(end_with(false, print_to_full(3)), testing::ExitedWithCode(3), "^$");
  // An earlier part that was lost, with nothing left to write.
  const auto flushed = [] {
    ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
    std::fputs("text", stdout);
    std::fflush(stdout);
    return 0;
  };
  EXPECT_EXIT(end_with(false, flushed), testing::ExitedWithCode(73), "^error: standard output: ");
}

TEST(Guard, KeepsTheNumbersOfStandardStreams) {
  EXPECT_EXIT(
      {
        const int kept = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
        for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
        const int code = guard([] { return ::open("/dev/null", O_RDONLY); });
        ::dup2(kept, STDERR_FILENO);
        std::exit(code > STDERR_FILENO && ::fcntl(STDIN_FILENO, F_GETFD) >= 0 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(
      {
        // Those that are open stay what they are.
        ::dup2(::open("/dev/zero", O_RDONLY), STDIN_FILENO);
        char byte = 1;
        std::exit(guard([&] { return ::read(STDIN_FILENO, &byte, 1) == 1 && byte == 0 ? 0 : 1; }));
      },
      testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace report
