// Feeds bytes to every parser of the store's formats: none may crash, and what one accepts must survive being
// written and read again.
#include <cstdint>
#include <cstdlib>

#include "cache/bundle_format.h"
#include "cache/entry_format.h"
#include "cache/manifest_format.h"
#include "cache/request_format.h"
#include "cache/summary_format.h"

namespace {

using kiln::Bytes;

template <typename Parse, typename Encode>
void check(Bytes bytes, const Parse& parse, const Encode& encode) {
  auto value = parse(bytes);
  if (!value) return;
  auto encoded = encode(*value);
  auto again = parse(kiln::asBytes(encoded));
  if (!again || encode(*again) != encoded) std::abort();
}

void checkAll(Bytes bytes) {
  check(bytes, kiln::parseBundle, kiln::encodeBundle);
  check(bytes, kiln::parseEntry, kiln::encodeEntry);
  check(bytes, kiln::parseManifest, kiln::encodeManifest);
  check(bytes, kiln::parseRequest, kiln::encodeRequest);
  check(bytes, kiln::parseSummary, kiln::encodeSummary);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  checkAll(kiln::asBytes(bytes));
  // The same once more with a right checksum, or nothing behind it would ever be reached.
  auto checksum = kiln::littleEndian(kiln::xxh3Checksum(kiln::asBytes(bytes)));
  bytes.append(checksum.begin(), checksum.end());
  checkAll(kiln::asBytes(bytes));
  return 0;
}
