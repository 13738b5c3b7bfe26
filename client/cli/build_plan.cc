#include "client/cli/build_plan.h"

#include <algorithm>
#include <set>

#include "client/cli/printable_text.h"

namespace kiln::cli {
namespace {

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

// In order, each once.
class TargetsOfKernel {
 public:
  explicit TargetsOfKernel(const bundle::LockedKernel& kernel) : vendors_(bundle::vendorsOf(kernel)) {
    for (const auto& text : kernel.targets) {
      if (auto target = parseTarget(text)) recorded_.push_back(std::move(*target));
    }
  }

  std::vector<Target> among(const std::vector<Target>& wanted) {
    if (wanted.empty()) return recorded_;
    const bool isVirtualAlone = std::ranges::all_of(recorded_, isVirtual);
    for (const auto& target : wanted) {
      if (!holdsVendor(target)) continue;
      if (!isVirtualAlone || isVirtual(target)) add(target);
      if (bundle::vendorOf(target) != bundle::Vendor::nvidia) continue;
      for (const auto& one : recorded_) {
        if (isVirtual(one)) add(one);
      }
    }
    return std::move(chosen_);
  }

 private:
  static bool isVirtual(const Target& target) { return target.kind == Target::Kind::nvidiaVirtual; }
  [[nodiscard]] bool holdsVendor(const Target& target) const {
    return std::ranges::find(vendors_, bundle::vendorOf(target)) != vendors_.end();
  }
  void add(const Target& target) {
    if (std::ranges::find(chosen_, target) == chosen_.end()) chosen_.push_back(target);
  }

  std::vector<bundle::Vendor> vendors_;
  std::vector<Target> recorded_;
  std::vector<Target> chosen_;
};

std::string noTarget(const bundle::LockedKernel& kernel) {
  std::string vendors;
  for (const auto vendor : bundle::vendorsOf(kernel)) {
    vendors += (vendors.empty() ? "" : " and ") + std::string(bundle::name(vendor));
  }
  return "it is for " + vendors + ", and no --target is";
}

std::vector<std::string> toolchainsFor(const bundle::LockedKernel& kernel,
                                       const std::vector<std::string>& wanted, const ToolchainList& known) {
  if (wanted.empty()) return {kernel.toolchain};
  std::vector<std::string> chosen;
  for (const auto& name : wanted) {
    if (chooseToolchain(known, kernel.language, name) != nullptr) chosen.push_back(name);
  }
  return chosen;
}

bool isKnown(const ToolchainList& known, const std::string& name) {
  return std::ranges::any_of(known, [&](const auto& one) {
    return one->problem.empty() && (one->name == name || one->frontend == name);
  });
}

}  // namespace

std::expected<BuildPlan, std::string> planBuild(const bundle::Lock& lock, const std::vector<Target>& targets,
                                                const std::vector<std::string>& toolchains,
                                                const ToolchainList& known) {
  for (const auto& name : toolchains) {
    if (isKnown(known, name)) continue;
    std::string usable;
    for (const auto& one : known) {
      if (one->problem.empty()) usable += (usable.empty() ? "" : ", ") + one->name;
    }
    return std::unexpected("there is no toolchain '" + name +
                           "'; there are: " + (usable.empty() ? "none" : usable));
  }
  BuildPlan plan;
  for (const auto& kernel : lock.kernels) {
    const auto ofKernel = TargetsOfKernel(kernel).among(targets);
    const auto by = toolchainsFor(kernel, toolchains, known);
    if (ofKernel.empty()) plan.unplanned.push_back({kernel.name, noTarget(kernel)});
    if (by.empty()) {
      plan.unplanned.push_back(
          {kernel.name, "it is " + std::string(name(kernel.language)) + ", and no --toolchain is for that"});
    }
    for (const auto& target : ofKernel) {
      for (const auto& toolchain : by) plan.tasks.push_back({&kernel, target, toolchain});
    }
  }
  return plan;
}

std::string whyEmpty(const BuildPlan& plan, const bundle::Lock& lock) {
  if (!plan.tasks.empty()) return {};
  if (!plan.unplanned.empty()) {
    const auto& one = plan.unplanned.front();
    return "none of its kernels is asked for: of '" + onOneLine(one.kernel) + "', " + one.reason +
           "; give another --target or --toolchain, or none";
  }
  if (lock.uncaptured.empty())
    return "it has no kernels; record the application anew, with kilnd to serve it";
  const auto& one = lock.uncaptured.front();
  return "it has nothing but what could not be captured: '" + onOneLine(one.name) + "', " +
         onOneLine(one.reason) + "; record the application anew";
}

bool isExpectedToFail(const BuildTask& task) {
  const auto& kernel = *task.kernel;
  if (holds(kernel.targets, task.target.name)) return holds(kernel.failsFor, task.target.name);
  const auto vendor = bundle::vendorOf(task.target);
  bool hasFailed = false;
  for (const auto& text : kernel.targets) {
    const auto target = parseTarget(text);
    if (!target || bundle::vendorOf(*target) != vendor) continue;
    if (!holds(kernel.failsFor, text)) return false;
    hasFailed = true;
  }
  return hasFailed;
}

const Failure* unexpectedFailure(const BuildTask& task, std::span<const bundle::BundledEntry> entries) {
  if (isExpectedToFail(task)) return nullptr;
  for (const auto& entry : entries) {
    if (const auto* failure = std::get_if<Failure>(&entry.result)) return failure;
  }
  return nullptr;
}

}  // namespace kiln::cli
