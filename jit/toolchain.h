// A toolchain: one compiler on this node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jit/file_stamp.h"
#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

struct Toolchain {
  std::string name;      // "nvrtc 13.0": what a person chooses by
  std::string frontend;  // "nvrtc": the folder under frontends/ that drives it
  std::string version;   // "13.0": digits and dots, compared number by number
  std::string library;   // absolute path of the library that is loaded; empty: it is known from bundles alone
  Language language = Language::cuda;
  // SHA-256 over the bytes of every file that decides the output, and over the revision of the frontend that
  // drives it. Two copies with equal bytes are one identity.
  Sha256 identity;
  std::vector<std::string> targets;  // what it compiles for, in its own order
  std::string problem;               // why it cannot be used; empty if it can
  // Of the files behind `identity`, from before they were read. While it holds, so does all of the above.
  // Stays on its node.
  Footprint footprint = {};
  std::string program = {};              // absolute path of what drives it, where that is not kiln-compiler
  std::vector<std::string> handed = {};  // absolute paths of what that program is to load besides

  bool operator==(const Toolchain&) const = default;
};

// All there are, in the order in which they were looked for; none is null. Whoever works with one keeps it
// alive.
using ToolchainList = std::vector<std::shared_ptr<const Toolchain>>;

// Whether it can compile here; else its entries alone are here (jit/bundle_record.h).
inline bool isOnNode(const Toolchain& toolchain) { return !toolchain.library.empty(); }

// Whether `name` means it: its own, or that of its frontend.
inline bool isNamed(const Toolchain& toolchain, std::string_view name) {
  return name == toolchain.name || name == toolchain.frontend;
}

// Whether version `a` is older than `b`, comparing number by number: "12.9" < "13.0" < "13.10".
bool isOlderVersion(std::string_view a, std::string_view b);

// The toolchain for `language` that `name` chooses, the newest usable one if `name` is empty; null if there
// is none. A name without a version ("nvrtc") chooses the newest of that frontend. Among equals the first
// wins.
std::shared_ptr<const Toolchain> chooseToolchain(const ToolchainList& toolchains, Language language,
                                                 std::string_view name);

// The toolchain for `language` that takes what one of `version` yields: the oldest usable one that is not
// older and knows the target, or the oldest that is not older where none knows it; null if all are older.
// Among equals the first wins.
std::shared_ptr<const Toolchain> chooseNextToolchain(const ToolchainList& toolchains, Language language,
                                                     std::string_view version, const Target& target);

}  // namespace kiln
