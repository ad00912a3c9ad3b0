// SPDX-License-Identifier: Apache-2.0
// The gRPC server at which a program takes its datums, as that of a worker of a cluster does it: on
// localhost, for the processes of this PID namespace only. Calls are taken one after the other, so that of
// two calls at once the second one ends the datum that the first one gets. It is served by a thread of its
// own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "pachbuild/local/batch/grpc_connection.h"

namespace local {

class DatumServer {
 public:
  static base::Result<std::unique_ptr<DatumServer>> start();
  DatumServer(const DatumServer&) = delete;
  DatumServer& operator=(const DatumServer&) = delete;
  ~DatumServer();

  [[nodiscard]] std::uint16_t port() const { return m_port; }

  // Readable while there may be a call to take.
  [[nodiscard]] int descriptor() const { return m_called.get(); }

  // Takes the call that has waited for longest, and gives what it says of the last datum; nothing when there
  // is none. Call answer() before the next one.
  std::optional<std::string> take_call();

  // Answers the call that was taken. If its client has given up, before the answer or without having read it,
  // the next call gets the answer, unless it says that something went wrong.
  void answer(std::string message);

  // Ends all connections: the program is gone.
  void disconnect();

 private:
  struct Client {
    base::UniqueFd socket;
    GrpcConnection connection;
    std::string output;      // what the socket does not take yet
    bool is_broken = false;  // it has not read all that was sent
  };
  struct Call {
    std::uint64_t client = 0;
    std::int32_t id = 0;
    std::string error;
  };
  DatumServer() = default;
  base::Status listen();
  void serve();
  void wake() const;
  void accept(int listener);
  void take_back(std::uint64_t number, const Client& client);
  static bool receive(Client& client);
  static bool send(Client& client);
  void collect_calls(std::uint64_t number, Client& client);
  void drop_abandoned();
  void give_answer();
  [[nodiscard]] bool waits(const Call& call) const;

  std::uint16_t m_port = 0;
  base::UniqueFd m_listener;   // IPv4
  base::UniqueFd m_listener6;  // the same port of IPv6, if there is such a thing
  base::UniqueFd m_called;     // eventfd(2)s
  base::UniqueFd m_woken;

  std::mutex m_mutex;  // of all that follows
  bool m_ending = false;
  std::uint64_t m_next_number = 0;
  std::map<std::uint64_t, Client> m_clients;
  std::deque<Call> m_waiting;
  std::optional<Call> m_taken;
  std::optional<std::string> m_answer;  // that nobody has got yet
  // The call that was answered last, until the next one is taken, and the answer.
  std::optional<std::pair<Call, std::string>> m_given;
  std::thread m_thread;
};

}  // namespace local
