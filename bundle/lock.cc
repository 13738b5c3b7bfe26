#include "bundle/lock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <tuple>
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

// ---- the files of one kernel, as several recordings tell of them

// What one place is known by: a file can be read, and asked whether it is there.
using Place = std::pair<RolePath, FileKind>;

// What is at a path if a question by this kind found it; nothing of a link, which may lead anywhere or
// nowhere.
std::optional<FileKind> natureOf(FileKind kind) {
  if (kind == FileKind::listing) return FileKind::directory;
  if (kind == FileKind::link || kind == FileKind::resolved) return std::nullopt;
  return kind;
}

// Of two natures the one that is kept: what is there, and a file of that.
int rankOf(FileKind nature) {
  switch (nature) {
    case FileKind::file:
      return 0;
    case FileKind::directory:
      return 1;
    case FileKind::other:
      return 2;
    default:
      return 3;
  }
}

// Paths that some recording has as one file.
class SameFiles {
 public:
  void join(const std::string& a, const std::string& b) {
    auto root = rootOf(b);
    parents_[rootOf(a)] = std::move(root);
  }
  [[nodiscard]] std::string rootOf(std::string path) const {
    for (auto at = parents_.find(path); at != parents_.end() && at->second != path; at = parents_.find(path))
      path = at->second;
    return path;
  }

 private:
  std::map<std::string, std::string> parents_;
};

// Puts together what the recordings of one kernel tell of its files. Nothing in here hangs on their order.
class FileUnion {
 public:
  // `names`: what all of them resolve paths with.
  explicit FileUnion(const Names& names) : directories_(roleDirectories(names)) {}

  void add(DependencySet files) { sets_.push_back(std::move(files)); }

  DependencySet finish() {
    keepOneContentEach();
    keepOneNatureEach();
    dropAbsentAbovePresent();
    numberFiles();
    DependencySet result;
    for (auto& [place, file] : files_) result.push_back(std::move(file));
    return normalised(std::move(result));
  }

  // What was told in two ways, a sentence each.
  [[nodiscard]] const std::set<std::string>& conflicts() const { return conflicts_; }

 private:
  void conflict(const RolePath& path, std::string_view how) {
    conflicts_.insert("'" + describe(path) + "' was recorded " + std::string(how));
  }
  [[nodiscard]] std::string absolute(const RolePath& path) const { return resolve(path, directories_); }

  void keepOneContentEach() {
    using Content = std::pair<Sha256, std::uint64_t>;
    std::map<std::pair<std::string, FileKind>, std::set<Content>> contents;
    for (const auto& set : sets_) {
      for (const auto& file : set) {
        files_.emplace(Place(file.path, file.kind), file);
        contents[{absolute(file.path), file.kind}].emplace(file.sha256, file.size);
      }
    }
    for (auto& [place, file] : files_) {
      const auto& all = contents.at({absolute(file.path), file.kind});
      std::tie(file.sha256, file.size) = *all.begin();
      if (all.size() > 1) conflict(file.path, "with two contents; one of them is kept");
    }
  }

  void keepOneNatureEach() {
    std::map<std::string, FileKind> kept;
    for (const auto& [place, file] : files_) {
      const auto nature = natureOf(place.second);
      if (!nature) continue;
      auto& known = kept.try_emplace(absolute(place.first), *nature).first->second;
      if (rankOf(*nature) < rankOf(known)) known = *nature;
    }
    std::erase_if(files_, [&](const auto& one) {
      const auto& [path, kind] = one.first;
      const auto nature = natureOf(kind);
      if (!nature || kept.at(absolute(path)) == *nature) return false;
      conflict(path, kind == FileKind::absent ? "both as there and as not there; it is kept as there"
                                              : "as things of two kinds; one of them is kept");
      return true;
    });
  }

  void dropAbsentAbovePresent() {
    std::set<std::string> above;
    for (const auto& [place, file] : files_) {
      if (place.second == FileKind::absent) continue;
      const auto path = absolute(place.first);
      for (auto end = path.rfind('/'); end != std::string::npos && end > 0; end = path.rfind('/', end - 1)) {
        if (!above.insert(path.substr(0, end)).second) break;
      }
    }
    std::erase_if(files_, [&](const auto& one) {
      const auto& [path, kind] = one.first;
      if (kind != FileKind::absent || !above.contains(absolute(path))) return false;
      conflict(path, "both as not there and with something in it; it is kept as there");
      return true;
    });
  }

  // Files are one if one recording has them as one, and then have one content.
  void numberFiles() {
    SameFiles same;
    for (const auto& set : sets_) {
      std::map<std::uint32_t, std::string> first;
      for (const auto& file : set) {
        if (file.kind != FileKind::file) continue;
        const auto path = absolute(file.path);
        same.join(path, first.try_emplace(file.fileNumber, path).first->second);
      }
    }
    for (const auto& set : sets_) nameThoseThatWereTwo(set, same);
    std::map<std::pair<std::string, Sha256>, std::uint32_t> numbers;
    for (auto& [place, file] : files_) {
      if (file.kind != FileKind::file) continue;
      const auto next = static_cast<std::uint32_t>(numbers.size() + 1);
      file.fileNumber =
          numbers.try_emplace({same.rootOf(absolute(file.path)), file.sha256}, next).first->second;
    }
  }

  // Those of `set` that another has as one.
  void nameThoseThatWereTwo(const DependencySet& set, const SameFiles& same) {
    std::map<std::string, std::set<std::uint32_t>> numbers;
    for (const auto& file : set) {
      if (file.kind == FileKind::file) numbers[same.rootOf(absolute(file.path))].insert(file.fileNumber);
    }
    for (const auto& file : set) {
      if (file.kind == FileKind::file && numbers.at(same.rootOf(absolute(file.path))).size() > 1) {
        conflict(file.path, "both as one file with another and as a copy of it; it is kept as one");
      }
    }
  }

  const std::vector<RoleDirectory> directories_;
  std::vector<DependencySet> sets_;
  std::map<Place, Dependency> files_;
  std::set<std::string> conflicts_;
};

// ---- kernels

// A binary for a processor does not tell its kernels: the name that tells more is the one.
bool tellsMore(const std::string& a, const std::string& b) {
  return std::make_pair(-static_cast<std::ptrdiff_t>(a.size()), std::string_view(a)) <
         std::make_pair(-static_cast<std::ptrdiff_t>(b.size()), std::string_view(b));
}

// The recordings of one kernel.
class KernelUnion {
 public:
  void add(LockedKernel kernel) {
    if (!kernel_) {
      files_.emplace(kernel.names);
      files_->add(std::move(kernel.files));
      kernel_ = std::move(kernel);
      return;
    }
    if (tellsMore(kernel.name, kernel_->name)) kernel_->name = std::move(kernel.name);
    kernel_->targets = united(kernel_->targets, kernel.targets);
    kernel_->failsFor = united(kernel_->failsFor, kernel.failsFor);
    kernel_->toolchains = united(kernel_->toolchains, kernel.toolchains);
    for (std::size_t i = 0; i < kernel_->inputs.size(); ++i) {
      kernel_->inputs[i].name = std::min(kernel_->inputs[i].name, kernel.inputs[i].name);
      kernel_->names.inputs[i] = kernel_->inputs[i].name;
    }
    files_->add(std::move(kernel.files));
  }

  // Conflicts go to `uncaptured`, under the name that the kernel has in the end.
  LockedKernel finish(std::set<Uncaptured>& uncaptured) {
    kernel_->files = files_->finish();
    for (const auto& one : files_->conflicts()) uncaptured.insert({kernel_->name, one});
    return *std::move(kernel_);
  }

 private:
  std::optional<LockedKernel> kernel_;
  std::optional<FileUnion> files_;
};

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
  hasher.add(kernel.inputs.size());
  for (const auto& input : kernel.inputs) hasher.add(input.sha256);
  hasher.add(kernel.options);
  hasher.add(kernel.nameExpressions);
  hasher.add(kernel.outputs.size());
  for (const auto kind : kernel.outputs) hasher.add(static_cast<std::uint64_t>(kind));
  hasher.add(std::string_view(kernel.virtualArchitecture));
  hasher.add(kernel.timestamp);
  return hasher.finish();
}

Lock merged(std::vector<Lock> locks) {
  std::map<Sha256, KernelUnion> unions;
  std::set<Uncaptured> uncaptured;
  for (auto& lock : locks) {
    uncaptured.insert(lock.uncaptured.begin(), lock.uncaptured.end());
    for (auto& kernel : lock.kernels) {
      const auto identity = identityOf(kernel);
      unions[identity].add(std::move(kernel));
    }
  }
  Lock lock;
  for (auto& [identity, kernel] : unions) lock.kernels.push_back(kernel.finish(uncaptured));
  std::ranges::stable_sort(lock.kernels, {}, &LockedKernel::name);
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
