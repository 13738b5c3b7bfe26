// A small OCI layout as its files, to be changed and then written as a directory or as a tar. It is put
// together by hand, so that what kiln writes is not what it is read with.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jit/sha256.h"

namespace kiln::test {

using LayoutFiles = std::map<std::string, std::string>;  // by their names in the layout

inline constexpr std::string_view kSampleArtifactType = "application/vnd.kiln.sample";

inline std::string blobPath(std::string_view bytes) { return "blobs/sha256/" + sha256(bytes).hex(); }

inline std::string descriptorText(std::string_view mediaType, std::string_view bytes,
                                  std::string_view more = {}) {
  return R"({"mediaType":")" + std::string(mediaType) + R"(","digest":"sha256:)" + sha256(bytes).hex() +
         R"(","size":)" + std::to_string(bytes.size()) + std::string(more) + "}";
}

inline std::string manifestText(std::string_view artifactType = kSampleArtifactType,
                                std::string_view annotation = "A sample") {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":")" +
         std::string(artifactType) + R"(","config":)" +
         descriptorText("application/vnd.oci.empty.v1+json", "{}") + R"(,"layers":[)" +
         descriptorText("text/plain", "first", R"(,"annotations":{"key":"1"})") + "," +
         descriptorText("text/plain", "second") + R"(],"annotations":{"title":")" + std::string(annotation) +
         "\"}}";
}

// An index.json that names these manifests, as skopeo writes it.
inline std::string indexText(const std::vector<std::string>& manifests) {
  std::string text;
  for (const auto& manifest : manifests) {
    text += text.empty() ? "" : ",";
    text += descriptorText("application/vnd.oci.image.manifest.v1+json", manifest,
                           R"(,"annotations":{"org.opencontainers.image.ref.name":"tag"})");
  }
  return R"({"schemaVersion":2,"manifests":[)" + text + "]}";
}

// A layout with these manifests, and the blobs that manifestText() names.
inline LayoutFiles layoutOf(const std::vector<std::string>& manifests) {
  LayoutFiles files = {{"oci-layout", R"({"imageLayoutVersion": "1.0.0"})"},
                       {"index.json", indexText(manifests)}};
  for (const auto& manifest : manifests) files[blobPath(manifest)] = manifest;
  for (const char* blob : {"{}", "first", "second"}) files[blobPath(blob)] = blob;
  return files;
}

inline LayoutFiles sampleLayout() { return layoutOf({manifestText()}); }

}  // namespace kiln::test
