// A bundle that a client brings, on its way into the store (rpc/schema/kiln.capnp Warming).
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bundle/bundle_index.h"
#include "jit/store.h"

namespace kiln {

// Why a bundle is not brought in, for a person.
struct WarmingProblem {
  std::string message;
};
template <typename T>
using Warmed = std::expected<T, WarmingProblem>;

// The bundle as its client describes it.
struct OfferedBundle {
  std::string domain;
  std::string name;           // what its file is called
  std::string_view manifest;  // of its OCI image, byte for byte: its digest names the bundle
  std::string_view index;     // the image's config
};

// The same, checked.
struct DescribedBundle {
  BundleRecord record;  // without the numbers that the store fills in
  bundle::BundleIndex index;
};
Warmed<DescribedBundle> describe(const OfferedBundle& offered);

// Nothing is taken on a client's word: the index and each layer have the digest that the manifest says, and a
// layer holds what the index says of it. Thread-safe; every call blocks.
class Warming {
 public:
  // Nothing of the bundle is there yet, or not all of it.
  static Warmed<std::unique_ptr<Warming>> begin(Store& store, DescribedBundle described);

  // Layers of the bundle, in whatever order. One that was added before is passed over.
  Warmed<void> add(const std::vector<std::string_view>& layers);
  // The last call. All layers have been added: then the bundle is there, durably.
  Warmed<BundleRecord> commit();
  // Frees what the store took to bring the bundle in, once it is there.
  void letGo();

 private:
  Warming(BundleRecord record, bundle::BundleIndex index, std::unique_ptr<BundleIntake> intake);

  // What a layer holds, and what the index says of it, which is the same.
  struct Verified {
    bundle::BundledKernel kernel;
    const bundle::IndexedKernel* said;
  };

  Warmed<Verified> verified(std::string_view layer) const;
  Warmed<void> addKernel(Verified verified);

  BundleRecord record_;
  const bundle::BundleIndex index_;
  std::unordered_map<Sha256, const bundle::IndexedKernel*> byLayer_;
  std::mutex mutex_;  // over what follows
  std::unordered_set<Sha256> added_;
  bool isCommitted_ = false;
  std::unique_ptr<BundleIntake> intake_;
};

}  // namespace kiln
