// Feeds bytes to the readers of binaries: none may crash, or tell of more kernels than the bytes could name.
#include <cstdint>
#include <cstdlib>

#include "jit/binary/message_pack.h"
#include "jit/binary/resources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Memory of exactly that size, so that a sanitizer sees a read past its end.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  auto kernels = kiln::binary::readResources(kiln::asBytes(bytes));
  if (kernels && kernels->size() > size) std::abort();
  kiln::binary::MessagePackReader metadata(kiln::asBytes(bytes));
  while (!metadata.failed()) metadata.skip();
  return 0;
}
