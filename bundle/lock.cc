#include "bundle/lock.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

// As FieldHasher frames fields (jit/hash.h), for SHA-256.
class IdentityHasher {
 public:
  void add(std::string_view text) {
    add(text.size());
    hasher_.add(asBytes(text));
  }
  void add(std::uint64_t number) {
    const auto bytes = littleEndian(number);
    hasher_.add(std::as_bytes(std::span(bytes)));
  }
  void add(const std::vector<std::string>& texts) {
    add(texts.size());
    for (const auto& text : texts) add(std::string_view(text));
  }
  void add(const std::vector<LockedText>& texts) {
    add(texts.size());
    for (const auto& text : texts) {
      add(std::string_view(text.name));
      hasher_.add(text.sha256.view());
    }
  }
  void add(const Sha256& digest) { hasher_.add(digest.view()); }
  Sha256 finish() { return hasher_.finish(); }

 private:
  Sha256Hasher hasher_;
};

std::vector<std::string> united(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::set<std::string> all(a.begin(), a.end());
  all.insert(b.begin(), b.end());
  return {all.begin(), all.end()};
}

// What one place is known by: a file can be read, and asked whether it is there.
using Place = std::pair<RolePath, FileKind>;

// Which number a file of `b` has in the numbering of `a`, by a place that both have.
std::map<std::uint32_t, std::uint32_t> sharedNumbers(const std::map<Place, Dependency>& a,
                                                     const DependencySet& b) {
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (const auto& dependency : b) {
    const auto found = a.find({dependency.path, dependency.kind});
    if (found != a.end()) numbers.emplace(dependency.fileNumber, found->second.fileNumber);
  }
  return numbers;
}

// Of two recordings that differ in a file the one with the lower digest is kept, so that the order does not
// matter; `conflict` is then the path.
DependencySet united(const DependencySet& a, const DependencySet& b, std::string& conflict) {
  std::map<Place, Dependency> all;
  std::uint32_t last = 0;
  for (const auto& dependency : a) {
    all.emplace(Place(dependency.path, dependency.kind), dependency);
    last = std::max(last, dependency.fileNumber);
  }
  auto numbers = sharedNumbers(all, b);
  for (auto dependency : b) {
    if (dependency.fileNumber != 0) {
      const auto [number, isNew] = numbers.try_emplace(dependency.fileNumber, last + 1);
      if (isNew) ++last;
      dependency.fileNumber = number->second;
    }
    auto [at, isNew] = all.try_emplace(Place(dependency.path, dependency.kind), dependency);
    if (isNew || at->second.sha256 == dependency.sha256) continue;
    conflict = describe(dependency.path);
    if (dependency.sha256 < at->second.sha256) at->second = dependency;
  }
  DependencySet result;
  for (auto& [place, dependency] : all) result.push_back(std::move(dependency));
  return normalised(std::move(result));
}

}  // namespace

Sha256 identityOf(const LockedKernel& kernel) {
  IdentityHasher hasher;
  hasher.add(static_cast<std::uint64_t>(kernel.language));
  hasher.add(std::string_view(kernel.toolchain));
  hasher.add(std::string_view(kernel.names.source));
  hasher.add(std::string_view(kernel.names.workingDirectory));
  hasher.add(std::string_view(kernel.names.temporaryDirectory));
  hasher.add(kernel.names.includeDirectories);
  hasher.add(kernel.source);
  hasher.add(kernel.headers);
  hasher.add(kernel.inputs);
  hasher.add(kernel.options);
  hasher.add(kernel.nameExpressions);
  hasher.add(kernel.outputs.size());
  for (const auto kind : kernel.outputs) hasher.add(static_cast<std::uint64_t>(kind));
  hasher.add(std::string_view(kernel.virtualArchitecture));
  hasher.add(kernel.timestamp);
  return hasher.finish();
}

Lock merged(std::vector<Lock> locks) {
  std::map<Sha256, LockedKernel> kernels;
  std::set<Uncaptured> uncaptured;
  for (auto& lock : locks) {
    uncaptured.insert(lock.uncaptured.begin(), lock.uncaptured.end());
    for (auto& kernel : lock.kernels) {
      const auto identity = identityOf(kernel);
      auto [at, isNew] = kernels.try_emplace(identity, kernel);
      if (isNew) continue;
      auto& known = at->second;
      // A binary for a processor does not tell its kernels: the name that tells more is the one.
      const auto rank = [](const std::string& text) {
        return std::make_pair(-static_cast<int>(text.size()), text);
      };
      known.name =
          std::min(known.name, kernel.name, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
      known.targets = united(known.targets, kernel.targets);
      known.failsFor = united(known.failsFor, kernel.failsFor);
      known.toolchains = united(known.toolchains, kernel.toolchains);
      std::string conflict;
      known.files = united(known.files, kernel.files, conflict);
      if (!conflict.empty()) {
        uncaptured.insert(
            {known.name, "'" + conflict + "' was recorded with two contents; one of them is kept"});
      }
    }
  }
  Lock lock;
  std::vector<std::pair<Sha256, LockedKernel>> sorted;
  for (auto& [identity, kernel] : kernels) sorted.emplace_back(identity, std::move(kernel));
  std::ranges::stable_sort(sorted, {}, [](const auto& one) -> const std::string& { return one.second.name; });
  for (auto& [identity, kernel] : sorted) lock.kernels.push_back(std::move(kernel));
  lock.uncaptured.assign(uncaptured.begin(), uncaptured.end());
  return lock;
}

std::set<Sha256> contentsOf(const Lock& lock) {
  std::set<Sha256> digests;
  for (const auto& kernel : lock.kernels) {
    digests.insert(kernel.source);
    for (const auto& header : kernel.headers) digests.insert(header.sha256);
    for (const auto& input : kernel.inputs) digests.insert(input.sha256);
    for (const auto& file : kernel.files) {
      if (!file.sha256.isZero()) digests.insert(file.sha256);
    }
  }
  return digests;
}

Vendor vendorOf(const Target& target) {
  switch (target.kind) {
    case Target::Kind::amd:
      return Vendor::amd;
    case Target::Kind::host:
      return Vendor::host;
    default:
      return Vendor::nvidia;
  }
}

std::string_view name(Vendor vendor) {
  constexpr std::array<std::string_view, 3> kNames = {"NVIDIA", "AMD", "the host"};
  return kNames[static_cast<std::size_t>(vendor)];
}

std::vector<Vendor> vendorsOf(const LockedKernel& kernel) {
  std::set<Vendor> vendors;
  for (const auto& text : kernel.targets) {
    if (auto target = parseTarget(text)) vendors.insert(vendorOf(*target));
  }
  return {vendors.begin(), vendors.end()};
}

}  // namespace kiln::bundle
