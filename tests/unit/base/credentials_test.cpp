// SPDX-License-Identifier: Apache-2.0
#include "base/credentials.h"

#include <gtest/gtest.h>

#include <vector>

namespace base {
namespace {

struct Case {
  std::string text;
  std::string hidden;
  std::string without;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"nothing: to see", "nothing: to see", "nothing: to see"},
      {"https://me:secret@host/a", "https://me:***@host/a", "https://host/a"},
      {"two http://a:b@c/ ftp://d:e@f", "two http://a:***@c/ ftp://d:***@f", "two http://c/ ftp://f"},
      {"https://a.com/x,https://me:secret@host", "https://a.com/x,https://me:***@host",
       "https://a.com/x,https://host"},
      // A password with '@', which should be %40, and one that is percent-encoded.
      {"https://me:p@ss@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:p%40ss%2F@host/a", "https://me:***@host/a", "https://host/a"},
      // With what makes the URL invalid.
      {"`https://me:pa/ss@host/a`", "`https://me:***@host/a`", "`https://host/a`"},
      {"https://me:p#a?s@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:p\"a's@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:#pa?ss@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:p@//ss@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me#@#ss@host/a", "https://***@host/a", "https://host/a"},
      {"https://me:p:a:s@host:80/a", "https://me:***@host:80/a", "https://host:80/a"},
      {"https://me:pa/s@s@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:p@a:#ss@host/a", "https://me:***@host/a", "https://host/a"},
      {"https://me:p@a#s@s@host:80/a", "https://me:***@host:80/a", "https://host:80/a"},
      // An address as the user.
      {"https://me@example.com:secret@host/a", "https://***@host/a", "https://host/a"},
      {"https://me@example.com:se#cret@host/a", "https://***@host/a", "https://host/a"},
      {"https://me:secret@host/a.git@v1#x@y", "https://me:***@host/a.git@v1#x@y",
       "https://host/a.git@v1#x@y"},
      // Tokens as users.
      {"https://ghp_token@host/a", "https://***@host/a", "https://host/a"},
      {"https://ghp_token:@host/a", "https://***@host/a", "https://host/a"},
      {"https://ghp_token:x-oauth-basic@host/a", "https://***@host/a", "https://host/a"},
      {"https://:secret@host/a", "https://***@host/a", "https://host/a"},
      {"https://0123456789abcdef0123456789abcdef0123:x@host/a", "https://***@host/a", "https://host/a"},
      {"ssh://git@host/a", "ssh://git@host/a", "ssh://host/a"},
      // What has an '@' and no credentials.
      {"git+https://host/a.git@v1.0", "git+https://host/a.git@v1.0", "git+https://host/a.git@v1.0"},
      {"git+https://host:8443/a.git@v1.0", "git+https://host:8443/a.git@v1.0",
       "git+https://host:8443/a.git@v1.0"},
      {"https://[::1]:80/@x", "https://[::1]:80/@x", "https://[::1]:80/@x"},
      {"https://host/ me@host", "https://host/ me@host", "https://host/ me@host"},
      {"(https://host:80) x@y", "(https://host:80) x@y", "(https://host:80) x@y"},
      {"://", "://", "://"},
  };
  return all;
}

TEST(Credentials, AreHiddenAndTakenOut) {
  for (const auto& one : cases()) {
    EXPECT_EQ(hide_credentials(one.text), one.hidden) << one.text;
    EXPECT_EQ(without_credentials(one.text), one.without) << one.text;
  }
}

TEST(Credentials, AreHiddenWhereverATextIsCut) {
  for (const auto& one : cases()) {
    const std::string text = one.text + "\n" + one.text;
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (std::size_t second = first; second <= text.size(); second += 3) {
        CredentialFilter filter;
        std::string shown = filter.add(text.substr(0, first));
        shown += filter.add(text.substr(first, second - first));
        shown += filter.add(text.substr(second));
        shown += filter.finish();
        ASSERT_EQ(shown, one.hidden + "\n" + one.hidden) << first << " " << second;
      }
    }
  }
}

TEST(Credentials, ByteByByte) {
  for (const auto& one : cases()) {
    CredentialFilter filter;
    std::string shown;
    for (const char character : one.text) shown += filter.add(std::string_view(&character, 1));
    EXPECT_EQ(shown + filter.finish(), one.hidden);
  }
}

TEST(Credentials, WhatIsNoUrlIsShownAtOnce) {
  CredentialFilter filter;
  EXPECT_EQ(filter.add("Password? "), "Password? ");
  EXPECT_EQ(filter.add("10 %"), "10 %");
  EXPECT_EQ(filter.add("see https://host/a\nnext"), "see https://host/a\nnext");
}

TEST(Credentials, AUrlWithoutEndIsNotKeptInMemory) {
  CredentialFilter filter;
  std::string shown = filter.add("x https://me:");
  for (int i = 0; i < 300; ++i) shown += filter.add(std::string(1000, 's'));
  shown += filter.add("s@host/ next");
  shown += filter.finish();
  EXPECT_EQ(shown, "x https://*** next");
}

TEST(Credentials, AreFound) {
  EXPECT_EQ(credentials_in("a @ git+https://me:p%40s@host:81/a.git@v1 https://host/b https://t@h"),
            (std::vector<UrlCredentials>{{"git+https", "me", "p%40s", "host:81"}, {"https", "t", "", "h"}}));
}

}  // namespace
}  // namespace base
