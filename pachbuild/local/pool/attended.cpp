// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/attended.h"

#include "pachbuild/local/pool/task.h"

namespace local {

base::Status AttendedCommand::start(const std::array<int, 3>& streams) {
  for (const int stream : streams) BASE_TRY(m_channel.send(encode_stream(), stream));
  return {};
}

base::Status AttendedCommand::send_signal(int signal) { return m_channel.send(encode_signal(signal)); }

}  // namespace local
