// Which toolchains this node has.
#pragma once

#include <filesystem>
#include <vector>

#include "frontends/file_digests.h"
#include "frontends/frontend.h"
#include "jit/toolchain.h"

namespace kiln {

// Finds and describes all toolchains, again and again: what has not changed since the last time is neither
// read nor loaded. For one thread at a time.
class ToolchainSurvey {
 public:
  ToolchainSurvey(ToolchainSearch search, std::filesystem::path compilerProgram);

  // Loads each library that is new, or that could not be used the last time, in a process and a thread of its
  // own: blocking. No thread is left when it returns. What it tells of a toolchain was true of one state of
  // its files; where they change all the time, that is the problem it tells. Of copies with equal bytes one
  // that can be used is listed, and those that stand before it and cannot.
  std::vector<Toolchain> run();

 private:
  std::vector<Toolchain> runOnce();
  void describe(std::vector<Toolchain>& toolchains) const;
  [[nodiscard]] const Toolchain* lastSeen(const Toolchain& found) const;

  const ToolchainSearch search_;
  const std::filesystem::path compilerProgram_;
  FileDigests digests_;
  std::vector<Toolchain> last_;
};

}  // namespace kiln
