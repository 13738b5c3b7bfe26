#include "client/files_ahead.h"

#include <algorithm>

#include "jit/role_path.h"

namespace kiln::client {
namespace {

using Kind = FileAnswer::Kind;

// A larger file is not sent before it is asked for.
constexpr std::uint64_t kLargestAhead = 1 << 20;

std::string directoryOf(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool canBeTold(Kind kind) {
  return kind == Kind::absent || kind == Kind::file || kind == Kind::directory || kind == Kind::other;
}

}  // namespace

FilesAhead::FilesAhead(std::shared_ptr<const FileView> reader, std::shared_ptr<const Request> request)
    : reader_(std::move(reader)),
      request_(std::move(request)),
      sourcePath_(absolutePath(request_->names.source, request_->names.workingDirectory)) {
  for (const auto& directory : request_->names.includeDirectories) {
    includeDirectories_.push_back(absolutePath(directory, request_->names.workingDirectory));
  }
  startAnew();
}

void FilesAhead::noteAsked(const std::string& path, const FileAnswer& answer) {
  std::lock_guard lock(mutex_);
  if (asked_.contains(path)) startAnew();
  asked_.insert(path);
  lastAsked_ = path;
  if (waiting_ && waiting_->path == path) waiting_.reset();
  bool isNews = known_.emplace(path, answer.kind).second;
  if (isNews && answer.kind == Kind::file) enter(path, answer.text);
}

std::vector<AheadAnswer> FilesAhead::next(std::uint64_t limit) {
  std::lock_guard lock(mutex_);
  Batch batch{{}, limit};
  if (waiting_) tell(*std::exchange(waiting_, std::nullopt), batch);
  if (isFile(lastAsked_)) tellDirectories(lastAsked_, batch);
  while (!open_.empty() && !waiting_) {
    auto& text = open_.back();
    if (text.next == text.inclusions.size()) {
      open_.pop_back();
    } else {
      auto inclusion = std::move(text.inclusions[text.next++]);
      follow(inclusion, std::string(text.directory), batch);
    }
  }
  return std::move(batch.answers);
}

void FilesAhead::startAnew() {
  open_.clear();
  known_.clear();
  asked_.clear();
  waiting_.reset();
  headersEntered_.clear();
  // The request's own directories need no telling.
  for (const auto& directory : roleDirectories(request_->names)) {
    known_.emplace(directory.path, Kind::directory);
  }
  enter(sourcePath_, request_->source);
}

void FilesAhead::enter(const std::string& path, std::string_view text) {
  auto inclusions = inclusionsIn(text);
  if (!inclusions.empty()) open_.push_back({directoryOf(path), std::move(inclusions)});
}

void FilesAhead::follow(const Inclusion& inclusion, const std::string& includer, Batch& batch) {
  if (enterHeaderInMemory(inclusion.name)) return;
  if (inclusion.isQuoted && search(absolutePath(inclusion.name, includer), batch)) return;
  for (const auto& directory : includeDirectories_) {
    if (search(absolutePath(inclusion.name, directory), batch)) return;
  }
}

bool FilesAhead::enterHeaderInMemory(const std::string& name) {
  auto header = std::find_if(request_->headers.begin(), request_->headers.end(),
                             [&](const Header& one) { return one.name == name; });
  if (header == request_->headers.end()) return false;
  if (headersEntered_.insert(name).second) enter(sourcePath_, header->content);
  return true;
}

bool FilesAhead::search(const std::string& path, Batch& batch) {
  if (known_.contains(path)) return isFile(path);
  auto answer = reader_->look(path);
  if (!canBeTold(answer.kind)) return true;
  known_.emplace(path, answer.kind);
  bool found = answer.kind == Kind::file;
  if (found) {
    tellDirectories(path, batch);
    enter(path, answer.text);
  }
  tell({path, std::move(answer)}, batch);
  return found;
}

// Compilers ask after the directories of a file that they found, too.
void FilesAhead::tellDirectories(const std::string& path, Batch& batch) {
  for (auto directory = directoryOf(path); !known_.contains(directory); directory = directoryOf(directory)) {
    auto answer = reader_->look(directory);
    if (answer.kind != Kind::directory) return;
    known_.emplace(directory, answer.kind);
    tell({directory, std::move(answer)}, batch);
  }
}

// What has no room waits for the next batch.
void FilesAhead::tell(AheadAnswer answer, Batch& batch) {
  std::uint64_t size = answer.answer.text.size();
  if (size > kLargestAhead) return;
  if (size > batch.room && !batch.answers.empty()) {
    waiting_ = std::move(answer);
    return;
  }
  batch.room -= std::min(size, batch.room);
  batch.answers.push_back(std::move(answer));
}

bool FilesAhead::isFile(const std::string& path) const {
  auto found = known_.find(path);
  return found != known_.end() && found->second == Kind::file;
}

}  // namespace kiln::client
