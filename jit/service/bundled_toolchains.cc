#include "jit/service/bundled_toolchains.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace kiln {
namespace {

std::shared_ptr<const Toolchain> toolchainOf(const BundledToolchain& bundled) {
  Toolchain toolchain;
  toolchain.name = bundled.name;
  toolchain.frontend = bundled.frontend;
  toolchain.version = bundled.version;
  toolchain.language = bundled.language;
  toolchain.identity = bundled.identity;
  toolchain.targets = bundled.targets;
  return std::make_shared<const Toolchain>(std::move(toolchain));
}

}  // namespace

void BundledToolchains::replace(const std::string& domain, const std::vector<BundleRecord>& bundles) {
  ToolchainList list;
  for (const auto& bundle : bundles) {
    for (const auto& toolchain : bundle.toolchains) {
      const bool isKnown = std::ranges::any_of(list, [&](const auto& one) {
        return one->identity == toolchain.identity && one->name == toolchain.name;
      });
      if (!isKnown) list.push_back(toolchainOf(toolchain));
    }
  }
  std::ranges::stable_sort(list, [](const auto& a, const auto& b) {
    if (a->frontend != b->frontend) return a->frontend < b->frontend;
    return isOlderVersion(b->version, a->version);
  });
  ofDomain_[domain] = std::move(list);
}

const ToolchainList& BundledToolchains::of(std::string_view domain) const {
  static const ToolchainList none;
  const auto found = ofDomain_.find(domain);
  return found == ofDomain_.end() ? none : found->second;
}

ToolchainList BundledToolchains::answering(std::string_view domain, std::optional<Language> language,
                                           std::string_view name) const {
  ToolchainList answering;
  for (const auto& toolchain : of(domain)) {
    if (language && toolchain->language != *language) continue;
    if (name.empty() || isNamed(*toolchain, name)) answering.push_back(toolchain);
  }
  return answering;
}

}  // namespace kiln
