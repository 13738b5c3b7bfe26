#include "jit/role_path.h"

#include <algorithm>
#include <iterator>

#include "jit/stand_in_source.h"

namespace kiln {
namespace {

std::string directoryOf(std::string_view absolute) {
  auto slash = absolute.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(absolute.substr(0, slash));
}

// What of `path` lies below `directory`; nothing if it does not.
bool below(std::string_view path, std::string_view directory, std::string_view& rest) {
  if (!isBelowOrSame(path, directory)) return false;
  rest = path.substr(directory.size());
  if (rest.starts_with('/')) rest.remove_prefix(1);
  return true;
}

}  // namespace

std::string describe(const RolePath& path) {
  std::string tail = path.path.empty() ? "" : "/" + path.path;
  switch (path.role) {
    case FileRole::includeDirectory:
      return "<include " + std::to_string(path.index) + ">" + tail;
    case FileRole::sourceDirectory:
      return "<source>" + tail;
    case FileRole::workingDirectory:
      return "<cwd>" + tail;
    case FileRole::absolute:
      break;
  }
  return path.path;
}

std::string absolutePath(std::string_view path, std::string_view workingDirectory) {
  std::string joined;
  if (!path.starts_with('/')) joined.append(workingDirectory).append("/");
  joined.append(path);

  std::string result;
  for (std::size_t at = 0; at < joined.size();) {
    auto end = std::min(joined.find('/', at), joined.size());
    std::string_view component(joined.data() + at, end - at);
    if (!component.empty() && component != ".") result.append("/").append(component);
    at = end + 1;
  }
  return result.empty() ? "/" : result;
}

bool isBelowOrSame(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::vector<RoleDirectory> roleDirectories(const Names& names) {
  std::vector<RoleDirectory> directories;
  for (std::uint32_t i = 0; i < names.includeDirectories.size(); ++i) {
    directories.push_back(
        {FileRole::includeDirectory, i, absolutePath(names.includeDirectories[i], names.workingDirectory)});
  }
  directories.push_back(
      {FileRole::sourceDirectory, 0, directoryOf(absolutePath(names.source, names.workingDirectory))});
  directories.push_back({FileRole::workingDirectory, 0, absolutePath("", names.workingDirectory)});
  return directories;
}

std::vector<RolePath> rolesOf(std::string_view path, const std::vector<RoleDirectory>& directories) {
  std::vector<RolePath> roles;
  std::string_view rest;
  const bool isStandIn = below(path, kStandInDirectory, rest);
  for (const auto& directory : directories) {
    if (isStandIn && directory.role != FileRole::sourceDirectory) continue;
    if (below(path, directory.path, rest)) {
      roles.push_back({directory.role, directory.index, std::string(rest)});
    }
  }
  std::stable_sort(roles.begin(), roles.end(),
                   [](const RolePath& a, const RolePath& b) { return a.path.size() < b.path.size(); });
  if (roles.empty()) roles.push_back({FileRole::absolute, 0, std::string(path)});
  return roles;
}

std::vector<RolePath> rolesSpelledBy(std::string_view spelling, std::vector<RolePath> roles,
                                     const Names& names) {
  const bool isRelative = !spelling.starts_with('/');
  auto beginsWithItsDirectory = [&](const RolePath& role) {
    if (role.role != FileRole::includeDirectory && role.role != FileRole::sourceDirectory) return false;
    const auto prefix = spelledPrefix(role, names);
    return role.path.empty() || (prefix.empty() ? isRelative : spelling.starts_with(prefix));
  };
  auto isOfWorkingDirectory = [](const RolePath& role) { return role.role == FileRole::workingDirectory; };
  if (spelling.empty()) return roles;
  std::vector<RolePath> spelled;
  std::copy_if(roles.begin(), roles.end(), std::back_inserter(spelled), beginsWithItsDirectory);
  if (spelled.empty() && isRelative) {
    std::copy_if(roles.begin(), roles.end(), std::back_inserter(spelled), isOfWorkingDirectory);
  }
  return spelled.empty() ? roles : spelled;
}

std::string spelledPrefix(const RolePath& role, const Names& names) {
  switch (role.role) {
    case FileRole::includeDirectory:
      return includePrefix(names.includeDirectories[role.index]);
    case FileRole::sourceDirectory:
      return sourcePrefix(names);
    case FileRole::workingDirectory:
    case FileRole::absolute:
      break;
  }
  return {};
}

std::string sourcePrefix(const Names& names) { return names.source.substr(0, names.source.rfind('/') + 1); }

std::string includePrefix(const std::string& directory) {
  return directory.ends_with('/') ? directory : directory + "/";
}

std::string resolve(const RolePath& path, const std::vector<RoleDirectory>& directories) {
  if (path.role == FileRole::absolute) return path.path;
  for (const auto& directory : directories) {
    if (directory.role != path.role || directory.index != path.index) continue;
    if (path.path.empty()) return directory.path;
    return (directory.path == "/" ? "" : directory.path) + "/" + path.path;
  }
  return {};
}

}  // namespace kiln
