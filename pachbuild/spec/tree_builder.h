// SPDX-License-Identifier: Apache-2.0
// Puts a Document together from the events of a parser. Private to this library, as is <nlohmann/json.hpp>
// here.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pachbuild/spec/document.h"

namespace spec {

// Protobuf's parsers allow 100 levels by default, and a spec needs less than 10.
inline constexpr std::size_t k_deepest_nesting = 100;

class TreeBuilder {
 public:
  TreeBuilder(const std::string& text, const Places& source)
      : m_source(source), m_finder(text), m_document{nullptr, source} {}

  // Offsets are those of the value's or key's first byte in the text.
  base::Status open(nlohmann::json empty_container, std::size_t offset);
  void key(std::string name, std::size_t offset);
  base::Status scalar(nlohmann::json value, std::size_t offset);
  void close() { m_open.pop_back(); }

  [[nodiscard]] tl::unexpected<base::Error> fail(std::size_t offset, const std::string& what,
                                                 const std::string& hint = {});
  // Of the last failure.
  [[nodiscard]] base::Position fault() const { return m_fault; }

  // The document that was built; the next event starts another one.
  Document take();

 private:
  struct Level {
    nlohmann::json* container;
    std::string pointer;
    std::string key;                             // of the value that comes next in an object
    std::map<std::string, base::Position> keys;  // all of an object so far
  };

  // Adds a value where one is expected now, and gives its place in the tree.
  nlohmann::json& put(nlohmann::json value, std::size_t offset);
  [[nodiscard]] std::string next_pointer() const;

  Places m_source;
  base::PositionFinder m_finder;
  base::Position m_fault;
  Document m_document;
  std::shared_ptr<nlohmann::json> m_root;
  std::vector<Level> m_open;
};

// `fault` is where reading ended when it fails.
base::Result<std::vector<Document>> read_json(const std::string& text, const Places& source,
                                              base::Position& fault);
base::Result<std::vector<Document>> read_yaml(const std::string& text, const Places& source,
                                              base::Position& fault);

}  // namespace spec
