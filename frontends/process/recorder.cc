#include "frontends/process/recorder.h"

#include "frontends/process/file_classes.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

bool hasContent(FileKind kind) {
  return kind != FileKind::absent && kind != FileKind::directory && kind != FileKind::other;
}

std::string below(std::string_view path, std::string_view directory) {
  auto rest = path.substr(directory.size());
  if (rest.starts_with('/')) rest.remove_prefix(1);
  return std::string(rest);
}

}  // namespace

Recorder::Recorder(const Names& names) : directories_(roleDirectories(names)) {}

void Recorder::looked(std::string_view path, const FileAnswer& answer) {
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

void Recorder::listed(std::string_view path, const std::vector<std::string>& names) {
  add(path, FileKind::listing, listingText(names));
}

void Recorder::readLink(std::string_view path, std::string_view text) { add(path, FileKind::link, text); }

void Recorder::resolved(std::string_view path, std::string_view text) { add(path, FileKind::resolved, text); }

// The shallowest missing directory may lie above one of the request's directories; then it is that directory
// which is missing, so that a tree found elsewhere agrees.
void Recorder::absent(std::string_view path, std::string_view missing) {
  bool recorded = false;
  for (const auto& directory : directories_) {
    if (!isBelowOrSame(path, directory.path)) continue;
    auto rest = isBelowOrSame(directory.path, missing) ? "" : below(missing, directory.path);
    dependencies_.push_back({{directory.role, directory.index, rest}, FileKind::absent, 0, {}, {}, 0});
    recorded = true;
  }
  if (recorded) return;
  dependencies_.push_back({{FileRole::absolute, 0, std::string(missing)}, FileKind::absent, 0, {}, {}, 0});
}

void Recorder::add(std::string_view path, FileKind kind, std::string_view content, std::uint64_t size,
                   std::uint64_t number) {
  Dependency dependency{{}, kind, size, {}, {}, static_cast<std::uint32_t>(number)};
  if (hasContent(kind)) {
    dependency.xxh3 = xxh3(content);
    dependency.sha256 = sha256(content);
  }
  for (auto& role : rolesOf(path, directories_)) {
    dependency.path = std::move(role);
    dependencies_.push_back(dependency);
  }
}

std::uint64_t Recorder::numberOf(std::uint64_t identity) {
  return numbers_.try_emplace(identity, numbers_.size() + 2).first->second;
}

}  // namespace kiln
