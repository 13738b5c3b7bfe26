// OCI image layouts: how bundles travel, so that registries and the tools around them carry and sign them.
//
//   layout   = oci-layout index.json blobs       a directory, or a plain tar of one
//   oci-layout = {"imageLayoutVersion":"1.0.0"}
//   index.json   names the manifest by digest and size; other tools let it name several
//   manifest     names config and layers by digest and size; is a blob itself
//   blobs    = blobs/sha256/<64 lower-case hexadecimal digits>
//
// OCI image specification 1.1, with SHA-256 alone. The digest of the manifest's bytes covers all that the
// image holds; it stays the same wherever the image is copied to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bundle/result.h"
#include "jit/hash.h"

namespace kiln::bundle {

class LayoutSource;
class LayoutTarget;

inline constexpr std::uint64_t kMaxBlobSize = std::uint64_t{4} << 30;
inline constexpr std::uint64_t kMaxDocumentSize = std::uint64_t{64} << 20;  // index.json, a manifest
inline constexpr std::uint64_t kMaxMembers = 1'000'000;                     // files of an archive

// What a manifest says of one blob.
struct Descriptor {
  std::string mediaType;
  Sha256 digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations = {};

  bool operator==(const Descriptor&) const = default;
};

struct ImageManifest {
  std::string artifactType;  // empty: an image of another kind, such as a container's
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations = {};

  bool operator==(const ImageManifest&) const = default;
};

// Reads one image of a layout. But for readUnverified() nothing is given that does not have the size and the
// SHA-256 that the manifest, or for the manifest index.json, says; nothing is written to disk, and no link is
// followed out of the layout. The layout may come from anyone. Whoever may change it meanwhile causes errors
// and no more. Blocks on the disk.
class LayoutReader {
 public:
  // `path` is a directory or a plain tar. Of several images the one with `artifactType` is taken; one with
  // another is refused. Without `artifactType` there must be one image.
  static BundleResult<std::unique_ptr<LayoutReader>> open(
      const std::filesystem::path& path, const std::optional<std::string>& artifactType = {});
  ~LayoutReader();
  LayoutReader(const LayoutReader&) = delete;
  LayoutReader& operator=(const LayoutReader&) = delete;

  [[nodiscard]] const ImageManifest& manifest() const { return manifest_; }
  // As it is in the layout, byte for byte; and its digest.
  [[nodiscard]] const std::string& manifestBytes() const { return manifestBytes_; }
  [[nodiscard]] const Sha256& digest() const { return digest_; }
  // The bytes of a blob. Threads may read at the same time.
  [[nodiscard]] BundleResult<std::string> read(const Descriptor& blob) const;
  // The same with whatever SHA-256, for who hands it to one that verifies it.
  [[nodiscard]] BundleResult<std::string> readUnverified(const Descriptor& blob) const;

 private:
  LayoutReader(std::filesystem::path path, std::unique_ptr<LayoutSource> source);

  std::filesystem::path path_;
  std::unique_ptr<LayoutSource> source_;
  ImageManifest manifest_;
  std::string manifestBytes_;
  Sha256 digest_;
};

enum class LayoutForm { directory, archive };

// Writes a layout. The same content gives the same bytes, whatever the order in which it is added: JSON has
// sorted keys and no white space, an archive has its blobs in the order of their digests, no times and no
// users. Until finish() has succeeded nothing is at `path`, or what was there before; what is unfinished lies
// beside it and goes with the writer. Not thread-safe; blocks on the disk.
class LayoutWriter {
 public:
  // An archive replaces a file. A directory replaces an empty one or one that holds a layout and nothing
  // else. Anything else at `path` is refused, links too; the directory that `path` lies in must be there.
  static BundleResult<std::unique_ptr<LayoutWriter>> create(const std::filesystem::path& path,
                                                            LayoutForm form);
  ~LayoutWriter();
  LayoutWriter(const LayoutWriter&) = delete;
  LayoutWriter& operator=(const LayoutWriter&) = delete;

  // Writes a blob, once however often it is added.
  BundleResult<Descriptor> add(std::string_view mediaType, std::string_view bytes);
  // Writes what names the blobs and puts the layout in its place; the digest of the manifest. All that
  // `manifest` names must have been added. Called once, at the end.
  BundleResult<Sha256> finish(const ImageManifest& manifest);

 private:
  LayoutWriter(std::filesystem::path path, std::unique_ptr<LayoutTarget> target);

  std::filesystem::path path_;
  std::unique_ptr<LayoutTarget> target_;
  std::unordered_map<Sha256, std::uint64_t> sizes_;  // of the blobs that were added
};

}  // namespace kiln::bundle
