#include "frontends/process/client_view.h"

#include <algorithm>
#include <cerrno>

namespace kiln {
namespace {

bool isNoLink(FileQuestion::Kind kind, const FileAnswer& answer) {
  return kind == FileQuestion::Kind::readLink && answer.kind == FileAnswer::Kind::failed &&
         answer.error == EINVAL;
}

// Whether an answer of this kind can be one to the question. A client speaks for itself; this keeps what it
// may say from meaning two things.
bool fits(FileQuestion::Kind question, FileAnswer::Kind answer) {
  switch (answer) {
    case FileAnswer::Kind::absent:
    case FileAnswer::Kind::denied:
    case FileAnswer::Kind::failed:
      return true;
    case FileAnswer::Kind::file:
    case FileAnswer::Kind::directory:
    case FileAnswer::Kind::other:
      return question == FileQuestion::Kind::look;
    case FileAnswer::Kind::listing:
      return question == FileQuestion::Kind::list;
    case FileAnswer::Kind::text:
      return question == FileQuestion::Kind::readLink || question == FileQuestion::Kind::resolve;
  }
  return false;
}

Failure unavailable(std::string message) { return {FailureKind::fileUnavailable, std::move(message)}; }

Failure unavailable(const std::string& path, const FileAnswer& answer) {
  if (answer.kind == FileAnswer::Kind::denied) {
    return unavailable("the compiler asked for '" + path +
                       "', which the client does not allow: " + answer.text);
  }
  if (answer.kind == FileAnswer::Kind::failed) {
    return unavailable("the compiler asked for '" + path + "', which the client could not read: " +
                       answer.text + "; make it readable to the client, or take it out of what is compiled");
  }
  return unavailable("the compiler asked for '" + path +
                     "', and the client's answer does not fit the question");
}

}  // namespace

const FileAnswer& ClientView::look(const AskedPath& path) {
  const auto& found = answer(FileQuestion::Kind::look, path.absolute);
  recorder_.looked(path, found);
  return found;
}

const FileAnswer& ClientView::list(const AskedPath& path) {
  auto& found = answer(FileQuestion::Kind::list, path.absolute);
  if (found.kind == FileAnswer::Kind::listing) {
    std::sort(found.names.begin(), found.names.end());
    recorder_.listed(path, found.names);
  } else {
    recorder_.looked(path, found);
  }
  return found;
}

const FileAnswer& ClientView::readLink(const AskedPath& path) {
  const auto& found = answer(FileQuestion::Kind::readLink, path.absolute);
  if (found.kind == FileAnswer::Kind::text) {
    recorder_.readLink(path, found.text);
  } else if (found.kind == FileAnswer::Kind::directory) {
    // "No link" has no dependency of its own; what the path resolves to says the same.
    resolve(path);
  } else {
    recorder_.looked(path, found);
  }
  return found;
}

const FileAnswer& ClientView::resolve(const AskedPath& path) {
  const auto& found = answer(FileQuestion::Kind::resolve, path.absolute);
  if (found.kind == FileAnswer::Kind::text) {
    recorder_.resolved(path, found.text);
  } else {
    recorder_.looked(path, found);
  }
  return found;
}

void ClientView::refuseToOpen(const std::string& path, const FileAnswer& answer) {
  job_.end(unavailable("the compiler tried to read '" + path + "', which is " +
                       (answer.text.empty() ? "no regular file" : answer.text) +
                       "; only regular files can be compiled from"));
}

FileAnswer& ClientView::answer(FileQuestion::Kind kind, const std::string& path) {
  auto& answers = answers_[static_cast<std::size_t>(kind)];
  if (auto known = answers.find(path); known != answers.end()) return known->second;
  if (const auto* directory = knownMissing(path)) {
    return answers.emplace(path, FileAnswer{FileAnswer::Kind::absent, 0, 0, *directory}).first->second;
  }
  auto found = find(kind, path);
  if (found.kind == FileAnswer::Kind::absent) missing_.insert(found.text);
  return answers.emplace(path, std::move(found)).first->second;
}

FileAnswer ClientView::find(FileQuestion::Kind kind, const std::string& path) {
  auto known = kind == FileQuestion::Kind::look ? ahead_.extract(path) : Answers::node_type();
  auto found = known ? std::move(known.mapped()) : ask(kind, path);
  if (isNoLink(kind, found)) return {FileAnswer::Kind::directory};
  if (found.kind == FileAnswer::Kind::denied || found.kind == FileAnswer::Kind::failed ||
      !fits(kind, found.kind)) {
    job_.end(unavailable(path, found));
  }
  bool namesADirectory = found.text.size() > 1 && isBelowOrSame(path, found.text);
  if (found.kind == FileAnswer::Kind::absent && !namesADirectory) found.text = path;
  return found;
}

FileAnswer ClientView::ask(FileQuestion::Kind kind, const std::string& path) {
  auto reply = job_.ask({kind, path});
  for (auto& item : reply.ahead) ahead_.try_emplace(std::move(item.path), std::move(item.answer));
  return std::move(reply.answer);
}

// An absence covers everything below the directory that it names.
const std::string* ClientView::knownMissing(const std::string& path) const {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    auto known = missing_.find(path.substr(0, end));
    if (known != missing_.end()) return &*known;
    if (end == std::string::npos) return nullptr;
  }
}

}  // namespace kiln
