// SPDX-License-Identifier: Apache-2.0
// Digests: any bytes in any pieces have one; names of bundles, names of base environments and texts of
// build.json are told from others.
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <string>

#include "base/digest.h"
#include "base/files.h"
#include "contract/layout.h"
#include "tests/fuzz/target.h"
#include "worker-shim/base_environment.h"
#include "worker-shim/prepare.h"
#include "worker-shim/record_lines.h"

namespace {

using fuzz::require;

namespace fs = boost::filesystem;

void digest_in_pieces(FuzzedDataProvider& data) {
  base::Sha256 digest;
  std::string all;
  while (data.remaining_bytes() > 0) {
    const std::string piece = data.ConsumeRandomLengthString(300);
    digest.update(piece);
    all += piece;
  }
  const std::string text = digest.finish();
  require(base::is_digest(text));
  require(text == base::sha256(all));
}

// A folder with files of any name: what is found is a digest, and its file is there.
void find_in_folder(FuzzedDataProvider& data) {
  const auto folder = base::TemporaryFolder::make(fs::temp_directory_path(), "digest_fuzz.").value();
  while (data.remaining_bytes() > 0) {
    std::string name = data.ConsumeBool() ? "bundle-" : "";
    name += data.ConsumeBool() ? std::string(64, 'a') : data.ConsumeRandomLengthString(70);
    name += data.ConsumeBool() ? ".tar.zst" : "";
    if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos) continue;
    static_cast<void>(::mknod((folder.path() / name).c_str(), S_IFREG | 0600, 0));
  }
  const auto found = shim::find_artifact(folder.path().string());
  if (!found || found->digest.empty()) return;
  require(base::is_digest(found->digest));
  require(fs::exists(shim::bundle_path(folder.path().string(), found->digest)));
}

// The file of an environment that names its base.
void name_a_base(FuzzedDataProvider& data) {
  static const fuzz::Folder folder;
  folder.write(contract::k_base_file, data.ConsumeRemainingBytesAsString());
  const auto base = shim::base_of(folder.path().string());
  if (!base) return fuzz::require_readable(base.error());
  require(base::is_digest(*base));
}

}  // namespace

FUZZ_TARGET(shim_digest_fuzz, input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  switch (data.ConsumeIntegralInRange(0, 4)) {
    case 0:
      digest_in_pieces(data);
      break;
    case 1:
      find_in_folder(data);
      break;
    case 2: {
      const std::string text = data.ConsumeRemainingBytesAsString();
      const bool expected = text.size() == base::k_digest_length &&
                            text.find_first_not_of("0123456789abcdef") == std::string::npos;
      require(base::is_digest(text) == expected);
      break;
    }
    case 3:
      name_a_base(data);
      break;
    default:
      static_cast<void>(shim::read_record_lines(data.ConsumeRemainingBytesAsString()));
  }
}
