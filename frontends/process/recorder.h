// Records what a compile saw of the client's files, as the dependencies of its result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jit/dependencies.h"
#include "jit/files.h"
#include "jit/request.h"
#include "jit/role_path.h"

namespace kiln {

// Paths are as absolutePath gives them. Not thread-safe.
class Recorder {
 public:
  explicit Recorder(const Names& names);

  // An answer to a look at `path`: absent, a file, a directory or other.
  void looked(std::string_view path, const FileAnswer& answer);
  void listed(std::string_view path, const std::vector<std::string>& names);
  void readLink(std::string_view path, std::string_view text);
  void resolved(std::string_view path, std::string_view text);

  // The number that stands for a file or directory with this identity token; from 2, in order of first use.
  std::uint64_t numberOf(std::uint64_t identity);

  [[nodiscard]] DependencySet dependencies() const { return normalised(dependencies_); }

 private:
  void absent(std::string_view path, std::string_view missing);
  void add(std::string_view path, FileKind kind, std::string_view content, std::uint64_t size = 0,
           std::uint64_t number = 0);

  std::vector<RoleDirectory> directories_;
  std::vector<Dependency> dependencies_;
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;
};

}  // namespace kiln
