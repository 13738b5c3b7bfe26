// Feeds bytes to the reader of archives, to the parsers of a layout's documents and to that of a bundle's
// index: none may crash, no blob may have another digest than its descriptor says, and a manifest or an index
// that is accepted must survive being written and read again.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "bundle/bundle_index.h"
#include "bundle/layout_json.h"
#include "bundle/oci_layout.h"
#include "jit/sha256.h"
#include "tests/support/sample_tar.h"

namespace {

using namespace kiln::bundle;

void checkArchive(const std::string& bytes) {
  int file = memfd_create("layout", MFD_CLOEXEC);
  if (file < 0 || write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  if (auto reader = LayoutReader::open("/proc/self/fd/" + std::to_string(file))) {
    for (const auto& layer : (*reader)->manifest().layers) {
      auto blob = (*reader)->read(layer);
      if (blob && kiln::sha256(*blob) != layer.digest) std::abort();
    }
  }
  close(file);
}

void checkDocuments(const std::string& bytes) {
  (void)checkLayout(bytes);
  (void)parseIndex(bytes);
  if (const auto index = parseIndex(bytes, "it")) {
    const auto again = parseIndex(writeIndex(*index), "it");
    if (!again || *again != *index) std::abort();
  }
  auto manifest = parseManifest(bytes);
  if (!manifest) return;
  auto text = printManifest(*manifest);
  if (!text || parseManifest(*text) != *manifest) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  checkDocuments(bytes);
  checkArchive(bytes);
  // Once more with right checksums, or a header that was changed would never be looked into.
  for (std::size_t at = 0; at + kiln::test::kTarRecord <= bytes.size(); at += kiln::test::kTarRecord) {
    if (bytes.compare(at + 257, 5, "ustar") == 0) kiln::test::setTarChecksum(bytes.data() + at);
  }
  checkArchive(bytes);
  return 0;
}
