// Bundles on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/bundle_index.h"
#include "bundle/oci_layout.h"

namespace kiln::bundle {

// A bundle whose index was not looked into yet.
class UnparsedBundle {
 public:
  // The layout at `path`. Blocks on the disk.
  static BundleResult<UnparsedBundle> open(const std::filesystem::path& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::shared_ptr<const LayoutReader>& layout() const { return layout_; }
  // The bytes of the index with whatever SHA-256, for who hands them to one that verifies them.
  [[nodiscard]] const std::string& unverifiedIndex() const { return index_; }

 private:
  UnparsedBundle(std::string path, std::shared_ptr<const LayoutReader> layout, std::string index)
      : path_(std::move(path)), layout_(std::move(layout)), index_(std::move(index)) {}

  std::string path_;
  std::shared_ptr<const LayoutReader> layout_;
  std::string index_;
};

// A bundle that is read. Threads may read kernels at the same time; blocks on the disk.
class BundleFile {
 public:
  // The layout at `path` and its index, both verified.
  static BundleResult<BundleFile> open(const std::filesystem::path& path);
  // The second half of open(), which verifies the index and does not read the disk.
  static BundleResult<BundleFile> parse(const UnparsedBundle& bundle);

  [[nodiscard]] const LayoutReader& layout() const { return *layout_; }
  [[nodiscard]] const BundleIndex& index() const { return index_; }
  // A kernel of the index. What its layer holds is checked against what the index says of it.
  [[nodiscard]] BundleResult<BundledKernel> read(const IndexedKernel& kernel) const;

 private:
  BundleFile(std::string path, std::shared_ptr<const LayoutReader> layout, BundleIndex index)
      : path_(std::move(path)), layout_(std::move(layout)), index_(std::move(index)) {}

  std::string path_;
  std::shared_ptr<const LayoutReader> layout_;
  BundleIndex index_;
};

// The form that a path asks for: a directory where it is one or ends in '/', else an archive.
LayoutForm formOf(const std::filesystem::path& path);

// Whether writeBundle() could begin: what is at `path`, and the directory that it lies in. Leaves nothing
// behind.
BundleResult<void> checkBundleWritable(const std::filesystem::path& path);

// Puts kernels together that are one, sorts what has an order, and writes the bundle; its digest. Of
// `toolchains` those are in the index by which an entry is; an entry by none of them is an error. `index`
// becomes what was written. Equal kernels give equal bytes, whatever their order.
BundleResult<Sha256> writeBundle(const std::filesystem::path& path, std::vector<BundledKernel> kernels,
                                 const std::vector<Toolchain>& toolchains, BundleIndex& index);

}  // namespace kiln::bundle
