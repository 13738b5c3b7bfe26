#include "rpc/warming.h"

#include <algorithm>
#include <ctime>
#include <future>
#include <utility>

#include "bundle/layout_json.h"
#include "bundle/problem.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

std::unexpected<WarmingProblem> problem(std::string message) {
  return std::unexpected(WarmingProblem{std::move(message)});
}

std::uint64_t secondsNow() { return static_cast<std::uint64_t>(std::time(nullptr)); }

BundledToolchain recordOf(const Toolchain& toolchain) {
  return {toolchain.name,     toolchain.frontend, toolchain.version,
          toolchain.language, toolchain.identity, toolchain.targets};
}

}  // namespace

Warmed<DescribedBundle> describe(const OfferedBundle& offered) {
  // Both are long, and parsing believes neither.
  auto parsing = std::async([&] { return bundle::parseIndex(offered.index, "'" + offered.name + "'"); });
  const auto manifest = bundle::parseManifest(offered.manifest);
  if (!manifest) return problem("its manifest cannot be read: " + manifest.error().text);
  if (manifest->artifactType != bundle::kArtifactType || manifest->config.mediaType != bundle::kIndexType) {
    return problem("it is of the kind " + bundle::printable(manifest->artifactType) +
                   " with an index of the kind " + bundle::printable(manifest->config.mediaType) +
                   ", which this kilnd does not take; use one as new as the kiln "
                   "that built it");
  }
  if (sha256(offered.index) != manifest->config.digest) {
    return problem("its index has other bytes than its digest says; copy the bundle once more");
  }
  auto parsed = parsing.get();
  if (!parsed) return problem(std::move(parsed.error().message));
  if (const auto why = bundle::whyNotOfOneBundle(*parsed, *manifest); !why.empty())
    return problem(why + "; build the bundle anew");
  DescribedBundle described{{}, std::move(*parsed)};
  auto& record = described.record;
  record.digest = sha256(offered.manifest);
  record.domain = offered.domain;
  record.name = offered.name;
  record.warmedAt = secondsNow();
  for (const auto& toolchain : described.index.toolchains) record.toolchains.push_back(recordOf(toolchain));
  return described;
}

Warming::Warming(BundleRecord record, bundle::BundleIndex index, std::unique_ptr<BundleIntake> intake)
    : record_(std::move(record)), index_(std::move(index)), intake_(std::move(intake)) {
  byLayer_.reserve(index_.kernels.size());
  added_.reserve(index_.kernels.size());
  for (const auto& kernel : index_.kernels) byLayer_[kernel.layer] = &kernel;
}

Warmed<std::unique_ptr<Warming>> Warming::begin(Store& store, DescribedBundle described) {
  auto intake = store.beginBundle(described.record);
  if (!intake) return problem("the store failed: " + intake.error().message);
  return std::unique_ptr<Warming>(
      new Warming(std::move(described.record), std::move(described.index), std::move(*intake)));
}

Warmed<void> Warming::add(const std::vector<std::string_view>& layers) {
  std::vector<Verified> kernels;
  kernels.reserve(layers.size());
  for (const auto layer : layers) {
    auto kernel = verified(layer);
    if (!kernel) return std::unexpected(std::move(kernel.error()));
    kernels.push_back(std::move(*kernel));
  }
  std::lock_guard lock(mutex_);
  if (isCommitted_) return problem("the bundle is complete already");
  for (auto& kernel : kernels) {
    const auto& layer = kernel.said->layer;
    if (added_.contains(layer)) continue;
    if (auto added = addKernel(std::move(kernel)); !added) return added;
    added_.insert(layer);
  }
  return {};
}

Warmed<Warming::Verified> Warming::verified(std::string_view layer) const {
  const auto digest = sha256(layer);
  const auto found = byLayer_.find(digest);
  if (found == byLayer_.end()) {
    return problem("a layer with the digest " + digest.hex() +
                   " came, and the bundle has none such; copy the bundle once more");
  }
  const auto what = "layer " + digest.hex() + " of '" + record_.name + "'";
  auto kernel = bundle::parseKernel(layer, what);
  if (!kernel) return problem(std::move(kernel.error().message));
  if (bundle::indexed(*kernel, digest) != *found->second) {
    return problem(what + " holds something else than the index says; build the bundle anew");
  }
  for (const auto& entry : kernel->entries) {
    const auto isBy = [&](const Toolchain& one) {
      return one.identity == entry.toolchainIdentity && one.name == entry.toolchainName &&
             one.language == entry.request.language;
    };
    if (std::ranges::none_of(index_.toolchains, isBy)) {
      return problem("an entry in " + what + " is by '" + entry.toolchainName +
                     "', of which the index says something else; build the bundle anew");
    }
  }
  return Verified{std::move(*kernel), found->second};
}

Warmed<void> Warming::addKernel(Verified verified) {
  auto& entries = verified.kernel.entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& said = verified.said->entries[i];
    const auto entry = bundle::entryIn(record_.domain, entries[i], said, record_.warmedAt);
    auto added = intake_->add(entry, entries[i].request);
    if (!added) return problem("the store failed: " + added.error().message);
  }
  return {};
}

Warmed<BundleRecord> Warming::commit() {
  std::lock_guard lock(mutex_);
  if (isCommitted_) return problem("the bundle is complete already");
  if (added_.size() != byLayer_.size()) {
    return problem(std::to_string(byLayer_.size() - added_.size()) + " of its " +
                   std::to_string(byLayer_.size()) + " layers have not come; bring it in once more");
  }
  auto committed = intake_->commit();
  if (!committed) return problem("the store failed: " + committed.error().message);
  isCommitted_ = true;
  return record_;
}

void Warming::letGo() {
  std::lock_guard lock(mutex_);
  intake_.reset();
}

}  // namespace kiln
