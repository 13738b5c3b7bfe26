// Resource usage: what each kernel of a binary needs of the machine, as the binary's own metadata tells.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

// The values are stored and sent; they never change and are never reused.
enum class Resource : std::uint16_t {
  registers = 1,               // of a thread; of AMD its vector registers
  scalarRegisters = 2,         // AMD: of a wavefront
  accumulationRegisters = 3,   // AMD: of a thread
  spilledRegisters = 4,        // AMD: how many of the vector registers
  spilledScalarRegisters = 5,  // AMD
  spillInstructions = 6,  // NVIDIA: that spill a register or fetch it back, modulo 8192, where the binary
                          // has any and nothing beside them that keeps them from being counted
  sharedBytes = 7,        // shared memory (LDS) of a block, set aside at compile time
  localBytes = 8,         // local (private) memory of a thread; of NVIDIA that beside the stack
  stackBytes = 9,         // NVIDIA: of a thread, that of the functions it calls included
  constantBytes = 10,     // NVIDIA: the kernel's own constant memory, its parameters included
  maxThreads = 11,        // of the largest block that it may be launched with, where that is limited
  wavefrontSize = 12,     // AMD: in threads
  dynamicStack = 13,      // 1 if it may need more stack than can be told, by recursion say; else 0
};

struct NamedResource {
  Resource resource;
  std::string_view name;
};

// Every resource, in order of number.
inline constexpr std::array kResources = {
    NamedResource{Resource::registers, "registers"},
    NamedResource{Resource::scalarRegisters, "scalar_registers"},
    NamedResource{Resource::accumulationRegisters, "accumulation_registers"},
    NamedResource{Resource::spilledRegisters, "spilled_registers"},
    NamedResource{Resource::spilledScalarRegisters, "spilled_scalar_registers"},
    NamedResource{Resource::spillInstructions, "spill_instructions"},
    NamedResource{Resource::sharedBytes, "shared_bytes"},
    NamedResource{Resource::localBytes, "local_bytes"},
    NamedResource{Resource::stackBytes, "stack_bytes"},
    NamedResource{Resource::constantBytes, "constant_bytes"},
    NamedResource{Resource::maxThreads, "max_threads"},
    NamedResource{Resource::wavefrontSize, "wavefront_size"},
    NamedResource{Resource::dynamicStack, "dynamic_stack"},
};

// The stable name: "registers", "shared_bytes", ...
std::string_view name(Resource resource);
std::optional<Resource> resourceFromNumber(std::uint16_t number);

struct KernelResources {
  std::string kernel;  // its name in the binary
  // What the binary does not tell is not there.
  std::map<Resource, std::uint32_t> figures;

  bool operator==(const KernelResources&) const = default;
};

struct ResourceUsage {
  std::vector<KernelResources> kernels;  // in the binary's order
  // Why the metadata could not be read, as a sentence without its full stop; empty if it could, and where no
  // output is machine code.
  std::string problem;

  bool operator==(const ResourceUsage&) const = default;
};

}  // namespace kiln
