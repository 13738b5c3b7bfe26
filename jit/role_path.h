// Role paths: a file named by what it is to the request, so that an entry found under one tree is found again
// under another: (include directory 2, "cub/cub.cuh"), (beside the source, "v.h"), or absolute.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jit/request.h"

namespace kiln {

// Values are stored; they never change.
enum class FileRole : std::uint8_t {
  includeDirectory = 1,
  sourceDirectory = 2,
  workingDirectory = 3,
  absolute = 4,
};

struct RolePath {
  FileRole role = FileRole::absolute;
  std::uint32_t index = 0;  // which include directory; 0 for the other roles
  std::string path;         // below the role's directory, "" for itself; with a leading '/' when absolute

  auto operator<=>(const RolePath&) const = default;
};

// As people read it: "<include 2>/cub/cub.cuh", "<source>/v.h", "<cwd>/v.h", "/usr/include/v.h".
std::string describe(const RolePath& path);

// `path` made absolute against `workingDirectory`, repeated slashes and "." components removed. ".." stays,
// since only the client's file system knows where a symbolic link leads.
std::string absolutePath(std::string_view path, std::string_view workingDirectory);

// Whether `path` is `directory` or lies below it.
bool isBelowOrSame(std::string_view path, std::string_view directory);

// The directories of a request, absolute, each with its role: what a role path is relative to.
struct RoleDirectory {
  FileRole role;
  std::uint32_t index;
  std::string path;
};
std::vector<RoleDirectory> roleDirectories(const Names& names);

// Every role under which `path` (as absolutePath gives it) may have been meant, the longest directory first;
// absolute when it lies in no directory of the request. Where directories nest, a path has several roles, and
// a dependency is recorded under each that its spelling and the texts read leave
// (frontends/process/nested_directories.h): an asker whose directories nest otherwise then misses rather than
// errs. What lies in the source's stand-in directory (stand_in_source.h) has the
// source's role alone.
std::vector<RolePath> rolesOf(std::string_view path, const std::vector<RoleDirectory>& directories);

// Those of `roles` under which a compiler may have put `spelling` together: compilers write a directory as
// they were told it, then what an #include says. A relative spelling that
// begins with no other directory means the working directory. All of them if none fits, or if the spelling is
// not known (empty).
std::vector<RolePath> rolesSpelledBy(std::string_view spelling, std::vector<RolePath> roles,
                                     const Names& names);

// What a compiler writes in front of what it finds in the directory of `role`; nothing for the working
// directory and the absolute role.
std::string spelledPrefix(const RolePath& role, const Names& names);
// What a compiler writes in front of a quoted include in the source: its name up to the last slash, "" if it
// has none.
std::string sourcePrefix(const Names& names);
// And in front of what is found in an include directory.
std::string includePrefix(const std::string& directory);

// The absolute path that `path` means to a client with these directories; empty if it names an include
// directory that they do not have.
std::string resolve(const RolePath& path, const std::vector<RoleDirectory>& directories);

}  // namespace kiln
