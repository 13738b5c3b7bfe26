// Compiles what a lock has, and makes entries of a bundle of it.
#pragma once

#include <atomic>
#include <expected>
#include <variant>
#include <vector>

#include "bundle/bundle.h"
#include "client/cli/build_plan.h"
#include "client/cli/recorded_files.h"
#include "client/client.h"

namespace kiln::cli {

// Why something is not built: it cannot be, or kilnd cannot be reached.
using Unbuilt = std::variant<Failure, client::Unreachable>;
template <typename T>
using Attempted = std::expected<T, Unbuilt>;
// The entries that serve a kernel for a target: one, or one for each stage of two. A source that does not
// compile is an entry too.
using Built = Attempted<std::vector<bundle::BundledEntry>>;

// Thread-safe.
class KernelBuilder {
 public:
  // All outlive it.
  KernelBuilder(client::Client& client, LockContents& contents, const ToolchainList& toolchains)
      : client_(client), contents_(contents), toolchains_(toolchains) {}

  Built build(const BuildTask& task);
  // Of those that were asked for, how many kilnd did not have yet.
  [[nodiscard]] std::size_t compiled() const { return compiled_; }

 private:
  Attempted<bundle::BundledEntry> compile(const Request& request, const std::string& toolchain,
                                          const std::shared_ptr<const client::FileView>& files);
  [[nodiscard]] const Toolchain* byName(const std::string& name) const;

  client::Client& client_;
  LockContents& contents_;
  const ToolchainList& toolchains_;
  std::atomic<std::size_t> compiled_ = 0;
};

}  // namespace kiln::cli
