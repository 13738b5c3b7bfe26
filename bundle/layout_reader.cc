#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"
#include "bundle/layout_json.h"
#include "bundle/oci_layout.h"
#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

// An image that index.json names.
struct Image {
  Sha256 digest;
  std::string bytes;
  ImageManifest manifest;
};

Attempt<std::unique_ptr<LayoutSource>> openSource(const std::filesystem::path& path) {
  // Without O_NONBLOCK a FIFO would keep it waiting.
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (!file.isOpen() || fstat(file.number(), &status) != 0) return cannot("open", "it", errno);
  if (S_ISDIR(status.st_mode)) return openDirectory(std::move(file));
  if (S_ISREG(status.st_mode)) return openArchive(std::move(file));
  return problem("it is neither a directory nor a file; give an OCI layout or a tar of one");
}

Attempt<std::string> readSized(const LayoutSource& source, const Descriptor& blob) {
  if (blob.size > kMaxBlobSize) return problem(blobName(blob.digest) + " has more than 4 GiB; leave it out");
  return source.blob(blob.digest, blob.size);
}

Attempt<std::string> readVerified(const LayoutSource& source, const Descriptor& blob) {
  auto bytes = readSized(source, blob);
  if (bytes && sha256(*bytes) != blob.digest) {
    return damaged(blobName(blob.digest) + " has other bytes than its digest says");
  }
  return bytes;
}

Attempt<std::vector<Descriptor>> readIndex(const LayoutSource& source) {
  auto layout = source.document(kLayoutName);
  if (!layout) return std::unexpected(layout.error());
  if (auto known = checkLayout(*layout); !known) return std::unexpected(known.error());
  auto index = source.document(kIndexName);
  if (!index) return std::unexpected(index.error());
  return parseIndex(*index);
}

// Every image once: a layout may name one by several tags. Together their manifests are no larger than one
// may be, so that a small index.json cannot cause much reading.
Attempt<std::vector<Image>> readImages(const LayoutSource& source) {
  auto index = readIndex(source);
  if (!index) return std::unexpected(index.error());
  std::vector<Image> images;
  std::set<Sha256> seen;
  std::uint64_t total = 0;
  for (const auto& descriptor : *index) {
    if (descriptor.mediaType != kManifestMediaType || !seen.insert(descriptor.digest).second) continue;
    total += descriptor.size;
    if (total > kMaxDocumentSize)
      return problem("its manifests have more than 64 MiB; give a smaller layout");
    auto text = readVerified(source, descriptor);
    if (!text) return std::unexpected(text.error());
    auto manifest = parseManifest(*text);
    if (!manifest) return std::unexpected(manifest.error());
    images.push_back({descriptor.digest, *std::move(text), *std::move(manifest)});
  }
  return images;
}

std::unexpected<Problem> severalImages(std::size_t count, const std::string& which) {
  return problem("it holds " + std::to_string(count) + " images" + which +
                 "; copy the one that is meant into a layout of its own, as with skopeo copy");
}

Attempt<Image> choose(std::vector<Image> images, const std::optional<std::string>& artifactType) {
  if (images.empty()) return problem("its index.json names no OCI image manifest; check what made it");
  if (!artifactType) {
    if (images.size() > 1) return severalImages(images.size(), "");
    return std::move(images.front());
  }
  auto another = images.front().manifest.artifactType;
  std::erase_if(images, [&](const Image& image) { return image.manifest.artifactType != *artifactType; });
  if (images.empty()) {
    return problem("it holds no image of the artifact type " + printable(*artifactType) + " but one of " +
                   (another.empty() ? "none" : printable(another)) + "; give the one that is meant");
  }
  if (images.size() > 1) {
    return severalImages(images.size(), " of the artifact type " + printable(*artifactType));
  }
  return std::move(images.front());
}

std::unexpected<BundleError> refused(const std::filesystem::path& path, const Problem& problem) {
  return std::unexpected(BundleError{"cannot read the OCI layout " + path.string() + ": " + problem.text});
}

}  // namespace

LayoutReader::LayoutReader(std::filesystem::path path, std::unique_ptr<LayoutSource> source)
    : path_(std::move(path)), source_(std::move(source)) {}

LayoutReader::~LayoutReader() = default;

BundleResult<std::unique_ptr<LayoutReader>> LayoutReader::open(
    const std::filesystem::path& path, const std::optional<std::string>& artifactType) {
  auto source = openSource(path);
  if (!source) return refused(path, source.error());
  auto images = readImages(**source);
  if (!images) return refused(path, images.error());
  auto image = choose(*std::move(images), artifactType);
  if (!image) return refused(path, image.error());
  std::unique_ptr<LayoutReader> reader(new LayoutReader(path, *std::move(source)));
  reader->manifest_ = std::move(image->manifest);
  reader->manifestBytes_ = std::move(image->bytes);
  reader->digest_ = image->digest;
  return reader;
}

BundleResult<std::string> LayoutReader::read(const Descriptor& blob) const {
  auto bytes = readVerified(*source_, blob);
  if (!bytes) return refused(path_, bytes.error());
  return *std::move(bytes);
}

BundleResult<std::string> LayoutReader::readUnverified(const Descriptor& blob) const {
  auto bytes = readSized(*source_, blob);
  if (!bytes) return refused(path_, bytes.error());
  return *std::move(bytes);
}

}  // namespace kiln::bundle
