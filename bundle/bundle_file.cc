#include "bundle/bundle_file.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "bundle/lock_file.h"
#include "bundle/problem.h"
#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

auto rankOf(const BundledEntry& entry) {
  return std::make_tuple(entry.request.target.name, entry.request.language, entry.toolchainIdentity,
                         requestSha256(entry.request), dependenciesSha256(entry.dependencies),
                         entry.namesBind ? entry.request.names.source : std::string());
}

// Kernels of one identity as one; entries in an order that follows from them, each once.
std::vector<BundledKernel> together(std::vector<BundledKernel> kernels) {
  std::map<Sha256, BundledKernel> known;
  for (auto& kernel : kernels) {
    auto [at, isNew] = known.try_emplace(kernel.identity, BundledKernel{kernel.name, kernel.identity, {}});
    at->second.name = std::min(at->second.name, kernel.name);
    std::ranges::move(kernel.entries, std::back_inserter(at->second.entries));
  }
  std::vector<BundledKernel> result;
  for (auto& [identity, kernel] : known) {
    std::map<decltype(rankOf(kernel.entries.front())), BundledEntry> sorted;
    for (auto& entry : kernel.entries) {
      auto rank = rankOf(entry);
      sorted.try_emplace(std::move(rank), std::move(entry));
    }
    kernel.entries.clear();
    for (auto& [rank, entry] : sorted) kernel.entries.push_back(std::move(entry));
    result.push_back(std::move(kernel));
  }
  return result;
}

BundleError tooLarge(const std::string& what) {
  return {what + " has an index of more than 64 MiB; build several bundles of less"};
}

BundleResult<std::vector<Toolchain>> usedBy(const std::vector<IndexedKernel>& kernels,
                                            const std::vector<Toolchain>& toolchains) {
  std::map<std::pair<std::string, Sha256>, Toolchain> used;
  for (const auto& kernel : kernels) {
    for (const auto& entry : kernel.entries) {
      const auto found = std::ranges::find(toolchains, entry.toolchain, &Toolchain::identity);
      if (found == toolchains.end()) {
        return std::unexpected(BundleError{
            "an entry of " + printable(kernel.name) + " is by a toolchain of the identity " +
            entry.toolchain.hex() + ", which nobody lists; if it was replaced meanwhile, build again"});
      }
      used.try_emplace({found->name, found->identity}, Toolchain{found->name,
                                                                 found->frontend,
                                                                 found->version,
                                                                 {},
                                                                 found->language,
                                                                 found->identity,
                                                                 found->targets,
                                                                 {}});
    }
  }
  std::vector<Toolchain> result;
  for (auto& [key, toolchain] : used) result.push_back(std::move(toolchain));
  return result;
}

}  // namespace

BundleResult<UnparsedBundle> UnparsedBundle::open(const std::filesystem::path& path) {
  auto layout = LayoutReader::open(path, kArtifactType);
  if (!layout && looksLikeLock(path)) {
    return std::unexpected(BundleError{"'" + path.string() + "' is a lock and no bundle; kiln build " +
                                       path.string() + " -o BUNDLE makes one of it"});
  }
  if (!layout) return std::unexpected(std::move(layout.error()));
  const auto& config = (*layout)->manifest().config;
  const auto what = "'" + path.string() + "'";
  if (config.mediaType != kIndexType) {
    return std::unexpected(BundleError{what + " has an index of the kind " + printable(config.mediaType) +
                                       ", which this kiln does not read; use a newer kiln"});
  }
  if (config.size > kMaxDocumentSize) return std::unexpected(tooLarge(what));
  auto index = (*layout)->readUnverified(config);
  if (!index) return std::unexpected(std::move(index.error()));
  return UnparsedBundle(path.string(), std::move(*layout), std::move(*index));
}

BundleResult<BundleFile> BundleFile::open(const std::filesystem::path& path) {
  const auto bundle = UnparsedBundle::open(path);
  if (!bundle) return std::unexpected(bundle.error());
  return parse(*bundle);
}

BundleResult<BundleFile> BundleFile::parse(const UnparsedBundle& bundle) {
  const auto what = "'" + bundle.path() + "'";
  const auto& manifest = bundle.layout()->manifest();
  if (sha256(bundle.unverifiedIndex()) != manifest.config.digest) {
    return std::unexpected(
        BundleError{what + " has an index with other bytes than its digest says; copy the bundle once more"});
  }
  auto index = parseIndex(bundle.unverifiedIndex(), what);
  if (!index) return std::unexpected(std::move(index.error()));
  if (const auto why = whyNotOfOneBundle(*index, manifest); !why.empty())
    return std::unexpected(BundleError{what + " cannot be used: " + why + "; build the bundle anew"});
  return BundleFile(bundle.path(), bundle.layout(), std::move(*index));
}

BundleResult<BundledKernel> BundleFile::read(const IndexedKernel& kernel) const {
  const auto& layers = layout_->manifest().layers;
  const auto layer = std::ranges::find(layers, kernel.layer, &Descriptor::digest);
  const auto what = "layer " + kernel.layer.hex() + " of '" + path_ + "'";
  if (layer == layers.end()) return std::unexpected(BundleError{what + " is not in its manifest"});
  auto bytes = layout_->read(*layer);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  auto parsed = parseKernel(*bytes, what);
  if (!parsed) return parsed;
  if (indexed(*parsed, kernel.layer) != kernel) {
    return std::unexpected(
        BundleError{what + " holds something else than the index says; build the bundle anew"});
  }
  return parsed;
}

LayoutForm formOf(const std::filesystem::path& path) {
  std::error_code error;
  const bool isDirectory = path.string().ends_with('/') || std::filesystem::is_directory(path, error);
  return isDirectory ? LayoutForm::directory : LayoutForm::archive;
}

BundleResult<void> checkBundleWritable(const std::filesystem::path& path) {
  std::error_code error;
  const bool isFile = std::filesystem::is_regular_file(path, error);
  if (isFile && std::filesystem::file_size(path, error) > 0 && !LayoutReader::open(path)) {
    return std::unexpected(
        BundleError{"'" + path.string() + "' is there and is no bundle; remove it, or give another path"});
  }
  auto writer = LayoutWriter::create(path, formOf(path));
  if (!writer) return std::unexpected(std::move(writer.error()));
  return {};
}

BundleResult<Sha256> writeBundle(const std::filesystem::path& path, std::vector<BundledKernel> kernels,
                                 const std::vector<Toolchain>& toolchains, BundleIndex& index) {
  auto writer = LayoutWriter::create(path, formOf(path));
  if (!writer) return std::unexpected(std::move(writer.error()));
  ImageManifest manifest;
  manifest.artifactType = kArtifactType;
  index = {};
  for (const auto& kernel : together(std::move(kernels))) {
    auto layer = (*writer)->add(kKernelType, encodeKernel(kernel));
    if (!layer) return std::unexpected(std::move(layer.error()));
    layer->annotations[kTitle] = kernel.name;
    index.kernels.push_back(indexed(kernel, layer->digest));
    manifest.layers.push_back(std::move(*layer));
  }
  std::ranges::sort(manifest.layers, {}, &Descriptor::digest);
  std::ranges::sort(index.kernels, {},
                    [](const auto& kernel) { return std::make_pair(kernel.name, kernel.layer); });
  auto used = usedBy(index.kernels, toolchains);
  if (!used) return std::unexpected(std::move(used.error()));
  index.toolchains = std::move(*used);
  const auto text = writeIndex(index);
  if (text.size() > kMaxDocumentSize) return std::unexpected(tooLarge("'" + path.string() + "'"));
  auto config = (*writer)->add(kIndexType, text);
  if (!config) return std::unexpected(std::move(config.error()));
  manifest.config = std::move(*config);
  return (*writer)->finish(manifest);
}

}  // namespace kiln::bundle
