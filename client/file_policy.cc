#include "client/file_policy.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "jit/role_path.h"

namespace kiln::client {
namespace {

// What of `path` lies below `directory`, "" for itself; nothing if it does not.
std::optional<std::string_view> below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.substr(1);
  if (!path.starts_with(directory)) return std::nullopt;
  auto rest = path.substr(directory.size());
  if (rest.empty()) return rest;
  if (rest.front() != '/') return std::nullopt;
  return rest.substr(1);
}

// Behind the last ".." component of `path`; 0 if it has none.
std::size_t endOfParents(std::string_view path) {
  std::size_t found = 0;
  for (std::size_t at = 0; at < path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") found = end;
    at = end + 1;
  }
  return found;
}

bool hasParentComponent(std::string_view path) { return endOfParents(path) > 0; }

std::optional<std::string> realPath(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return std::nullopt;
  return std::string(real.get());
}

// `path` from where its last ".." leads. Nothing if that does not exist.
std::optional<std::string> withoutParents(const std::string& path) {
  auto end = endOfParents(path);
  if (end == 0) return path;
  auto real = realPath(path.substr(0, end));
  if (!real) return std::nullopt;
  return *real == "/" && end < path.size() ? path.substr(end) : *real + path.substr(end);
}

Access judgeAgainst(std::string_view path, const std::vector<std::string>& roots) {
  auto access = Access::outside;
  for (const auto& root : roots) {
    auto rest = below(path, root);
    if (rest && !hasParentComponent(*rest)) return Access::allowed;
    auto up = below(root, path);
    if (up && !up->empty() && !hasParentComponent(*up)) access = Access::structure;
  }
  return access;
}

}  // namespace

FilePolicy::FilePolicy(const Names& names, const std::vector<std::string>& allowedDirectories) {
  for (auto& directory : roleDirectories(names)) roots_.push_back(std::move(directory.path));
  for (const auto& directory : allowedDirectories) roots_.push_back(absolutePath(directory, "/"));
}

const std::vector<std::string>& FilePolicy::realRoots() const {
  std::call_once(realRoots_->found, [this] {
    for (const auto& root : roots_) {
      if (auto real = realPath(root)) realRoots_->paths.push_back(std::move(*real));
    }
  });
  return realRoots_->paths;
}

Access FilePolicy::judge(const std::string& path) const {
  auto access = judgeAgainst(path, roots_);
  // What does not exist leads nowhere, and is told as absent by whoever asks.
  for (auto* respell : {withoutParents, realPath}) {
    if (access == Access::allowed) break;
    if (auto spelling = respell(path)) access = std::min(access, judgeAgainst(*spelling, realRoots()));
  }
  return access;
}

}  // namespace kiln::client
