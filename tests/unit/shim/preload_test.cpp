// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "contract/environment.h"
#include "worker-shim/preload/client.h"
#include "worker-shim/preload/context.h"
#include "worker-shim/preload/hook.h"
#include "worker-shim/preload/memory.h"
#include "worker-shim/preload/socket.h"

namespace shim::preload {
namespace {

TEST(ModulesToPreload, AreThoseThatTheVariableSays) {
  struct Row {
    const char* value;
    std::string modules;
  };
  ::unsetenv(contract::k_preload_variable);
  EXPECT_EQ(modules_to_preload("a,b"), "");
  for (const auto& row : {Row{"", ""}, Row{"0", ""}, Row{"false", ""}, Row{"no", ""}, Row{"off", ""},
                          Row{"1", "a,b"}, Row{"true", "a,b"}, Row{"yes", "a,b"}, Row{"on", "a,b"},
                          Row{"c", "c"}, Row{"c,d.e", "c,d.e"}, Row{"True", "True"}}) {
    ::setenv(contract::k_preload_variable, row.value, 1);
    EXPECT_EQ(modules_to_preload("a,b"), row.modules) << row.value;
  }
  ::unsetenv(contract::k_preload_variable);
}

// What `read` gives in a child in which `change` was done; 1 stands for "the same".
int in_child(const std::function<void()>& change) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int stream = 0; stream < 3; ++stream) ::dup2(::open("/dev/null", O_RDWR | O_CLOEXEC), stream);
    for (int other = 3; other < 256; ++other) ::fcntl(other, F_SETFD, FD_CLOEXEC);
    const auto before = current_context();
    if (!before) ::_exit(9);
    change();
    const auto now = current_context();
    if (!now) ::_exit(2);
    ::_exit(now->place != before->place ? 3 : now->rest != before->rest ? 4 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(Context, TellsApartWhatAProgramInherits) {
  constexpr int k_none = 2;
  constexpr int k_same = 1;
  constexpr int k_rest = 4;
  struct Row {
    std::string name;
    std::function<void()> change;
    int expected;
  };
  const auto limit = [](int resource) {
    return [resource] {
      rlimit now{};
      ::getrlimit(static_cast<__rlimit_resource>(resource), &now);
      now.rlim_cur = now.rlim_cur > 100 ? now.rlim_cur / 2 : 0;
      ::setrlimit(static_cast<__rlimit_resource>(resource), &now);
    };
  };
  const std::vector<Row> rows = {
      {"nothing", [] {}, k_same},
      {"a session of its own", [] { ::setsid(); }, k_none},
      {"a limit", limit(RLIMIT_NOFILE), k_rest},
      {"the stack", limit(RLIMIT_STACK), k_rest},
      {"niceness", [] { static_cast<void>(!::nice(1)); }, k_rest},
      {"an ignored signal", [] { ::signal(SIGUSR1, SIG_IGN); }, k_rest},
      {"a blocked signal",
       [] {
         sigset_t set;
         ::sigemptyset(&set);
         ::sigaddset(&set, SIGUSR1);
         ::sigprocmask(SIG_BLOCK, &set, nullptr);
       },
       k_rest},
      {"another kind of stream",
       [] {
         std::array<int, 2> pipe{};
         static_cast<void>(!::pipe2(pipe.data(), O_CLOEXEC));
         ::dup2(pipe[1], 1);
       },
       k_rest},
      {"ends of children that nobody is told of", [] { ::signal(SIGCHLD, SIG_IGN); }, k_none},
      {"a closed stream", [] { ::close(0); }, k_none},
      {"a terminal", [] { ::dup2(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), 0); }, k_none},
      {"one more descriptor", [] { static_cast<void>(::open("/dev/null", O_RDONLY)); }, k_none},
      {"one that is closed on exec", [] { static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC)); },
       k_same},
      {"a mask of modes", [] { ::umask(0135); }, k_rest},
      {"a folder", [] { static_cast<void>(!::chdir("/")); }, k_rest},
      {"a policy",
       [] {
         const sched_param none{};
         ::sched_setscheduler(0, SCHED_BATCH, &none);
       },
       k_rest},
      {"a personality", [] { ::personality(ADDR_NO_RANDOMIZE); }, k_rest},
      // It goes with each request.
      {"a variable", [] { ::setenv("A", "1", 1); }, k_same},
  };
  for (const auto& row : rows) EXPECT_EQ(in_child(row.change), row.expected) << row.name;
}

TEST(ContainerMemory, IsScarceFromNineTenthsOfTheLimitOn) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "groups.").value();
  const auto scarce = [&] { return is_memory_scarce(folder.path().string()); };
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::make_folders((folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(folder.path() / name, text));
  };
  EXPECT_FALSE(scarce()) << "no limit is set";
  write("memory/memory.limit_in_bytes", "1000\n");
  EXPECT_FALSE(scarce());
  write("memory/memory.stat", "cache 5000\nrss 899\ntotal_cache 5000\ntotal_rss 899\n");
  EXPECT_FALSE(scarce());
  write("memory/memory.stat", "cache 0\ntotal_rss 900\n");
  EXPECT_TRUE(scarce());
  // What version 2 says counts more.
  write("memory.max", "max\n");
  write("memory.stat", "anon 10\nfile 5000\n");
  EXPECT_TRUE(scarce()) << "it has no limit there";
  write("memory.max", "2000\n");
  EXPECT_FALSE(scarce());
  write("memory.stat", "file 5000\nanon 1799\nanon_thp 1999\n");
  EXPECT_FALSE(scarce());
  write("memory.stat", "file 5000\nanon 1800\n");
  EXPECT_TRUE(scarce());
}

// A worker shows each datum another folder by the same name.
TEST(Context, HasTheFolderByTheNameThatLeadsThere) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "folders.").value();
  const auto link = folder.path() / "link";
  for (const char* const name : {"a", "b"}) ASSERT_TRUE(base::make_folders(folder.path() / name));
  const auto enter = [&](const char* name, const std::string& shown) {
    base::fs::remove(link);
    base::fs::create_symlink(folder.path() / name, link);
    static_cast<void>(!::chdir(link.c_str()));
    ::setenv("PWD", shown.c_str(), 1);
  };
  constexpr int k_same = 1;
  constexpr int k_rest = 4;
  const std::string before = ::getenv("PWD") == nullptr ? "" : ::getenv("PWD");
  const auto here = base::fs::current_path();
  enter("a", link.string());
  EXPECT_EQ(in_child([&] { enter("b", link.string()); }), k_same);
  EXPECT_EQ(in_child([&] { enter("b", (folder.path() / "a").string()); }), k_rest);
  EXPECT_EQ(in_child([&] { enter("b", "link"); }), k_rest);
  base::fs::current_path(here);
  ::setenv("PWD", before.c_str(), 1);
}

// As workers do that share a cache and, each in a PID namespace, a number.
TEST(Hook, IsMadeByManyAtOnce) {
  constexpr int k_rounds = 50;
  constexpr int k_makers = 4;
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "hooks.").value();
  std::atomic<int> failures = 0;
  for (int round = 0; round < k_rounds; ++round) {
    const auto path = folder.path() / std::to_string(round);
    ASSERT_TRUE(base::make_folders(path));
    const base::UniqueFd place(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::vector<std::thread> makers;
    for (int maker = 0; maker < k_makers; ++maker) {
      makers.emplace_back([&] {
        if (!make_hook(place.get())) ++failures;
      });
    }
    for (auto& maker : makers) maker.join();
    std::vector<std::string> names;
    for (const auto& entry : base::fs::directory_iterator(path / k_hook))
      names.push_back(entry.path().filename().string());
    EXPECT_EQ(names, std::vector<std::string>{"sitecustomize.py"});
  }
  EXPECT_EQ(failures, 0);
}

TEST(Hook, ReplacesWhatIsNotAsItHasToBe) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "hooks.").value();
  const base::UniqueFd place(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto file = folder.path() / k_hook / "sitecustomize.py";
  ASSERT_TRUE(make_hook(place.get()));
  const auto text = base::read_file(file).value();
  for (const auto& damaged : {std::string(), std::string("import os"), text + "\n"}) {
    ASSERT_TRUE(base::write_file(file, damaged));
    EXPECT_TRUE(make_hook(place.get()));
    EXPECT_EQ(base::read_file(file).value(), text);
  }
}

class Sockets : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "sockets.").value();
  base::UniqueFd m_place{::open(m_folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::array<int, 2> m_pair{};
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, m_pair.data()), 0);
  }
  void TearDown() override {
    for (const int one : m_pair) base::UniqueFd(one).reset();
  }
};

TEST_F(Sockets, KeepMessagesApartAndCarryDescriptors) {
  EXPECT_FALSE(receive(m_pair[1], MSG_DONTWAIT).has_value());
  ASSERT_TRUE(send(m_pair[0], Message::refused, "why"));
  ASSERT_TRUE(send(m_pair[0], "12", m_pair.data(), 2));
  const auto first = receive(m_pair[1]);
  ASSERT_TRUE(first && first->is(Message::refused));
  EXPECT_FALSE(first->is(Message::ended));
  EXPECT_EQ(first->rest(), "why");
  EXPECT_TRUE(first->descriptors.empty());
  const auto second = receive(m_pair[1]);
  EXPECT_EQ(second->text, "12");
  ASSERT_EQ(second->descriptors.size(), 2U);
  for (const auto& one : second->descriptors) EXPECT_EQ(::fcntl(one.get(), F_GETFD), FD_CLOEXEC);
  // The longest message arrives whole, what is longer is cut.
  ASSERT_TRUE(send(m_pair[0], Message::left_out, std::string(2 * k_longest_message, 'x')));
  EXPECT_EQ(receive(m_pair[1])->text.size(), k_longest_message);
}

TEST_F(Sockets, TellThatTheOtherSideIsGone) {
  base::UniqueFd(std::exchange(m_pair[1], -1)).reset();
  EXPECT_EQ(receive(m_pair[0])->text, "");
  EXPECT_FALSE(receive(m_pair[0])->is(Message::ended));
  EXPECT_FALSE(send(m_pair[0], Message::go));
}

TEST_F(Sockets, AreFoundThroughTheirFolder) {
  EXPECT_FALSE(connect_in(m_place.get(), "name"));
  const auto listener = listen_in(m_place.get(), "name");
  ASSERT_TRUE(listener);
  const auto connection = connect_in(m_place.get(), "name");
  ASSERT_TRUE(connection);
  EXPECT_TRUE(is_of_this_user(connection.get()));
  EXPECT_FALSE(listen_in(m_place.get(), "name")) << "the name is taken";
  EXPECT_FALSE(listen_in(m_place.get(), std::string(200, 'n')));
}

}  // namespace
}  // namespace shim::preload
