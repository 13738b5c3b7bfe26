// Feeds bytes to the parsers of locks and of a bundle's layers: neither may crash, and what one accepts must
// survive being written and read again.
#include <cstdint>
#include <cstdlib>

#include "bundle/bundle.h"
#include "bundle/lock_file.h"

namespace {

template <typename Parse, typename Write>
void check(std::string_view bytes, const Parse& parse, const Write& write) {
  const auto value = parse(bytes, "it");
  if (!value) return;
  const auto written = write(*value);
  const auto again = parse(written, "it");
  if (!again || write(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, kiln::bundle::parseKernel, kiln::bundle::encodeKernel);
  check(bytes, kiln::bundle::parseLock, kiln::bundle::writeLock);
  return 0;
}
