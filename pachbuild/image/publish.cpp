// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/image/publish.h"

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"

namespace image {

namespace fs = base::fs;

std::string repository_of(const Registry& registry, const std::string& image) {
  std::string name = image.substr(0, image.find('@'));
  if (const auto slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  name = name.substr(0, name.find(':'));
  return registry.host + "/" + (registry.username.empty() ? "" : registry.username + "/") + name;
}

base::Result<std::string> Publisher::publish_dockerfile(const fs::path& dockerfile,
                                                        const std::string& image) {
  boost::system::error_code error;
  const fs::path file = fs::canonical(dockerfile, error);
  if (error)
    return base::fail(base::ErrorKind::bad_input, dockerfile.string(),
                      base::system_error("read", dockerfile.string(), error.value()).what);
  auto id = m_ids.find(file);
  if (id == m_ids.end()) {
    BASE_TRY_ASSIGN(std::string built, m_tool.build(file, file.parent_path()));
    id = m_ids.emplace(file, std::move(built)).first;
  }
  return push(id->second, image);
}

base::Result<std::string> Publisher::publish_image(const std::string& image) {
  BASE_TRY_ASSIGN(const std::string id, m_tool.id_of(image));
  return push(id, image);
}

base::Result<std::string> Publisher::push(const std::string& id, const std::string& image) {
  const std::string repository = repository_of(m_registry, image);
  auto& reference = m_references[repository + "@" + id];
  if (!reference.empty()) return reference;
  constexpr std::size_t k_tag_length = 12;
  const std::string tag = m_registry.tag.empty() ? id.substr(id.find(':') + 1, k_tag_length) : m_registry.tag;
  BASE_TRY_ASSIGN(const std::string digest, m_tool.push(id, repository + ":" + tag));
  reference = repository + ":" + tag + "@" + digest;
  return reference;
}

}  // namespace image
