#include "frontends/process/recorder.h"

#include "jit/sha256.h"

namespace kiln {
namespace {

bool hasContent(FileKind kind) {
  return kind != FileKind::absent && kind != FileKind::directory && kind != FileKind::other;
}

}  // namespace

Recorder::Recorder(const Names& names)
    : names_(names), directories_(roleDirectories(names)), nested_(names) {}

void Recorder::looked(const AskedPath& path, const FileAnswer& answer) {
  switch (answer.kind) {
    case FileAnswer::Kind::absent:
      return absent(path, answer.text);
    case FileAnswer::Kind::file:
      return add(path, FileKind::file, answer.text, answer.size, numberOf(answer.identity));
    case FileAnswer::Kind::directory:
      return add(path, FileKind::directory, {});
    case FileAnswer::Kind::other:
      return add(path, FileKind::other, {});
    case FileAnswer::Kind::denied:
    case FileAnswer::Kind::failed:
    case FileAnswer::Kind::listing:
    case FileAnswer::Kind::text:
      return;
  }
}

void Recorder::listed(const AskedPath& path, const std::vector<std::string>& names) {
  add(path, FileKind::listing, listingText(names));
}

void Recorder::readLink(const AskedPath& path, std::string_view text) { add(path, FileKind::link, text); }

void Recorder::resolved(const AskedPath& path, std::string_view text) { add(path, FileKind::resolved, text); }

// The shallowest missing directory may lie above one of the request's directories; then it is that directory
// which is missing, so that a tree found elsewhere agrees.
void Recorder::absent(const AskedPath& path, std::string_view missing) {
  if (!isNew(path, FileKind::absent)) return;
  for (auto& role : rolesOf(path)) {
    auto& [meaning, index, rest] = role.path;
    if (meaning == FileRole::absolute) {
      rest = missing;
    } else {
      auto directory = resolve({meaning, index, ""}, directories_);
      rest = isBelowOrSame(directory, missing) ? "" : missing.substr(directory.size());
      if (rest.starts_with('/')) rest.erase(0, 1);
    }
    recorded_.push_back({std::move(role), {{}, FileKind::absent, 0, {}, {}, 0}});
  }
}

void Recorder::add(const AskedPath& path, FileKind kind, std::string_view content, std::uint64_t size,
                   std::uint64_t number) {
  if (!isNew(path, kind)) return;
  Dependency dependency{{}, kind, size, {}, {}, static_cast<std::uint32_t>(number)};
  if (hasContent(kind)) {
    dependency.xxh3 = xxh3(content);
    dependency.sha256 = sha256(content);
  }
  for (auto& role : rolesOf(path)) {
    // The request's own directories are there for every client that asks with them.
    if (kind == FileKind::directory && role.path.path.empty()) continue;
    recorded_.push_back({std::move(role), dependency});
  }
}

bool Recorder::isNew(const AskedPath& path, FileKind kind) {
  std::string key(1, static_cast<char>(kind));
  return seen_.insert(key.append(path.absolute).append(1, '\0').append(path.spelling)).second;
}

std::vector<Recorder::Role> Recorder::rolesOf(const AskedPath& path) const {
  std::vector<Role> roles;
  std::string innermost;
  for (auto& role : rolesSpelledBy(path.spelling, kiln::rolesOf(path.absolute, directories_), names_)) {
    auto prefix = spelledPrefix(role, names_);
    if (roles.empty()) innermost = prefix;
    const bool isNested = (path.spelling + '/').starts_with(innermost) && innermost.starts_with(prefix);
    roles.push_back({std::move(role)});
    if (!isNested) continue;
    roles.back().outer = std::move(prefix);
    roles.back().inner = innermost;
  }
  return roles;
}

DependencySet Recorder::dependencies() const {
  std::vector<Dependency> dependencies;
  for (const auto& [role, recorded] : recorded_) {
    if (!nested_.isPathFrom(role.outer, role.inner)) continue;
    dependencies.push_back(recorded);
    dependencies.back().path = role.path;
  }
  return normalised(std::move(dependencies));
}

std::uint64_t Recorder::numberOf(std::uint64_t identity) {
  return numbers_.try_emplace(identity, numbers_.size() + 2).first->second;
}

}  // namespace kiln
