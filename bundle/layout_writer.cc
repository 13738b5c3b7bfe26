#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"
#include "bundle/layout_json.h"
#include "bundle/oci_layout.h"
#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

std::unexpected<BundleError> refused(const std::filesystem::path& path, const Problem& problem) {
  return std::unexpected(BundleError{"cannot write the OCI layout " + path.string() + ": " + problem.text});
}

}  // namespace

LayoutWriter::LayoutWriter(std::filesystem::path path, std::unique_ptr<LayoutTarget> target)
    : path_(std::move(path)), target_(std::move(target)) {}

LayoutWriter::~LayoutWriter() = default;

BundleResult<std::unique_ptr<LayoutWriter>> LayoutWriter::create(const std::filesystem::path& path,
                                                                 LayoutForm form) {
  // "out/" means out.
  auto place = path.has_filename() ? path : path.parent_path();
  auto target = form == LayoutForm::directory ? createDirectory(place) : createArchive(place);
  if (!target) return refused(path, target.error());
  return std::unique_ptr<LayoutWriter>(new LayoutWriter(place, *std::move(target)));
}

BundleResult<Descriptor> LayoutWriter::add(std::string_view mediaType, std::string_view bytes) {
  if (bytes.size() > kMaxBlobSize) {
    return refused(path_, {"a blob has more than 4 GiB; divide it or leave it out"});
  }
  Descriptor blob{.mediaType = std::string(mediaType), .digest = sha256(bytes), .size = bytes.size()};
  if (sizes_.contains(blob.digest)) return blob;
  if (auto added = target_->addBlob(blob.digest, bytes); !added) return refused(path_, added.error());
  sizes_.emplace(blob.digest, blob.size);
  return blob;
}

BundleResult<Sha256> LayoutWriter::finish(const ImageManifest& manifest) {
  auto isAdded = [&](const Descriptor& blob) {
    auto added = sizes_.find(blob.digest);
    return added != sizes_.end() && added->second == blob.size;
  };
  for (const auto& layer : manifest.layers) {
    if (!isAdded(layer)) return refused(path_, {blobName(layer.digest) + " was not added; add it first"});
  }
  if (!isAdded(manifest.config)) return refused(path_, {"its config was not added; add it first"});
  auto text = printManifest(manifest);
  if (!text) return refused(path_, text.error());
  auto blob = add(kManifestMediaType, *text);
  if (!blob) return std::unexpected(blob.error());
  // With the two documents, and the folders that other tools' archives have.
  if (sizes_.size() + 5 > kMaxMembers) return refused(path_, {"it has more than 1000000 blobs; divide it"});
  auto finished = target_->finish(printLayout(), printIndex(*blob, manifest.artifactType));
  if (!finished) return refused(path_, finished.error());
  return blob->digest;
}

}  // namespace kiln::bundle
