// The three JSON documents of a layout. Parsing is checking: what does not have the shape is refused, and
// what a later specification may add is skipped. Printing gives the same text for the same value always.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundle/oci_layout.h"
#include "bundle/problem.h"

namespace kiln::bundle {

inline constexpr std::string_view kIndexMediaType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";

// oci-layout: that its version is known here.
Attempt<void> checkLayout(std::string_view text);
std::string printLayout();

// index.json: what it names, images or not.
Attempt<std::vector<Descriptor>> parseIndex(std::string_view text);
std::string printIndex(const Descriptor& manifest, const std::string& artifactType);

Attempt<ImageManifest> parseManifest(std::string_view text);
// Refuses what parseManifest() would.
Attempt<std::string> printManifest(const ImageManifest& manifest);

}  // namespace kiln::bundle
