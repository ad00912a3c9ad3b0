// SPDX-License-Identifier: Apache-2.0
// What a program says and with which code it ends, in processes of their own: the log is set up once in each.
#include "report/report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <system_error>

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
              "^error: out of memory\nhint: grant more memory .*\n$");
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

}  // namespace
}  // namespace report
