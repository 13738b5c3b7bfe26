// The directories that a compiler makes for itself, and what it puts there: in memory, this compile's alone,
// gone with the process.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln {

// Paths are absolute; "." and ".." are taken out by text, since there are no links. Results follow the
// kernel: negative errno on failure. Not thread-safe.
class Scratch {
 public:
  // How much one compile may hold. What passes it fails with ENOSPC, and overflowed() says so.
  static constexpr std::uint64_t kMostBytes = 256 << 20;
  static constexpr std::size_t kMostFiles = 4096;

  // The directories whose names begin with `prefix` are this compile's; none are if it is empty.
  explicit Scratch(std::string_view prefix) : prefix_(prefix) {}

  // Whether `path` is one of these directories, or may become one by makeDirectory().
  [[nodiscard]] bool mayMake(std::string_view path) const;
  // Whether `path` lies in one of those that were made, or is one.
  [[nodiscard]] bool holds(std::string_view path) const;

  int open(std::string_view path, int flags, mode_t mode);
  int makeDirectory(std::string_view path, mode_t mode);
  int status(std::string_view path, struct stat& result) const;
  // -EBADF if `descriptor` is none of these files'.
  int status(int descriptor, struct stat& result) const;
  int setMode(std::string_view path, mode_t mode);
  int rename(std::string_view from, std::string_view to);
  int link(std::string_view from, std::string_view to);
  int unlink(std::string_view path);
  int removeDirectory(std::string_view path);
  // The names in a directory, sorted.
  int list(std::string_view path, std::vector<std::string>& names) const;
  // Under what path the file of `descriptor` is known; empty if it is none of these.
  [[nodiscard]] std::string pathOf(int descriptor) const;

  [[nodiscard]] bool overflowed() const { return overflowed_; }
  // What the system refused a file with, by want of descriptors say; 0 if it refused none.
  [[nodiscard]] int error() const { return error_; }

 private:
  // A directory, or a file whose content is that of an anonymous file in memory.
  struct Node {
    mode_t mode = 0;
    std::uint64_t number = 0;
    int descriptor = -1;
    std::pair<dev_t, ino_t> memory = {};  // what the kernel calls the file in memory; no directory has one

    Node() = default;
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    [[nodiscard]] bool isDirectory() const { return S_ISDIR(mode); }
  };
  using NodePointer = std::shared_ptr<Node>;

  [[nodiscard]] NodePointer find(const std::string& path) const;
  // 0 if an entry can be made at `path`.
  [[nodiscard]] int checkNew(const std::string& path) const;
  [[nodiscard]] bool isEmpty(const std::string& directory) const;
  NodePointer newNode(mode_t mode);
  int createFile(const std::string& path, mode_t mode);
  // `descriptor`, noted as error() if the system gave none.
  int given(int descriptor);
  bool isFull();
  void fill(const Node& node, struct stat& result) const;

  std::string prefix_;
  std::map<std::string, NodePointer> nodes_;  // by normal path
  std::uint64_t lastNumber_ = 0;
  bool overflowed_ = false;
  int error_ = 0;
};

}  // namespace kiln
