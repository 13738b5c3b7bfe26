// Reads one table of a TOML file key by key: types and ranges are checked, and what nobody asked for is an
// error. For one file that reads a format: toml++ takes seconds to compile.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

// Each is one line for a person: the file, the line, the key, and what would be right.
using TomlErrors = std::vector<std::string>;

class TomlReader {
 public:
  // `table` and `errors` outlive it. `where` is the table's name as people write it, empty for the file
  // itself.
  TomlReader(const toml::table& table, std::string where, const std::string& file, TomlErrors& errors)
      : table_(table), where_(std::move(where)), file_(file), errors_(errors) {}

  // Each leaves the target as it is if the key is absent or wrong; whether it was there and right.
  bool text(std::string_view key, std::string& target);
  bool path(std::string_view key, std::filesystem::path& target);
  bool paths(std::string_view key, std::vector<std::filesystem::path>& target);
  bool texts(std::string_view key, std::vector<std::string>& target);
  bool flag(std::string_view key, bool& target);

  template <typename Number>
  bool number(std::string_view key, std::int64_t least, std::int64_t most, Number& target) {
    auto expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    const auto* node = find(key);
    if (node == nullptr) return false;
    auto value = node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) return wrong(key, *node, expected);
    target = static_cast<Number>(*value);
    return true;
  }

  // Null if absent or wrong.
  const toml::table* section(std::string_view key);
  std::vector<const toml::table*> sections(std::string_view key);

  // Reports what is in the table and was not asked for.
  void finish();

  // Adds an error about the key, or about the table if the key is not there.
  void error(std::string_view key, std::string_view message);

 private:
  const toml::node* find(std::string_view key);
  bool wrong(std::string_view key, const toml::node& node, std::string_view expected);
  void errorAt(const toml::node& node, std::string_view message);
  [[nodiscard]] std::string nameOf(std::string_view key) const;

  const toml::table& table_;
  std::string where_;
  const std::string& file_;
  TomlErrors& errors_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace kiln
