// A layout as a tar, plain and with what extended headers there are, its documents by themselves, and the
// index of a bundle.
#include "bundle/bundle_index.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/sample_layout.h"
#include "tests/support/sample_tar.h"

namespace kiln::fuzz {
namespace {

std::string bundleIndex() {
  bundle::BundleIndex index;
  index.kernels = {{"k.cu: k", {}, Language::cuda, {}, {{{}, {}, "sm_90", {}, {}, "artifact", {}, 3400}}}};
  index.toolchains = {{"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, {}, {"sm_90"}, ""}};
  return bundle::writeIndex(index);
}

}  // namespace

std::vector<std::string> seeds() {
  using namespace test;
  std::string extended = tarText(TarMember{.name = "blobs/", .type = '5'});
  for (const auto& [name, content] : sampleLayout()) {
    extended += tarText(TarMember{.name = "././@LongLink", .content = name + '\0', .type = 'L'});
    extended += tarText(
        TarMember{.name = "pax", .content = "17 size=" + std::to_string(content.size()) + "\n", .type = 'x'});
    extended += tarText(TarMember{.name = "cut off", .content = content});
  }
  return {
      tarText(sampleLayout()) + kTarEnd,   extended + kTarEnd, manifestText(), indexText({manifestText()}),
      R"({"imageLayoutVersion":"1.0.0"})", bundleIndex()};
}

}  // namespace kiln::fuzz
