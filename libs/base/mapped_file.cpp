// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <utility>

#include "base/errors.h"

namespace base {

namespace bi = boost::interprocess;

struct MappedFile::State {
  bi::mapped_region region;
};

MappedFile::MappedFile(std::unique_ptr<State> state) : m_state(std::move(state)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

Result<MappedFile> MappedFile::open(const fs::path& path) try {
  const bi::file_mapping file(path.c_str(), bi::read_only);
  return MappedFile(std::make_unique<State>(State{bi::mapped_region(file, bi::read_only)}));
} catch (const bi::interprocess_exception& error) {
  return fail(system_error("read", path.string(), error.get_native_error()));
}

std::string_view MappedFile::content() const {
  return {static_cast<const char*>(m_state->region.get_address()), m_state->region.get_size()};
}

}  // namespace base
