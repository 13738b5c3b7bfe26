#include "frontends/process/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "frontends/process/raw_calls.h"
#include "jit/role_path.h"

namespace kiln {
namespace {

constexpr dev_t kDevice = 0x6b696c73;  // "kils": none of another file that a compiler is told of

std::string normal(std::string_view path) {
  auto text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string parentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::uint64_t sizeOf(int descriptor) {
  struct stat status;
  return raw::status(descriptor, status) < 0 ? 0 : static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Scratch::Node::~Node() {
  if (descriptor >= 0) raw::call(SYS_close, descriptor);
}

bool Scratch::mayMake(std::string_view path) const {
  if (prefix_.empty() || !path.starts_with(prefix_)) return false;
  const auto text = normal(path);
  return text.size() > prefix_.size() && text.starts_with(prefix_) &&
         text.find('/', prefix_.size()) == std::string::npos;
}

bool Scratch::holds(std::string_view path) const {
  if (nodes_.empty() || !path.starts_with(prefix_)) return false;
  const auto text = normal(path);
  return text.starts_with(prefix_) && nodes_.contains(text.substr(0, text.find('/', prefix_.size())));
}

int Scratch::open(std::string_view path, int flags, mode_t mode) {
  const auto name = normal(path);
  auto node = find(name);
  const bool creates = (flags & O_CREAT) != 0;
  if (node == nullptr && !creates) return -ENOENT;
  if (node != nullptr && creates && (flags & O_EXCL) != 0) return -EEXIST;
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  if (node != nullptr && node->isDirectory()) return -EISDIR;  // directories are opened by whoever lists them
  if ((flags & O_DIRECTORY) != 0) return -ENOTDIR;
  if (writes && isFull()) return -ENOSPC;
  if (node == nullptr) {
    if (int result = createFile(name, mode); result < 0) return result;
    node = find(name);
  }
  // By this name the kernel gives a descriptor with an offset of its own.
  const auto self = "/proc/self/fd/" + std::to_string(node->descriptor);
  return given(raw::openAt(AT_FDCWD, self.c_str(), flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)));
}

int Scratch::makeDirectory(std::string_view path, mode_t mode) {
  const auto name = normal(path);
  if (!mayMake(path)) {
    if (int result = checkNew(name); result < 0) return result;
  } else if (find(name) != nullptr) {
    return -EEXIST;
  }
  if (isFull()) return -ENOSPC;
  nodes_.emplace(name, newNode(S_IFDIR | (mode & 0777)));
  return 0;
}

int Scratch::status(std::string_view path, struct stat& result) const {
  const auto node = find(normal(path));
  if (node == nullptr) return -ENOENT;
  fill(*node, result);
  return 0;
}

int Scratch::status(int descriptor, struct stat& result) const {
  const auto path = pathOf(descriptor);
  return path.empty() ? -EBADF : status(path, result);
}

int Scratch::setMode(std::string_view path, mode_t mode) {
  const auto node = find(normal(path));
  if (node == nullptr) return -ENOENT;
  node->mode = (node->mode & S_IFMT) | (mode & 0777);
  return 0;
}

int Scratch::rename(std::string_view from, std::string_view to) {
  const auto source = normal(from);
  const auto target = normal(to);
  const auto node = find(source);
  if (node == nullptr) return -ENOENT;
  // No compiler moves directories, and their content would have to move along.
  if (node->isDirectory()) return -EXDEV;
  if (const auto replaced = find(target); replaced != nullptr) {
    if (replaced->isDirectory()) return -EISDIR;
  } else if (int result = checkNew(target); result < 0) {
    return result;
  }
  if (source == target) return 0;
  nodes_[target] = node;
  nodes_.erase(source);
  return 0;
}

int Scratch::link(std::string_view from, std::string_view to) {
  const auto node = find(normal(from));
  if (node == nullptr) return -ENOENT;
  if (node->isDirectory()) return -EPERM;
  const auto target = normal(to);
  if (int result = checkNew(target); result < 0) return result;
  nodes_.emplace(target, node);
  return 0;
}

int Scratch::unlink(std::string_view path) {
  const auto name = normal(path);
  const auto node = find(name);
  if (node == nullptr) return -ENOENT;
  if (node->isDirectory()) return -EISDIR;
  nodes_.erase(name);
  return 0;
}

int Scratch::removeDirectory(std::string_view path) {
  const auto name = normal(path);
  const auto node = find(name);
  if (node == nullptr) return -ENOENT;
  if (!node->isDirectory()) return -ENOTDIR;
  if (!isEmpty(name)) return -ENOTEMPTY;
  nodes_.erase(name);
  return 0;
}

int Scratch::list(std::string_view path, std::vector<std::string>& names) const {
  const auto directory = normal(path);
  const auto node = find(directory);
  if (node == nullptr) return -ENOENT;
  if (!node->isDirectory()) return -ENOTDIR;
  const auto prefix = directory + "/";
  for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix); ++at) {
    auto name = at->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return 0;
}

std::string Scratch::pathOf(int descriptor) const {
  struct stat status;
  if (nodes_.empty() || raw::status(descriptor, status) < 0) return {};
  const std::pair memory(status.st_dev, status.st_ino);
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    return entry.second->descriptor >= 0 && entry.second->memory == memory;
  });
  return found == nodes_.end() ? std::string() : found->first;
}

Scratch::NodePointer Scratch::find(const std::string& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : found->second;
}

int Scratch::checkNew(const std::string& path) const {
  if (find(path) != nullptr) return -EEXIST;
  const auto parent = find(parentOf(path));
  if (parent == nullptr) return -ENOENT;
  return parent->isDirectory() ? 0 : -ENOTDIR;
}

bool Scratch::isEmpty(const std::string& directory) const {
  const auto below = nodes_.lower_bound(directory + "/");
  return below == nodes_.end() || !below->first.starts_with(directory + "/");
}

Scratch::NodePointer Scratch::newNode(mode_t mode) {
  auto node = std::make_shared<Node>();
  node->mode = mode;
  node->number = ++lastNumber_;
  return node;
}

int Scratch::createFile(const std::string& path, mode_t mode) {
  if (int result = checkNew(path); result < 0) return result;
  auto node = newNode(S_IFREG | (mode & 0777));
  node->descriptor = given(static_cast<int>(raw::call(SYS_memfd_create, "kiln-scratch", MFD_CLOEXEC)));
  if (node->descriptor < 0) return node->descriptor;
  struct stat status;
  if (int result = raw::status(node->descriptor, status); result < 0) return result;
  node->memory = {status.st_dev, status.st_ino};
  nodes_.emplace(path, std::move(node));
  return 0;
}

int Scratch::given(int descriptor) {
  if (descriptor < 0) error_ = -descriptor;
  return descriptor;
}

bool Scratch::isFull() {
  std::uint64_t bytes = 0;
  for (const auto& [path, node] : nodes_) {
    if (node->descriptor >= 0) bytes += sizeOf(node->descriptor);
  }
  if (bytes < kMostBytes && nodes_.size() < kMostFiles) return false;
  overflowed_ = true;
  return true;
}

void Scratch::fill(const Node& node, struct stat& result) const {
  result = {};
  result.st_dev = kDevice;
  result.st_ino = node.number;
  result.st_mode = node.mode;
  result.st_nlink = 1;
  if (node.descriptor >= 0) result.st_size = static_cast<off_t>(sizeOf(node.descriptor));
  result.st_blksize = 4096;
  result.st_blocks = (result.st_size + 511) / 512;
}

}  // namespace kiln
