#include "jit/binary/cubin.h"

#include <limits>
#include <unordered_map>
#include <utility>

#include "jit/words.h"

namespace kiln::binary {
namespace {

constexpr std::string_view kInfo = ".nv.info";
constexpr std::uint8_t kFunction = 2;           // STT_FUNC
constexpr std::uint8_t kEntry = 0x10;           // STO_CUDA_ENTRY
constexpr std::uint8_t kSizedFormat = 4;        // EIFMT_SVAL
constexpr std::uint32_t kUnknown = 0xffffffff;  // cuobjdump prints such a stack as UNKNOWN
constexpr std::uint32_t kSpillOrRefill = 1;     // of EIATTR_ANNOTATIONS: the offset of such an instruction

enum class Attribute : std::uint8_t {
  maxThreads = 0x05,        // EIATTR_MAX_THREADS: x, y, z
  requiredThreads = 0x10,   // EIATTR_REQNTID: x, y, z
  minimumStackSize = 0x12,  // EIATTR_MIN_STACK_SIZE: symbol, bytes
  registerCount = 0x2f,     // EIATTR_REGCOUNT: symbol, number
  annotations = 0x55,       // EIATTR_ANNOTATIONS: (kind, offset) of instructions
};

class Kernels {
 public:
  explicit Kernels(const std::vector<ElfSymbol>& symbols);

  KernelResources* named(std::string_view name) { return found(byName_, name); }
  KernelResources* ofSymbol(std::uint32_t index) { return found(bySymbol_, index); }
  std::vector<KernelResources> take() { return std::move(kernels_); }

 private:
  template <typename Key>
  KernelResources* found(const std::unordered_map<Key, std::size_t>& places, const Key& key) {
    auto place = places.find(key);
    return place == places.end() ? nullptr : &kernels_[place->second];
  }

  std::vector<KernelResources> kernels_;
  std::unordered_map<std::string_view, std::size_t> byName_;
  std::unordered_map<std::uint32_t, std::size_t> bySymbol_;
};

Kernels::Kernels(const std::vector<ElfSymbol>& symbols) {
  for (std::uint32_t i = 0; i < symbols.size(); ++i) {
    const auto& symbol = symbols[i];
    if (symbol.type != kFunction || (symbol.other & kEntry) == 0 || !symbol.isDefined) continue;
    if (symbol.name.empty()) continue;
    if (!byName_.try_emplace(symbol.name, kernels_.size()).second) continue;
    bySymbol_.emplace(i, kernels_.size());
    // Memory that has no section is none.
    kernels_.push_back(
        {std::string(symbol.name),
         {{Resource::sharedBytes, 0}, {Resource::localBytes, 0}, {Resource::constantBytes, 0}}});
  }
}

// Gives each attribute to `each(kind, payload)`. Whether they end where `attributes` ends.
template <typename Each>
bool forEachAttribute(Bytes attributes, const Each& each) {
  while (attributes.size() >= 4) {
    auto format = numberAt<std::uint8_t>(attributes, 0);
    auto kind = static_cast<Attribute>(numberAt<std::uint8_t>(attributes, 1));
    std::size_t size = format == kSizedFormat ? numberAt<std::uint16_t>(attributes, 2) : 0;
    attributes = attributes.subspan(4);
    if (format < 1 || format > kSizedFormat || size > attributes.size()) return false;
    if (format == kSizedFormat) each(kind, attributes.first(size));
    attributes = attributes.subspan(size);
  }
  return attributes.empty();
}

void takeAttributeOfFunction(Kernels& kernels, Attribute attribute, Bytes payload) {
  if (payload.size() < 8) return;
  auto* kernel = kernels.ofSymbol(numberAt<std::uint32_t>(payload, 0));
  if (kernel == nullptr) return;
  auto value = numberAt<std::uint32_t>(payload, 4);
  if (attribute == Attribute::registerCount) kernel->figures[Resource::registers] = value;
  if (attribute != Attribute::minimumStackSize) return;
  kernel->figures[Resource::dynamicStack] = value == kUnknown ? 1 : 0;
  if (value != kUnknown) kernel->figures[Resource::stackBytes] = value;
}

void takeThreads(KernelResources& kernel, Bytes payload) {
  if (payload.size() < 12) return;
  std::uint64_t threads = 1;
  for (std::size_t at = 0; at < 12; at += 4) {
    threads *= numberAt<std::uint32_t>(payload, at);
    if (threads > std::numeric_limits<std::uint32_t>::max()) return;
  }
  kernel.figures[Resource::maxThreads] = static_cast<std::uint32_t>(threads);
}

// Other kinds of annotations have lengths of their own: with one of these the instructions cannot be counted.
void takeAnnotations(KernelResources& kernel, Bytes payload) {
  std::uint32_t count = 0;
  for (; payload.size() >= 8; payload = payload.subspan(8), ++count) {
    if (numberAt<std::uint32_t>(payload, 0) == kSpillOrRefill) continue;
    kernel.figures.erase(Resource::spillInstructions);
    return;
  }
  if (payload.empty()) kernel.figures[Resource::spillInstructions] += count;
}

void takeAttributeOfKernel(KernelResources& kernel, Attribute attribute, Bytes payload) {
  switch (attribute) {
    case Attribute::maxThreads:
    case Attribute::requiredThreads:
      return takeThreads(kernel, payload);
    case Attribute::annotations:
      return takeAnnotations(kernel, payload);
    default:
      return;
  }
}

bool takeInfo(Kernels& kernels, std::string_view kernelName, Bytes attributes) {
  if (kernelName.empty()) {
    return forEachAttribute(attributes, [&](Attribute attribute, Bytes payload) {
      takeAttributeOfFunction(kernels, attribute, payload);
    });
  }
  auto* kernel = kernels.named(kernelName);
  if (kernel == nullptr) return true;  // of a function that is no kernel
  return forEachAttribute(attributes, [&](Attribute attribute, Bytes payload) {
    takeAttributeOfKernel(*kernel, attribute, payload);
  });
}

// "k" of ".nv.shared.k" or ".nv.constant0.k" where `prefix` is what stands before; empty if it is another
// section.
std::string_view kernelOf(std::string_view section, std::string_view prefix) {
  if (!section.starts_with(prefix)) return {};
  section.remove_prefix(prefix.size());
  while (!section.empty() && isDigit(section.front())) section.remove_prefix(1);
  return section.starts_with('.') ? section.substr(1) : std::string_view();
}

// Adds a section that stands for memory of one kernel. Whether its size is one that there can be.
bool takeMemory(Kernels& kernels, const ElfSection& section) {
  constexpr std::pair<std::string_view, Resource> kMemories[] = {{".nv.shared", Resource::sharedBytes},
                                                                 {".nv.local", Resource::localBytes},
                                                                 {".nv.constant", Resource::constantBytes}};
  for (const auto& [prefix, resource] : kMemories) {
    auto* kernel = kernels.named(kernelOf(section.name, prefix));
    if (kernel == nullptr) continue;
    auto& figure = kernel->figures[resource];
    if (section.size > std::numeric_limits<std::uint32_t>::max() - figure) return false;
    figure += static_cast<std::uint32_t>(section.size);
  }
  return true;
}

std::unexpected<Unreadable> malformed(const ElfSection& section) {
  return std::unexpected(Unreadable{"has a malformed section '" + std::string(section.name) + "'"});
}

}  // namespace

Read<std::vector<KernelResources>> readCubin(const ElfFile& cubin) {
  auto symbols = cubin.symbols();
  if (!symbols) return std::unexpected(std::move(symbols.error()));
  Kernels kernels(*symbols);
  for (const auto& section : cubin.sections()) {
    if (!takeMemory(kernels, section)) return malformed(section);
    auto kernel = kernelOf(section.name, kInfo);
    if (kernel.empty() && section.name != kInfo) continue;
    auto attributes = cubin.content(section);
    if (!attributes) return std::unexpected(std::move(attributes.error()));
    if (!takeInfo(kernels, kernel, *attributes)) return malformed(section);
  }
  return kernels.take();
}

}  // namespace kiln::binary
