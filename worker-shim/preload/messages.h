// SPDX-License-Identifier: Apache-2.0
// What the three sides of a preloaded start say to each other, over sockets that keep messages apart
// (SOCK_SEQPACKET). The first letter of a message says what it is, as in interpreter.py.
//
//   keeper  → client       H: it is there
//   client  → keeper       the context (context.h), with the descriptors below
//   keeper  → interpreter  the request's number, with the connection and the same descriptors
//   program → keeper       F NUMBER PROCESS: it is about to ask the client
//   program → client       A PROCESS: everything is in place
//   client  → program      G: go on; from here on there is a program
//   interpreter → keeper   E NUMBER STATUS: a program has ended
//   keeper  → client       S STATUS
//
// Until G the client can always start the program itself, and whatever is unclear makes it do so.
#pragma once

#include <array>
#include <cstddef>

namespace shim::preload {

enum class Message : char {
  // To the client.
  greeting = 'H',
  importing = 'P',  // GROUP, the keeper's: the packages are being imported for it
  forking = 'W',    // GROUP: an interpreter is ready
  left_out = 'L',   // a line about a module that each program imports by itself
  refused = 'N',    // not this time; why, if that was not told before. From the interpreter: NUMBER REASON
  agreed = 'A',
  ended = 'S',  // a status as waitpid() gives it
  // From the client.
  go = 'G',
  // To the keeper.
  ready = 'R',
  must_not_share = 'X',  // MODULE tab REASON: the interpreter wants to be started without it
  cannot = 'D',          // why the interpreter ends
  forked = 'F',
  program_ended = 'E',
};

// Of a request: standard input, output and error, the current folder, and a file of text that says what to
// start: "WORDS FIXED GROUP", the words and the variables, each with a zero byte behind it. FIXED words
// are the interpreter and the program, the others its arguments.
inline constexpr std::size_t k_descriptors = 5;
inline constexpr std::size_t k_folder = 3;   // the places of the current folder
inline constexpr std::size_t k_content = 4;  // and of that file
using Descriptors = std::array<int, k_descriptors>;

inline constexpr std::size_t k_longest_message = 4096;

}  // namespace shim::preload
