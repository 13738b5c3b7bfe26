// The toolchains that compiled what bundles have brought: a name and an identity, by which their entries are
// found. Nothing on this node can compile with them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/bundle_record.h"
#include "jit/toolchain.h"

namespace kiln {

// Of each domain by itself. Belongs to the event loop's thread.
class BundledToolchains {
 public:
  // What the bundles of the domain, which are all it has, were compiled by.
  void replace(const std::string& domain, const std::vector<BundleRecord>& bundles);

  // The newest first, each identity once; none of them isOnNode().
  [[nodiscard]] const ToolchainList& of(std::string_view domain) const;
  // Those that `name` may mean (as chooseToolchain() takes it), for any language if there is none: all of
  // them, since bundles were compiled on different machines and an application that names no toolchain means
  // the one of its own bundle.
  [[nodiscard]] ToolchainList answering(std::string_view domain, std::optional<Language> language,
                                        std::string_view name) const;

 private:
  std::map<std::string, ToolchainList, std::less<>> ofDomain_;
};

}  // namespace kiln
