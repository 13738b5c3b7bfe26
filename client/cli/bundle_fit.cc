#include "client/cli/bundle_fit.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "bundle/lock.h"
#include "client/node_gpus.h"

namespace kiln::cli {
namespace {

template <typename Texts>
std::string listed(const Texts& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + text;
  return list;
}

// The targets of entries, by vendor.
std::map<bundle::Vendor, std::vector<Target>> targetsOf(const bundle::BundleIndex& index) {
  std::set<std::string> names;
  for (const auto& kernel : index.kernels) {
    for (const auto& entry : kernel.entries) names.insert(entry.target);
  }
  std::map<bundle::Vendor, std::vector<Target>> targets;
  for (const auto& text : names) {
    if (auto target = parseTarget(text)) targets[bundle::vendorOf(*target)].push_back(std::move(*target));
  }
  return targets;
}

std::set<std::string> shortNamesOf(const std::vector<Target>& targets) {
  std::set<std::string> names;
  for (const auto& target : targets) names.insert(shortName(target));
  return names;
}

// What is for a level of processors and no more runs on all of that level and of higher ones.
bool isForHost(const Target& target, const NodeSide& node) {
  const auto parts = partsOf(target);
  const bool isLevel = parts.processor.starts_with("x86-64") && parts.features.empty();
  return target == node.host || (isLevel && parts.processor <= node.hostLevel);
}

// What a bundle has for one vendor, and what the node has of it.
class VendorFit {
 public:
  VendorFit(bundle::Vendor vendor, const std::vector<Target>& targets, const NodeSide& node)
      : vendor_(vendor), targets_(targets), node_(node) {
    for (const auto& gpu : node.gpus) {
      if (bundle::vendorOf(gpu) == vendor) gpus_.push_back(gpu);
    }
  }

  [[nodiscard]] std::vector<Target> fitting() const {
    std::vector<Target> fitting;
    std::ranges::copy_if(targets_, std::back_inserter(fitting),
                         [&](const Target& target) { return fits(target); });
    return fitting;
  }

  // Empty if there is nothing to say.
  [[nodiscard]] std::string note() const {
    const auto names = listed(shortNamesOf(targets_));
    const auto vendor = std::string(bundle::name(vendor_));
    if (vendor_ != bundle::Vendor::host && gpus_.empty()) {
      return "this node shows no GPU for what is for " + vendor + " (" + names +
             "), so that nothing tells whether that fits";
    }
    if (!fitting().empty()) return {};
    const auto here = vendor_ == bundle::Vendor::host ? shortName(node_.host) : listed(shortNamesOf(gpus_));
    const auto wanted = vendor_ == bundle::Vendor::host ? "host on such a machine" : here;
    return "nothing that it has for " + vendor + " (" + names + ") runs on this node, which is " + here +
           "; build it with --target " + wanted;
  }

 private:
  [[nodiscard]] bool fits(const Target& target) const {
    if (vendor_ == bundle::Vendor::host) return isForHost(target, node_);
    return std::ranges::any_of(gpus_, [&](const Target& gpu) { return client::runsOn(target, gpu); });
  }

  const bundle::Vendor vendor_;
  const std::vector<Target>& targets_;
  const NodeSide& node_;
  std::vector<Target> gpus_;
};

bool isUsableHere(const client::ToolchainReply& reply) {
  return !reply.isFromBundle && reply.toolchain.problem.empty();
}

// Why requests on an open socket may not find what `toolchain` has compiled; empty if they do.
std::string toolchainNote(const Toolchain& toolchain, std::uint64_t entries, const NodeSide& node) {
  std::string ofLanguage;
  bool hasName = false;
  for (const auto& known : node.toolchains) {
    if (!isUsableHere(known) || known.toolchain.language != toolchain.language) continue;
    if (known.toolchain.identity == toolchain.identity) return {};
    hasName = hasName || known.toolchain.name == toolchain.name;
    ofLanguage += (ofLanguage.empty() ? "" : ", ") + known.toolchain.name;
  }
  if (ofLanguage.empty()) return {};
  const auto what = std::to_string(entries) + (entries == 1 ? " entry is by " : " entries are by ");
  if (hasName) {
    return what + "another build of " + toolchain.name + " (identity " +
           toolchain.identity.hex().substr(0, 12) +
           ") than this node has: open sockets compile with the node's own and do not find them; a locked "
           "one does";
  }
  return what + toolchain.name +
         ", which this node does not have: open sockets find them for requests that name "
         "it, and compile others with " +
         ofLanguage + "; a locked one finds them for all";
}

}  // namespace

BundleFit fitOf(const bundle::BundleIndex& index, const NodeSide& node) {
  BundleFit fit;
  std::set<std::string> fitting;
  for (const auto& [vendor, targets] : targetsOf(index)) {
    const VendorFit ofVendor(vendor, targets, node);
    fitting.merge(shortNamesOf(ofVendor.fitting()));
    if (auto note = ofVendor.note(); !note.empty()) fit.notes.push_back(std::move(note));
  }
  fit.targets.emplace(fitting.begin(), fitting.end());
  if (node.isLocked) return fit;
  std::map<Sha256, std::uint64_t> entries;
  for (const auto& kernel : index.kernels) {
    for (const auto& entry : kernel.entries) ++entries[entry.toolchain];
  }
  for (const auto& toolchain : index.toolchains) {
    auto note = toolchainNote(toolchain, entries[toolchain.identity], node);
    if (!note.empty()) fit.notes.push_back(std::move(note));
  }
  return fit;
}

}  // namespace kiln::cli
