// Compiles what a lock has, and makes entries of a bundle of it.
#pragma once

#include <atomic>
#include <expected>
#include <vector>

#include "bundle/bundle.h"
#include "client/cli/build_plan.h"
#include "client/cli/recorded_files.h"
#include "client/client.h"

namespace kiln::cli {

// Thread-safe.
class KernelBuilder {
 public:
  // All outlive it.
  KernelBuilder(client::Client& client, LockContents& contents, const ToolchainList& toolchains)
      : client_(client), contents_(contents), toolchains_(toolchains) {}

  // The entries that serve the kernel for the target: one, or one for each stage of two. A source that does
  // not compile is an entry too. The error is why there is none.
  std::expected<std::vector<bundle::BundledEntry>, Failure> build(const BuildTask& task);
  // Of those that were asked for, how many kilnd did not have yet.
  [[nodiscard]] std::size_t compiled() const { return compiled_; }

 private:
  std::expected<bundle::BundledEntry, Failure> compile(const Request& request, const std::string& toolchain,
                                                       const std::shared_ptr<const client::FileView>& files);
  [[nodiscard]] const Toolchain* byName(const std::string& name) const;

  client::Client& client_;
  LockContents& contents_;
  const ToolchainList& toolchains_;
  std::atomic<std::size_t> compiled_ = 0;
};

}  // namespace kiln::cli
