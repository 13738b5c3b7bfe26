#include "client/cli/coverage.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <set>

#include "client/cli/locked_request.h"
#include "frontends/request_options.h"
#include "jit/names_binding.h"
#include "jit/request_hash.h"
#include "jit/role_path.h"
#include "jit/stand_in_source.h"

namespace kiln::cli {
namespace {

// The first dependency of an entry that the application would find otherwise; empty if there is none.
std::string differingFile(const DependencySet& dependencies, const RecordedFiles& files, const Names& names) {
  const auto directories = roleDirectories(names);
  std::vector<DigestQuestion> questions;
  for (const auto& dependency : dependencies)
    questions.push_back({resolve(dependency.path, directories), dependency.kind});
  const auto answers = files.digests(questions);
  std::vector<FileState> states;
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    if (!answers.states[i]) return describe(dependencies[i].path);
    states.push_back(*answers.states[i]);
  }
  const auto differing = disagreements(dependencies, states);
  return differing.empty() ? "" : describe(dependencies[differing.front()].path);
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
    for (const auto& kernel : file.index().kernels) {
      for (const auto& entry : kernel.entries) {
        targets_[kernel.identity].insert(entry.target);
        places_.emplace(entry.requestHash, Place{&kernel, &entry});
      }
    }
  }

  // Why the task would miss; empty if it would not.
  bundle::BundleResult<std::string> missOf(const BuildTask& task) {
    auto request = requestFor(*task.kernel, task.target, contents_);
    if (!request) return std::unexpected(bundle::BundleError{request.error().message});
    auto stages = stagesOf(*request);
    auto first = find(*task.kernel, stages ? stages->first : *request, task.toolchain);
    if (!first || !first->entry) return reasonOf(task, std::move(first));
    const auto* generated = std::get_if<Artifact>(&first->entry->result);
    if (!stages || generated == nullptr) return reasonOf(task, std::move(first));
    stages->last.source = generated->outputs.front().bytes;
    return reasonOf(task, find(*task.kernel, stages->last, ""));
  }

 private:
  struct Found {
    std::optional<bundle::BundledEntry> entry;
    std::string reason;  // why there is none
  };
  struct Place {
    const bundle::IndexedKernel* kernel;
    const bundle::IndexedEntry* entry;
  };

  // An entry that says that the kernel does not compile serves whoever knows that.
  static bundle::BundleResult<std::string> reasonOf(const BuildTask& task,
                                                    bundle::BundleResult<Found> found) {
    if (!found) return std::unexpected(std::move(found.error()));
    if (!found->entry) return std::move(found->reason);
    const auto* failure = unexpectedFailure(task, std::span(&*found->entry, 1));
    if (failure == nullptr) return "";
    return doesNotCompile(task, *failure);
  }

  // Whatever kernel it is of: the same source recorded in two directories makes two, and one request.
  bundle::BundleResult<Found> find(const bundle::LockedKernel& locked, const Request& request,
                                   const std::string& toolchain) {
    const auto hash = requestHash(request);
    const auto sha256 = requestSha256(request);
    const auto names = compiledNames(request.names, hash);
    const RecordedFiles files(locked, contents_);
    std::string reason;
    const auto [begin, end] = places_.equal_range(hash);
    for (const auto& [_, place] : std::ranges::subrange(begin, end)) {
      if (place.entry->requestSha256 != sha256) continue;
      const auto& by = *toolchains_.at(place.entry->toolchain);
      if (!toolchain.empty() && by.name != toolchain && by.frontend != toolchain) {
        reason = "it is built by " + by.name + ", and the application asks for " + toolchain;
        continue;
      }
      auto entry = read(place);
      if (!entry) return std::unexpected(std::move(entry.error()));
      if (entry->namesBind && namesDigest(entry->request.names) != namesDigest(names)) {
        reason = "its names reach the output, and it is built under others";
        continue;
      }
      auto differing = differingFile(entry->dependencies, files, locked.names);
      if (differing.empty()) return Found{std::move(*entry), {}};
      reason = "it is built with another " + differing;
    }
    if (reason.empty()) {
      const auto targets = targets_.find(bundle::identityOf(locked));
      reason = targets == targets_.end() ? "it was never built"
                                         : "it is built for " + listed(targets->second) + " alone";
    }
    return Found{{}, std::move(reason)};
  }

  // Tasks of one kernel follow each other: what was read last is kept.
  bundle::BundleResult<bundle::BundledEntry> read(const Place& place) {
    if (place.kernel != isRead_) {
      auto kernel = file_.read(*place.kernel);
      if (!kernel) return std::unexpected(std::move(kernel.error()));
      read_ = std::move(*kernel);
      isRead_ = place.kernel;
    }
    return read_.entries[static_cast<std::size_t>(place.entry - place.kernel->entries.data())];
  }

  const bundle::BundleFile& file_;
  LockContents& contents_;
  std::map<Sha256, const Toolchain*> toolchains_;
  std::multimap<Hash128, Place> places_;             // by request
  std::map<Sha256, std::set<std::string>> targets_;  // by identity, for reasons
  const bundle::IndexedKernel* isRead_ = nullptr;
  bundle::BundledKernel read_;  // isRead_
};

}  // namespace

std::string doesNotCompile(const BuildTask& task, const Failure& failure) {
  return "it does not compile for " + shortName(task.target) + " (" + std::string(name(failure.kind)) +
         "), and the recording has that it does";
}

bundle::BundleResult<Coverage> coverageOf(const BuildPlan& plan, const bundle::BundleFile& file,
                                          LockContents& contents) {
  Search search(file, contents);
  return coverageBy(plan, [&](const BuildTask& task) { return search.missOf(task); });
}

}  // namespace kiln::cli
