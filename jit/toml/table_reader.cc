#include "jit/toml/table_reader.h"

#include <sstream>

namespace kiln {
namespace {

std::string typeOf(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return out.str();
}

}  // namespace

bool TomlReader::text(std::string_view key, std::string& target) {
  const auto* node = find(key);
  if (node == nullptr) return false;
  auto value = node->value_exact<std::string>();
  if (!value) return wrong(key, *node, "a string");
  target = std::move(*value);
  return true;
}

bool TomlReader::path(std::string_view key, std::filesystem::path& target) {
  const auto* node = find(key);
  if (node == nullptr) return false;
  auto value = node->value_exact<std::string>();
  if (!value || !value->starts_with('/')) return wrong(key, *node, "an absolute path");
  target = *value;
  return true;
}

bool TomlReader::paths(std::string_view key, std::vector<std::filesystem::path>& target) {
  const auto* node = find(key);
  if (node == nullptr) return false;
  const auto* array = node->as_array();
  if (array == nullptr) return wrong(key, *node, "a list of absolute paths");
  std::vector<std::filesystem::path> paths;
  for (const auto& item : *array) {
    auto value = item.value_exact<std::string>();
    if (!value || !value->starts_with('/')) return wrong(key, item, "a list of absolute paths");
    paths.emplace_back(*value);
  }
  target = std::move(paths);
  return true;
}

bool TomlReader::texts(std::string_view key, std::vector<std::string>& target) {
  const auto* node = find(key);
  if (node == nullptr) return false;
  const auto* array = node->as_array();
  if (array == nullptr) return wrong(key, *node, "a list of strings");
  std::vector<std::string> texts;
  for (const auto& item : *array) {
    auto value = item.value_exact<std::string>();
    if (!value) return wrong(key, item, "a list of strings");
    texts.push_back(std::move(*value));
  }
  target = std::move(texts);
  return true;
}

bool TomlReader::flag(std::string_view key, bool& target) {
  const auto* node = find(key);
  if (node == nullptr) return false;
  auto value = node->value_exact<bool>();
  if (!value) return wrong(key, *node, "true or false");
  target = *value;
  return true;
}

const toml::table* TomlReader::section(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong(key, *node, "a table: [" + std::string(key) + "]");
  return node->as_table();
}

std::vector<const toml::table*> TomlReader::sections(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> tables;
  const auto* array = node->as_array();
  bool fits = array != nullptr;
  for (std::size_t i = 0; fits && i < array->size(); ++i) {
    tables.push_back((*array)[i].as_table());
    fits = tables.back() != nullptr;
  }
  if (fits) return tables;
  wrong(key, *node, "one or more tables: [[" + std::string(key) + "]]");
  return {};
}

void TomlReader::finish() {
  std::string known;
  for (const auto& key : known_) known += (known.empty() ? "" : ", ") + key;
  for (const auto& [key, node] : table_) {
    if (known_.contains(key.str())) continue;
    errors_.push_back(file_ + ":" + std::to_string(key.source().begin.line) + ": unknown key " +
                      nameOf(key.str()) + "; known here: " + known);
  }
}

void TomlReader::error(std::string_view key, std::string_view message) {
  const auto* node = table_.get(key);
  errorAt(node != nullptr ? *node : static_cast<const toml::node&>(table_), message);
}

const toml::node* TomlReader::find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

bool TomlReader::wrong(std::string_view key, const toml::node& node, std::string_view expected) {
  std::string found = typeOf(node);
  if (auto number = node.value_exact<std::int64_t>()) found = std::to_string(*number);
  if (auto text = node.value_exact<std::string>()) found = "'" + *text + "'";
  errorAt(node, nameOf(key) + " must be " + std::string(expected) + "; here is " + found);
  return false;
}

void TomlReader::errorAt(const toml::node& node, std::string_view message) {
  errors_.push_back(file_ + ":" + std::to_string(node.source().begin.line) + ": " + std::string(message));
}

std::string TomlReader::nameOf(std::string_view key) const {
  return "'" + (where_.empty() ? "" : where_ + ".") + std::string(key) + "'";
}

}  // namespace kiln
