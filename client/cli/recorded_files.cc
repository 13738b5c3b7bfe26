#include "client/cli/recorded_files.h"

#include <cerrno>
#include <utility>

#include "jit/role_path.h"

namespace kiln::cli {
namespace {

using Kind = FileAnswer::Kind;

FileAnswer failed(std::string message) {
  FileAnswer answer{Kind::failed};
  answer.error = EIO;
  answer.text = std::move(message);
  return answer;
}

// The names that a listing's text holds, each ended by NUL.
std::vector<std::string> namesIn(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\0', at);
    names.push_back(text.substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return names;
}

}  // namespace

bundle::BundleResult<std::shared_ptr<const LockContents::Content>> LockContents::read(const Sha256& digest) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = known_.find(digest); found != known_.end()) return found->second;
  }
  auto text = folder_.read(digest);
  if (!text) return std::unexpected(std::move(text.error()));
  const auto hash = kiln::xxh3(*text);
  auto content = std::make_shared<const Content>(std::move(*text), hash);
  std::lock_guard lock(mutex_);
  return known_.emplace(digest, std::move(content)).first->second;
}

RecordedFiles::RecordedFiles(const bundle::LockedKernel& kernel, LockContents& contents)
    : name_(kernel.name), contents_(contents) {
  const auto directories = roleDirectories(kernel.names);
  for (const auto& directory : directories) addDirectories(directory.path);
  for (const auto& file : kernel.files) {
    const auto path = kiln::resolve(file.path, directories);
    facts_[path].emplace(file.kind, file);
    if (file.kind != FileKind::absent) addDirectories(path.substr(0, path.find_last_of('/')));
  }
}

void RecordedFiles::addDirectories(const std::string& path) {
  for (auto end = path.size(); end > 0 && end != std::string::npos; end = path.find_last_of('/', end - 1)) {
    if (!directories_.insert(path.substr(0, end)).second) return;
  }
}

const Dependency* RecordedFiles::find(const std::string& path, FileKind kind) const {
  const auto facts = facts_.find(path);
  if (facts == facts_.end()) return nullptr;
  const auto fact = facts->second.find(kind);
  return fact == facts->second.end() ? nullptr : &fact->second;
}

std::string RecordedFiles::missing(const std::string& path) const {
  for (auto at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    if (auto prefix = path.substr(0, at); find(prefix, FileKind::absent) != nullptr) return prefix;
  }
  return find(path, FileKind::absent) != nullptr ? path : "";
}

FileAnswer RecordedFiles::unknown(const std::string& path) const {
  FileAnswer answer{Kind::denied};
  answer.text =
      "'" + path + "' was not looked for when '" + name_ +
      "' was recorded, so that the lock does not tell whether it is there; record it for this target and "
      "with this toolchain too";
  return answer;
}

FileAnswer RecordedFiles::look(const std::string& path) const {
  if (auto absent = missing(path); !absent.empty()) {
    FileAnswer answer{Kind::absent};
    answer.text = std::move(absent);
    return answer;
  }
  if (const auto* file = find(path, FileKind::file)) {
    auto content = contents_.read(file->sha256);
    if (!content) return failed(std::move(content.error().message));
    FileAnswer answer{Kind::file, file->fileNumber};
    answer.text = (*content)->text;
    answer.size = answer.text.size();
    return answer;
  }
  if (directories_.contains(path) || find(path, FileKind::directory) != nullptr ||
      find(path, FileKind::listing) != nullptr) {
    // Equal for one directory: its path tells.
    return {Kind::directory, xxh3Checksum(asBytes(path)) | 1ULL << 63};
  }
  if (find(path, FileKind::other) != nullptr) {
    FileAnswer answer{Kind::other};
    answer.text = "no regular file";
    return answer;
  }
  return unknown(path);
}

FileAnswer RecordedFiles::textOf(const std::string& path, FileKind kind, Kind answered) const {
  if (const auto* fact = find(path, kind)) {
    auto content = contents_.read(fact->sha256);
    if (!content) return failed(std::move(content.error().message));
    FileAnswer answer{answered};
    if (kind == FileKind::listing) {
      answer.names = namesIn((*content)->text);
    } else {
      answer.text = (*content)->text;
    }
    return answer;
  }
  if (auto absent = missing(path); !absent.empty()) {
    FileAnswer answer{Kind::absent};
    answer.text = std::move(absent);
    return answer;
  }
  return unknown(path);
}

FileAnswer RecordedFiles::list(const std::string& path) const {
  return textOf(path, FileKind::listing, Kind::listing);
}
FileAnswer RecordedFiles::readLink(const std::string& path) const {
  return textOf(path, FileKind::link, Kind::text);
}
FileAnswer RecordedFiles::resolve(const std::string& path) const {
  return textOf(path, FileKind::resolved, Kind::text);
}

client::FileView::Digests RecordedFiles::digests(std::span<const DigestQuestion> questions) const {
  Digests digests;
  for (const auto& question : questions) digests.states.push_back(state(question));
  return digests;
}

std::optional<FileState> RecordedFiles::state(const DigestQuestion& question) const {
  const auto kind = question.kind;
  if (kind == FileKind::listing || kind == FileKind::link || kind == FileKind::resolved) {
    const auto* fact = find(question.path, kind);
    if (fact == nullptr) return std::nullopt;
    const auto content = contents_.read(fact->sha256);
    if (!content) return std::nullopt;
    return FileState{kind, 0, (*content)->xxh3, 0};
  }
  const auto answer = look(question.path);
  switch (answer.kind) {
    case Kind::absent:
      return FileState{};
    case Kind::file:
      return FileState{FileKind::file, answer.size, kiln::xxh3(answer.text), answer.identity};
    case Kind::directory:
      return FileState{FileKind::directory, 0, {}, answer.identity};
    case Kind::other:
      return FileState{FileKind::other, 0, {}, 0};
    default:
      return std::nullopt;
  }
}

}  // namespace kiln::cli
