#include "jit/binary/resources.h"

#include <iterator>
#include <utility>

#include "jit/binary/cubin.h"
#include "jit/binary/hsaco.h"

namespace kiln::binary {
namespace {

bool isMachineCode(OutputKind kind) {
  switch (kind) {
    case OutputKind::cubin:
    case OutputKind::hsaco:
      return true;
    case OutputKind::ptx:
    case OutputKind::ltoir:
    case OutputKind::bitcode:
    case OutputKind::sharedObject:
      break;
  }
  return false;
}

}  // namespace

Read<std::vector<KernelResources>> readResources(Bytes file) {
  auto elf = ElfFile::open(file);
  if (!elf) return std::unexpected(std::move(elf.error()));
  switch (elf->machine()) {
    case kCudaMachine:
      return readCubin(*elf);
    case kAmdMachine:
      return readHsaco(*elf);
    default:
      return std::unexpected(Unreadable{"is an ELF file for machine " + std::to_string(elf->machine()) +
                                        ", which is no GPU that kiln knows"});
  }
}

ResourceUsage resourcesOf(const std::vector<Output>& outputs) {
  ResourceUsage usage;
  for (const auto& output : outputs) {
    if (!isMachineCode(output.kind)) continue;
    auto kernels = readResources(asBytes(output.bytes));
    if (kernels) {
      std::move(kernels->begin(), kernels->end(), std::back_inserter(usage.kernels));
    } else {
      usage.problem = "the " + std::string(name(output.kind)) + " " + kernels.error().what;
    }
  }
  return usage;
}

}  // namespace kiln::binary
