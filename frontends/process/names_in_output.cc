#include "frontends/process/names_in_output.h"

#include <algorithm>
#include <string>

namespace kiln {
namespace {

bool isIdentifierCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string builtInForm(const std::string& source) {
  auto name = source.substr(source.rfind('/') + 1);
  for (char& c : name) {
    if (!isIdentifierCharacter(c)) c = '_';
  }
  return "_" + std::to_string(name.size()) + "_" + name + "_";
}

}  // namespace

bool outputsHoldSourceName(const Artifact& artifact, const Names& names) {
  auto form = builtInForm(names.source);
  return std::any_of(artifact.outputs.begin(), artifact.outputs.end(),
                     [&](const Output& output) { return output.bytes.find(form) != std::string::npos; });
}

}  // namespace kiln
