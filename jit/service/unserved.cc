#include "jit/service/unserved.h"

namespace kiln {
namespace {

// What tells kernels of one source apart.
std::string inBrackets(const std::vector<std::string>& nameExpressions) {
  std::string list;
  for (const auto& expression : nameExpressions) list += (list.empty() ? " (" : ", ") + expression;
  return list.empty() ? list : list + ")";
}

std::string withNearest(const std::string& why, const std::optional<Hash128>& nearest) {
  return nearest ? why + " (nearest entry: " + nearest->hex() + ")" : why;
}

}  // namespace

std::string whyNoneAnswers(const ToolchainList& bundled, std::optional<Language> language,
                           const std::string& name) {
  if (bundled.empty()) return "no bundle is there (kiln warm --list)";
  std::string list;
  for (const auto& one : bundled) list += (list.empty() ? "\"" : ", \"") + one->name + "\"";
  const std::string wanted = name.empty() ? "a toolchain" : "toolchain \"" + name + "\"";
  const auto ofLanguage = language ? " for " + std::string(kiln::name(*language)) : "";
  return "nothing in the bundles was compiled by " + wanted + ofLanguage + ", but by " + list;
}

Failure notPinned(const Request& request, const std::string& source, const std::string& domain,
                  const std::string& why, const std::optional<Hash128>& nearest) {
  return {FailureKind::notPinned, "\"" + source + "\" for " + shortName(request.target) +
                                      inBrackets(request.nameExpressions) +
                                      " is not in the bundles of domain \"" + domain +
                                      "\", and this socket compiles nothing: " + withNearest(why, nearest) +
                                      "; record it (kiln record), build a bundle that has it (kiln build) "
                                      "and bring that to this node (kiln warm)"};
}

Failure notBrought(const Failure& cannotCompile, const std::string& why,
                   const std::optional<Hash128>& nearest) {
  return {cannotCompile.kind,
          cannotCompile.message + "; nor do bundles have it: " + withNearest(why, nearest)};
}

}  // namespace kiln
