// Which of the client's files a compile may see.
//
// Only what lies beneath one of the roots: the request's include directories, the source's directory, the
// working directory, and what the client allows beside them. A path that spells a root and goes down from it
// is beneath it, wherever symbolic links on the way lead: that is the tree as the caller laid it out. A path
// with ".." below a root is judged as if it were spelled from where its last ".." really leads, and any other
// path by where it leads itself.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jit/request.h"

namespace kiln::client {

// The more is allowed, the smaller.
enum class Access {
  allowed,
  structure,  // an ancestor of a root: that it is a directory may be told, and where it leads, but not what
              // it holds
  outside,
};

// Thread-safe; copies share what they find out. Asks the file system only for where paths lead, and for
// nothing while paths are spelled from a root, as nearly all are.
class FilePolicy {
 public:
  // `allowedDirectories` are absolute.
  FilePolicy(const Names& names, const std::vector<std::string>& allowedDirectories);

  // `path` is absolute. Says nothing about whether anything is there.
  [[nodiscard]] Access judge(const std::string& path) const;

 private:
  struct RealRoots {
    std::once_flag found;
    std::vector<std::string> paths;
  };
  // Where the roots lead, those that exist.
  [[nodiscard]] const std::vector<std::string>& realRoots() const;

  std::vector<std::string> roots_;  // as they are spelled
  std::shared_ptr<RealRoots> realRoots_ = std::make_shared<RealRoots>();
};

}  // namespace kiln::client
