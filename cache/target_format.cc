#include "cache/target_format.h"

namespace kiln {

void writeTarget(ByteWriter& out, const Target& target) {
  out.u8(static_cast<std::uint8_t>(target.kind));
  out.text(target.name);
}

Target readTarget(ByteReader& in) {
  auto kind = static_cast<Target::Kind>(in.u8());
  switch (kind) {
    case Target::Kind::nvidiaReal:
    case Target::Kind::nvidiaVirtual:
    case Target::Kind::amd:
    case Target::Kind::host:
      break;
    default:
      in.fail();
  }
  return {kind, in.text()};
}

}  // namespace kiln
