#include "jit/stand_in_source.h"

#include "jit/role_path.h"
#include "jit/words.h"

namespace kiln {
namespace {

bool isBelow(std::string_view path, std::string_view directory) {
  return path != directory && isBelowOrSame(path, directory);
}

bool isStandIn(std::string_view source) { return isBelow(source, kStandInDirectory); }

// What compilers tell languages apart by: ".cu", or nothing.
std::string_view extensionOf(std::string_view source) {
  auto name = lastComponent(source);
  auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot);
}

// No other one's is a part of it.
std::string standInForInput(std::size_t index) {
  return std::string(kStandInDirectory) + "/" + std::to_string(index + 1) + ".input";
}

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

Names compiledNames(Names names, const Hash128& requestHash) {
  auto temporary = absolutePath(names.temporaryDirectory, "/");
  bool isTemporary = names.source.starts_with('/') && !names.temporaryDirectory.empty() && temporary != "/" &&
                     isBelow(absolutePath(names.source, "/"), temporary);
  if (isTemporary) {
    names.source =
        std::string(kStandInDirectory) + "/" + requestHash.hex() + std::string(extensionOf(names.source));
  }
  names.temporaryDirectory.clear();
  for (std::size_t i = 0; i < names.inputs.size(); ++i) names.inputs[i] = standInForInput(i);
  return names;
}

StandInPaths::StandInPaths(const Names& asked, const Names& compiled)
    : standIn_(compiled.source), source_(asked.source) {
  if (!isStandIn(compiled.source) || isStandIn(asked.source)) return;
  directory_ = absolutePath(asked.source, asked.workingDirectory);
  directory_.erase(directory_.rfind('/'));
  if (directory_.empty()) directory_ = "/";
}

std::string StandInPaths::toAsker(std::string path) const {
  if (directory_.empty() || !isBelowOrSame(path, kStandInDirectory)) return path;
  auto rest = path.substr(kStandInDirectory.size());
  if (directory_ == "/") return rest.empty() ? "/" : rest;
  return directory_ + rest;
}

std::string StandInPaths::toCompile(std::string path) const {
  if (directory_.empty()) return path;
  if (isBelowOrSame(directory_, path)) return std::string(kStandInDirectory);
  if (!isBelow(path, directory_)) return path;
  return std::string(kStandInDirectory) + path.substr(directory_ == "/" ? 0 : directory_.size());
}

std::string StandInPaths::textForAsker(std::string text) const {
  if (directory_.empty()) return text;
  replaceAll(text, standIn_, source_);
  replaceAll(text, std::string(kStandInDirectory) + "/", directory_ == "/" ? "/" : directory_ + "/");
  return text;
}

std::string inputsForAsker(std::string text, const Names& asked) {
  for (std::size_t i = 0; i < asked.inputs.size(); ++i) replaceAll(text, standInForInput(i), asked.inputs[i]);
  return text;
}

}  // namespace kiln
