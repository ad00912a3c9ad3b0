// SPDX-License-Identifier: Apache-2.0
// What worker-shim unpacks and executes: the first bytes of programs, bundles as bytes, tars as bytes, and
// tars made of hostile entries. The last must not touch anything outside the folder they are extracted to,
// which is checked after each run.
#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <boost/filesystem/operations.hpp>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/files.h"
#include "tests/fuzz/target.h"
#include "tests/unit/shim/tar.h"
#include "worker-shim/bundle_stream.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/extract.h"
#include "worker-shim/unpack.h"

namespace {

using fuzz::require;

namespace fs = boost::filesystem;

// A folder with a file of ours beside the one that is extracted to.
class Playground {
 public:
  Playground() : m_folder(base::TemporaryFolder::make(fs::temp_directory_path(), "shim_fuzz.").value()) {
    require(base::write_file(m_folder.path() / "canary", "sings").has_value());
    fs::create_directory(m_folder.path() / "target");
    m_target.reset(::open((m_folder.path() / "target").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    require(static_cast<bool>(m_target));
  }

  [[nodiscard]] int target() const { return m_target.get(); }

  void check() const {
    require(base::read_file(m_folder.path() / "canary").value() == "sings");
    require(fs::hard_link_count(m_folder.path() / "canary") == 1);
    require(std::distance(fs::directory_iterator(m_folder.path()), fs::directory_iterator()) == 2);
  }

 private:
  base::TemporaryFolder m_folder;
  base::UniqueFd m_target;
};

void parse_program(FuzzedDataProvider& data) {
  const auto head = data.ConsumeRemainingBytesAsString();
  require(shim::parse_executable_format(head).interpreter.size() <= head.size());
}

// Names that get in each other's way, or any.
std::string name_from(FuzzedDataProvider& data) {
  static const std::string k_names[] = {"a",        "a/b", "a/b/c",    "../canary", "/tmp/shim_fuzz_escaped",
                                        "..",       ".",   "./",       "a/../..",   "b",
                                        "b/canary", "",    "../../..", "a//b",      "b/target"};
  return data.ConsumeProbability<float>() < 0.8F ? data.PickValueInArray(k_names)
                                                 : data.ConsumeRandomLengthString(300);
}

void extract_entries(FuzzedDataProvider& data) {
  static constexpr char k_types[] = {'0', '1', '2', '2', '3', '5', '6', '7', 'K', 'L', 'S', 'g', 'x', '\0'};
  shim::Tar tar;
  for (int i = 0; i < 20 && data.remaining_bytes() > 0; ++i) {
    if (data.ConsumeBool()) tar.pax(data.ConsumeBool() ? "path" : "linkpath", name_from(data));
    tar.add(data.PickValueInArray(k_types), name_from(data), name_from(data),
            data.ConsumeRandomLengthString(2000), data.ConsumeIntegral<std::uint16_t>() & 07777U);
  }
  const std::string bytes = tar.bytes();
  const Playground playground;
  bool given = false;
  shim::extract_tar(
      [&]() -> base::Result<std::string_view> {
        return std::exchange(given, true) ? std::string_view() : std::string_view(bytes);
      },
      playground.target(), "fuzz.tar");
  playground.check();
}

// Bytes as a tar, without the compression in the way.
void extract_bytes(FuzzedDataProvider& data) {
  const std::string bytes = data.ConsumeRemainingBytesAsString();
  const Playground playground;
  bool given = false;
  const auto extraction = shim::extract_tar(
      [&]() -> base::Result<std::string_view> {
        return std::exchange(given, true) ? std::string_view() : std::string_view(bytes);
      },
      playground.target(), "fuzz.tar");
  if (!extraction.content) fuzz::require_readable(extraction.content.error());
  playground.check();
}

// A bundle as bytes: as they are, or as the content of a sound zstd frame.
void unpack_bytes(FuzzedDataProvider& data) {
  const bool sound = data.ConsumeBool();
  std::string bytes = data.ConsumeRemainingBytesAsString();
  if (sound) {
    std::string frame(ZSTD_compressBound(bytes.size()), '\0');
    frame.resize(ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), 1));
    bytes = std::move(frame);
  }
  const base::UniqueFd file(::memfd_create("bundle", MFD_CLOEXEC));
  require(base::write_all(file.get(), bytes, "bundle").has_value());
  const Playground playground;
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  static_cast<void>(shim::unpack({path, base::sha256(bytes), playground.target(), "disk"}));
  playground.check();
  const auto wrong =
      shim::unpack({path, std::string(base::k_digest_length, '0'), playground.target(), "disk"});
  require(!wrong.has_value());
}

}  // namespace

FUZZ_TARGET(shim_fuzz, input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  switch (data.ConsumeIntegralInRange(0, 3)) {
    case 0:
      parse_program(data);
      break;
    case 1:
      extract_entries(data);
      break;
    case 2:
      extract_bytes(data);
      break;
    default:
      unpack_bytes(data);
  }
}
