#include "jit/binary/hsaco.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "jit/binary/message_pack.h"

namespace kiln::binary {
namespace {

constexpr std::uint32_t kMetadata = 32;  // NT_AMDGPU_METADATA
constexpr std::string_view kVendor("AMDGPU\0", 7);

constexpr std::pair<std::string_view, Resource> kNumbers[] = {
    {".vgpr_count", Resource::registers},
    {".sgpr_count", Resource::scalarRegisters},
    {".agpr_count", Resource::accumulationRegisters},
    {".vgpr_spill_count", Resource::spilledRegisters},
    {".sgpr_spill_count", Resource::spilledScalarRegisters},
    {".group_segment_fixed_size", Resource::sharedBytes},
    {".private_segment_fixed_size", Resource::localBytes},
    {".max_flat_workgroup_size", Resource::maxThreads},
    {".wavefront_size", Resource::wavefrontSize},
};

// The metadata among `notes`, each a header of three numbers, a vendor and a content, both padded to 4 bytes.
std::optional<Bytes> metadataIn(Bytes notes) {
  constexpr std::size_t kHeaderSize = 12;
  auto padded = [](std::uint32_t size) { return (std::uint64_t{size} + 3) / 4 * 4; };
  while (notes.size() >= kHeaderSize) {
    auto vendorSize = numberAt<std::uint32_t>(notes, 0);
    auto size = numberAt<std::uint32_t>(notes, 4);
    auto type = numberAt<std::uint32_t>(notes, 8);
    notes = notes.subspan(kHeaderSize);
    if (padded(vendorSize) > notes.size() || size > notes.size() - padded(vendorSize)) return std::nullopt;
    auto content = notes.subspan(padded(vendorSize), size);
    if (type == kMetadata && asText(notes.first(vendorSize)) == kVendor) return content;
    notes = notes.subspan(std::min<std::uint64_t>(padded(vendorSize) + padded(size), notes.size()));
  }
  return std::nullopt;
}

std::optional<std::uint32_t> figure(MessagePackReader& in) {
  auto value = in.number();
  if (in.failed() || value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

// Nothing if a value is not what its key promises.
std::optional<KernelResources> readKernel(MessagePackReader& in) {
  KernelResources kernel;
  for (auto pairs = in.map(); pairs > 0 && !in.failed(); --pairs) {
    auto key = in.text();
    auto known = std::find_if(std::begin(kNumbers), std::end(kNumbers),
                              [&](const auto& number) { return number.first == key; });
    if (known != std::end(kNumbers)) {
      auto value = figure(in);
      if (!value) return std::nullopt;
      kernel.figures[known->second] = *value;
    } else if (key == ".name") {
      kernel.kernel = in.text();
    } else if (key == ".uses_dynamic_stack") {
      kernel.figures[Resource::dynamicStack] = in.boolean() ? 1 : 0;
    } else {
      in.skip();
    }
  }
  if (in.failed()) return std::nullopt;
  return kernel;
}

Read<std::vector<KernelResources>> readMetadata(Bytes metadata) {
  const std::unexpected malformed(Unreadable{"has malformed AMDGPU metadata"});
  std::vector<KernelResources> kernels;
  MessagePackReader in(metadata);
  for (auto pairs = in.map(); pairs > 0 && !in.failed(); --pairs) {
    if (in.text() != "amdhsa.kernels") {
      in.skip();
      continue;
    }
    for (auto count = in.array(); count > 0 && !in.failed(); --count) {
      auto kernel = readKernel(in);
      if (!kernel) return malformed;
      kernels.push_back(std::move(*kernel));
    }
  }
  if (in.failed()) return malformed;
  return kernels;
}

}  // namespace

Read<std::vector<KernelResources>> readHsaco(const ElfFile& hsaco) {
  for (const auto& section : hsaco.sections()) {
    if (section.type != kNotes) continue;
    auto notes = hsaco.content(section);
    if (!notes) return std::unexpected(std::move(notes.error()));
    if (auto metadata = metadataIn(*notes)) return readMetadata(*metadata);
  }
  return std::unexpected(Unreadable{"has no AMDGPU metadata"});
}

}  // namespace kiln::binary
