// A bundle that a client brings, on its way into the store (rpc/schema/kiln.capnp Warming).
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
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
  std::string name;      // what its file is called
  std::string manifest;  // of its OCI image, byte for byte: its digest names the bundle
  std::string index;     // the image's config
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
  Warmed<void> add(const std::vector<std::string>& layers);
  // The last call. All layers have been added: then the bundle is there, durably.
  Warmed<BundleRecord> commit();

 private:
  Warming(BundleRecord record, bundle::BundleIndex index, std::unique_ptr<BundleIntake> intake);

  Warmed<const bundle::IndexedKernel*> kernelOf(const Sha256& layer) const;
  Warmed<bundle::BundledKernel> verified(const std::string& layer, const Sha256& digest) const;
  Warmed<void> addKernel(bundle::BundledKernel kernel);

  BundleRecord record_;
  const bundle::BundleIndex index_;
  std::map<Sha256, const bundle::IndexedKernel*> byLayer_;
  std::mutex mutex_;  // over what follows
  std::set<Sha256> added_;
  std::unique_ptr<BundleIntake> intake_;
};

}  // namespace kiln
