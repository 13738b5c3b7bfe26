// Which files are whose: what the compiler may open for real, what kiln answers by itself, and what is a
// question to the client.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontends/file_habits.h"
#include "jit/request.h"
#include "jit/role_path.h"

namespace kiln {

enum class FileClass {
  client,         // a question to the client
  source,         // the source under its own name: a regular file with the request's text
  roleDirectory,  // one of the request's directories: asked after, no dependency by itself while it exists
  ancestor,       // above all directories of the request that it has to do with: a directory, unasked
  nullDevice,     // /dev/null: the real one
  toolchain,      // the toolchain's own libraries: the real call
  hidden,  // not there: the kernel's file systems, the driver's library, names of the compiler's invention,
           // and every file where none reaches the output
};

// Paths are as absolutePath gives them.
class FileClasses {
 public:
  // `toolchainDirectory`: the directory of the compiler library, without symbolic links.
  FileClasses(const Request& request, const FileHabits& habits, std::string toolchainDirectory);

  [[nodiscard]] FileClass classify(std::string_view path) const;
  // Whether the compiler means one of the places where it looks for tools (FileHabits::probes), and not a
  // file in a directory that the request has searched, which may be called so too.
  [[nodiscard]] bool isProbe(std::string_view spelling, std::string_view path) const;
  // The request's directory that `path` means, for a compiler that takes ".." out of names by text alone;
  // `path` itself if it means none.
  [[nodiscard]] std::string asNamed(std::string path) const;

 private:
  [[nodiscard]] bool isRoleDirectory(std::string_view path) const;
  [[nodiscard]] bool isWithinDirectory(std::string_view path) const;
  [[nodiscard]] bool isHidden(std::string_view path) const;
  [[nodiscard]] bool isToolchainLibrary(std::string_view path) const;

  bool areThere_;  // any of the client's files
  std::string source_;
  std::vector<std::string_view> probes_;
  std::vector<std::string> searched_;  // directories that the request has searched, as it spells them
  std::vector<RoleDirectory> directories_;
  std::vector<std::string> plainDirectories_;  // directories_ with ".." taken out by text, in the same order
  std::string toolchainDirectory_;
};

}  // namespace kiln
