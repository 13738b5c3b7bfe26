#include "client/cli/coverage.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "client/cli/locked_request.h"
#include "frontends/request_options.h"
#include "jit/request_hash.h"
#include "jit/role_path.h"

namespace kiln::cli {
namespace {

// The first dependency of an entry that the lock has otherwise, or not at all; empty if it agrees with all.
std::string differingFile(const DependencySet& dependencies, const DependencySet& files) {
  for (const auto& dependency : dependencies) {
    const auto same = std::ranges::find_if(files, [&](const Dependency& file) {
      return file.path == dependency.path && file.kind == dependency.kind && file.sha256 == dependency.sha256;
    });
    if (same == files.end()) return describe(dependency.path);
  }
  return {};
}

std::string listed(const std::set<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + text;
  return list;
}

// One bundle, and what was looked up in it.
class Search {
 public:
  Search(const bundle::BundleFile& file, LockContents& contents) : file_(file), contents_(contents) {
    for (const auto& toolchain : file.index().toolchains) toolchains_[toolchain.identity] = &toolchain;
    for (const auto& kernel : file.index().kernels) kernels_[kernel.identity].push_back(&kernel);
  }

  // Why the task would miss; empty if it would not.
  bundle::BundleResult<std::string> missOf(const BuildTask& task) {
    auto request = requestFor(*task.kernel, task.target, contents_);
    if (!request) return std::unexpected(bundle::BundleError{request.error().message});
    auto stages = stagesOf(*request);
    auto first = find(*task.kernel, stages ? stages->first : *request, task.toolchain);
    if (!first || !stages || !first->reason.empty()) return reasonOf(std::move(first));
    const auto* generated = std::get_if<Artifact>(&first->entry->result);
    if (generated == nullptr) return "";
    stages->last.source = generated->outputs.front().bytes;
    return reasonOf(find(*task.kernel, stages->last, ""));
  }

 private:
  struct Found {
    std::optional<bundle::BundledEntry> entry;
    std::string reason;  // why there is none
  };

  static bundle::BundleResult<std::string> reasonOf(bundle::BundleResult<Found> found) {
    if (!found) return std::unexpected(std::move(found.error()));
    return std::move(found->reason);
  }

  bundle::BundleResult<Found> find(const bundle::LockedKernel& locked, const Request& request,
                                   const std::string& toolchain) {
    const auto found = kernels_.find(bundle::identityOf(locked));
    if (found == kernels_.end()) return Found{{}, "it was never built"};
    const auto hash = requestHash(request);
    std::string reason;
    std::set<std::string> targets;
    for (const auto* kernel : found->second) {
      for (std::size_t i = 0; i < kernel->entries.size(); ++i) {
        const auto& entry = kernel->entries[i];
        targets.insert(entry.target);
        if (entry.requestHash != hash || entry.requestSha256 != requestSha256(request)) continue;
        const auto& by = *toolchains_.at(entry.toolchain);
        if (!toolchain.empty() && by.name != toolchain && by.frontend != toolchain) {
          reason = "it is built by " + by.name + ", and the application asks for " + toolchain;
          continue;
        }
        auto read = file_.read(*kernel);
        if (!read) return std::unexpected(std::move(read.error()));
        auto differing = differingFile(read->entries[i].dependencies, locked.files);
        if (differing.empty()) return Found{std::move(read->entries[i]), {}};
        reason = "it is built with another " + differing;
      }
    }
    if (reason.empty()) reason = "it is built for " + listed(targets) + " alone";
    return Found{{}, std::move(reason)};
  }

  const bundle::BundleFile& file_;
  LockContents& contents_;
  std::map<Sha256, const Toolchain*> toolchains_;
  std::map<Sha256, std::vector<const bundle::IndexedKernel*>> kernels_;  // by identity
};

}  // namespace

bundle::BundleResult<Coverage> coverageOf(const BuildPlan& plan, const bundle::BundleFile& file,
                                          LockContents& contents) {
  Search search(file, contents);
  Coverage coverage;
  for (const auto& task : plan.tasks) {
    auto reason = search.missOf(task);
    if (!reason) return std::unexpected(std::move(reason.error()));
    if (reason->empty()) {
      ++coverage.covered;
    } else {
      coverage.missing.push_back({task.kernel->name, shortName(task.target), std::move(*reason)});
    }
  }
  return coverage;
}

}  // namespace kiln::cli
