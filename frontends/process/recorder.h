// Records what a compile saw of the client's files, as the dependencies of its result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontends/process/nested_directories.h"
#include "jit/dependencies.h"
#include "jit/files.h"
#include "jit/request.h"
#include "jit/role_path.h"

namespace kiln {

// A path that the compiler asked for.
struct AskedPath {
  std::string absolute;       // as absolutePath gives it
  std::string spelling = {};  // as the compiler wrote it; empty if that does not tell
};

// Not thread-safe.
class Recorder {
 public:
  // `names` outlive this.
  explicit Recorder(const Names& names);

  // An answer to a look at `path`: absent, a file, a directory or other.
  void looked(const AskedPath& path, const FileAnswer& answer);
  void listed(const AskedPath& path, const std::vector<std::string>& names);
  void readLink(const AskedPath& path, std::string_view text);
  void resolved(const AskedPath& path, std::string_view text);

  // A text that the compiler is given, an option included, or has read.
  void read(std::string_view text) { nested_.read(text); }

  // The number that stands for a file or directory with this identity token; from 2, in order of first use.
  std::uint64_t numberOf(std::uint64_t identity);

  [[nodiscard]] DependencySet dependencies() const;

 private:
  // A role that a path may have been meant in.
  struct Role {
    RolePath path;
    // Where the path lies in a directory within this role's: both as a compiler spells them. It was not meant
    // in this role unless a text leads from the one to the other.
    std::string outer = {};
    std::string inner = {};
  };
  struct Recorded {
    Role role;
    Dependency dependency;  // but for its path
  };

  void absent(const AskedPath& path, std::string_view missing);
  void add(const AskedPath& path, FileKind kind, std::string_view content, std::uint64_t size = 0,
           std::uint64_t number = 0);
  // Whether it is the first time that this was seen under this spelling.
  bool isNew(const AskedPath& path, FileKind kind);
  [[nodiscard]] std::vector<Role> rolesOf(const AskedPath& path) const;

  const Names& names_;
  std::vector<RoleDirectory> directories_;
  std::unordered_set<std::string> seen_;
  NestedDirectories nested_;
  std::vector<Recorded> recorded_;
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;
};

}  // namespace kiln
