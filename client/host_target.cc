#include "client/host_target.h"

#include <cpuid.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

namespace kiln::client {
namespace {

enum Register : std::uint8_t { eax, ebx, ecx, edx };

// Bits of XCR0.
enum States : std::uint64_t { none = 0, avx = 0x6, avx512 = 0xe6, amx = 0x60000 };

// A feature by the name that LLVM has for it, and the bit that tells of it (Intel's and AMD's manuals,
// CPUID).
struct Feature {
  std::string_view name;
  std::uint32_t leaf, subleaf;
  Register place;
  unsigned bit;
  States states;
};

constexpr std::uint32_t kExtended = 0x80000001;

constexpr Feature kFeatures[] = {
    {"adx", 7, 0, ebx, 19, none},
    {"aes", 1, 0, ecx, 25, none},
    {"amx-bf16", 7, 0, edx, 22, amx},
    {"amx-complex", 7, 1, edx, 8, amx},
    {"amx-fp16", 7, 1, eax, 21, amx},
    {"amx-int8", 7, 0, edx, 25, amx},
    {"amx-tile", 7, 0, edx, 24, amx},
    {"avx", 1, 0, ecx, 28, avx},
    {"avx2", 7, 0, ebx, 5, avx},
    {"avx512bf16", 7, 1, eax, 5, avx512},
    {"avx512bitalg", 7, 0, ecx, 12, avx512},
    {"avx512bw", 7, 0, ebx, 30, avx512},
    {"avx512cd", 7, 0, ebx, 28, avx512},
    {"avx512dq", 7, 0, ebx, 17, avx512},
    {"avx512f", 7, 0, ebx, 16, avx512},
    {"avx512fp16", 7, 0, edx, 23, avx512},
    {"avx512ifma", 7, 0, ebx, 21, avx512},
    {"avx512vbmi", 7, 0, ecx, 1, avx512},
    {"avx512vbmi2", 7, 0, ecx, 6, avx512},
    {"avx512vl", 7, 0, ebx, 31, avx512},
    {"avx512vnni", 7, 0, ecx, 11, avx512},
    {"avx512vp2intersect", 7, 0, edx, 8, avx512},
    {"avx512vpopcntdq", 7, 0, ecx, 14, avx512},
    {"avxifma", 7, 1, eax, 23, avx},
    {"avxneconvert", 7, 1, edx, 5, avx},
    {"avxvnni", 7, 1, eax, 4, avx},
    {"avxvnniint16", 7, 1, edx, 10, avx},
    {"avxvnniint8", 7, 1, edx, 4, avx},
    {"bmi", 7, 0, ebx, 3, none},
    {"bmi2", 7, 0, ebx, 8, none},
    {"cldemote", 7, 0, ecx, 25, none},
    {"clflushopt", 7, 0, ebx, 23, none},
    {"clwb", 7, 0, ebx, 24, none},
    {"cmpccxadd", 7, 1, eax, 7, none},
    {"cx16", 1, 0, ecx, 13, none},
    {"f16c", 1, 0, ecx, 29, avx},
    {"fma", 1, 0, ecx, 12, avx},
    {"fma4", kExtended, 0, ecx, 16, avx},
    {"gfni", 7, 0, ecx, 8, none},
    {"lzcnt", kExtended, 0, ecx, 5, none},
    {"movbe", 1, 0, ecx, 22, none},
    {"movdir64b", 7, 0, ecx, 28, none},
    {"movdiri", 7, 0, ecx, 27, none},
    {"pclmul", 1, 0, ecx, 1, none},
    {"popcnt", 1, 0, ecx, 23, none},
    {"prfchw", kExtended, 0, ecx, 8, none},
    {"rdrnd", 1, 0, ecx, 30, none},
    {"rdseed", 7, 0, ebx, 18, none},
    {"rtm", 7, 0, ebx, 11, none},
    {"sahf", kExtended, 0, ecx, 0, none},
    {"sha", 7, 0, ebx, 29, none},
    {"sha512", 7, 1, eax, 0, avx},
    {"sm3", 7, 1, eax, 1, avx},
    {"sm4", 7, 1, eax, 2, avx},
    {"sse3", 1, 0, ecx, 0, none},
    {"sse4.1", 1, 0, ecx, 19, none},
    {"sse4.2", 1, 0, ecx, 20, none},
    {"sse4a", kExtended, 0, ecx, 6, none},
    {"ssse3", 1, 0, ecx, 9, none},
    {"tbm", kExtended, 0, ecx, 21, none},
    {"vaes", 7, 0, ecx, 9, avx},
    {"vpclmulqdq", 7, 0, ecx, 10, avx},
    {"xop", kExtended, 0, ecx, 11, avx},
};

// The levels of the x86-64 psABI, each with what it adds to the one before.
struct Level {
  std::string_view name;
  std::vector<std::string_view> adds;
};

const std::vector<Level>& levels() {
  static const std::vector<Level> all = {
      {"x86-64", {}},
      {"x86-64-v2", {"cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"}},
      {"x86-64-v3", {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}},
      {"x86-64-v4", {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}},
  };
  return all;
}

// Models of processors that LLVM has a name and a schedule for.
struct Model {
  std::string_view vendor;
  std::uint32_t family, first, last;
  std::string_view name;
  std::size_t level;  // in levels(): whose features it has
};

constexpr std::string_view kIntel = "GenuineIntel";
constexpr std::string_view kAmd = "AuthenticAMD";

constexpr Model kModels[] = {
    {kAmd, 0x17, 0x00, 0x2f, "znver1", 2},        {kAmd, 0x17, 0x30, 0xff, "znver2", 2},
    {kAmd, 0x19, 0x00, 0x0f, "znver3", 2},        {kAmd, 0x19, 0x10, 0x1f, "znver4", 3},
    {kAmd, 0x19, 0x20, 0x5f, "znver3", 2},        {kAmd, 0x19, 0x60, 0xaf, "znver4", 3},
    {kAmd, 0x1a, 0x00, 0x7f, "znver5", 3},        {kIntel, 6, 0x3c, 0x3c, "haswell", 2},
    {kIntel, 6, 0x3d, 0x3d, "broadwell", 2},      {kIntel, 6, 0x3f, 0x3f, "haswell", 2},
    {kIntel, 6, 0x45, 0x46, "haswell", 2},        {kIntel, 6, 0x47, 0x47, "broadwell", 2},
    {kIntel, 6, 0x4e, 0x4e, "skylake", 2},        {kIntel, 6, 0x4f, 0x4f, "broadwell", 2},
    {kIntel, 6, 0x55, 0x55, "skylake-avx512", 3}, {kIntel, 6, 0x56, 0x56, "broadwell", 2},
    {kIntel, 6, 0x5e, 0x5e, "skylake", 2},        {kIntel, 6, 0x6a, 0x6a, "icelake-server", 3},
    {kIntel, 6, 0x6c, 0x6c, "icelake-server", 3}, {kIntel, 6, 0x7d, 0x7e, "icelake-client", 3},
    {kIntel, 6, 0x8c, 0x8d, "tigerlake", 3},      {kIntel, 6, 0x8e, 0x8e, "skylake", 2},
    {kIntel, 6, 0x8f, 0x8f, "sapphirerapids", 3}, {kIntel, 6, 0x97, 0x97, "alderlake", 2},
    {kIntel, 6, 0x9a, 0x9a, "alderlake", 2},      {kIntel, 6, 0x9e, 0x9e, "skylake", 2},
    {kIntel, 6, 0xa5, 0xa6, "skylake", 2},        {kIntel, 6, 0xaa, 0xaa, "meteorlake", 2},
    {kIntel, 6, 0xad, 0xad, "graniterapids", 3},  {kIntel, 6, 0xb7, 0xb7, "raptorlake", 2},
    {kIntel, 6, 0xba, 0xba, "raptorlake", 2},     {kIntel, 6, 0xcf, 0xcf, "emeraldrapids", 3},
};

std::set<std::string_view> featuresOf(const Cpuid& cpuid) {
  std::set<std::string_view> features;
  for (const auto& feature : kFeatures) {
    const bool isSaved = (cpuid.enabledStates & feature.states) == feature.states;
    const auto registers = cpuid.ask(feature.leaf, feature.subleaf);
    if (isSaved && (registers[feature.place] >> feature.bit & 1U) != 0) features.insert(feature.name);
  }
  return features;
}

// The highest of levels() all of whose features are there.
std::size_t levelOf(const std::set<std::string_view>& features) {
  std::size_t level = 0;
  while (level + 1 < levels().size() &&
         std::ranges::all_of(levels()[level + 1].adds, [&](auto name) { return features.contains(name); })) {
    ++level;
  }
  return level;
}

// The model, if it is known; CPUID leaf 1 spells family and model in two parts each.
const Model* modelOf(const Cpuid& cpuid) {
  const auto named = cpuid.ask(0, 0);
  std::string vendor;
  for (auto part : {named[ebx], named[edx], named[ecx]}) {
    for (unsigned byte = 0; byte < 4; ++byte) vendor.push_back(static_cast<char>(part >> 8 * byte & 0xff));
  }
  const auto signature = cpuid.ask(1, 0)[eax];
  auto family = signature >> 8 & 0xf;
  const auto model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
  if (family == 0xf) family += signature >> 20 & 0xff;
  const auto* found = std::ranges::find_if(kModels, [&](const Model& one) {
    return one.vendor == vendor && one.family == family && one.first <= model && model <= one.last;
  });
  return found == std::end(kModels) ? nullptr : &*found;
}

std::uint64_t enabledStates(const Cpuid::Registers& basics) {
  constexpr unsigned kOsxsave = 27;
  if ((basics[ecx] >> kOsxsave & 1U) == 0) return 0;
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

Cpuid ownCpuid() {
  Cpuid cpuid;
  cpuid.ask = [](std::uint32_t leaf, std::uint32_t subleaf) {
    Cpuid::Registers registers{};
    __get_cpuid_count(leaf, subleaf, &registers[eax], &registers[ebx], &registers[ecx], &registers[edx]);
    return registers;
  };
  cpuid.enabledStates = enabledStates(cpuid.ask(1, 0));
  return cpuid;
}

}  // namespace

std::string hostTargetName(const Cpuid& cpuid) {
  const auto features = featuresOf(cpuid);
  auto level = levelOf(features);
  std::string name(levels()[level].name);
  if (const auto* model = modelOf(cpuid); model != nullptr && model->level <= level) {
    name = model->name;
    level = model->level;
  }
  std::set<std::string_view> implied;
  for (std::size_t i = 0; i <= level; ++i) implied.insert(levels()[i].adds.begin(), levels()[i].adds.end());
  for (const auto& feature : kFeatures) {
    if (implied.contains(feature.name)) continue;
    name.append(":").append(feature.name).append(features.contains(feature.name) ? "+" : "-");
  }
  return name;
}

const Target& hostTarget() {
  static const Target target = *parseTarget(hostTargetName(ownCpuid()));
  return target;
}

const std::string& hostLevel() {
  static const std::string name(levels()[levelOf(featuresOf(ownCpuid()))].name);
  return name;
}

std::expected<Target, Failure> parseOwnTarget(std::string_view text) {
  if (text == kHost) return hostTarget();
  return parseTarget(text);
}

std::expected<std::vector<Target>, Failure> parseOwnTargets(const std::vector<std::string>& texts) {
  std::vector<Target> targets;
  for (const auto& text : texts) {
    auto target = parseOwnTarget(text);
    if (!target) return std::unexpected(std::move(target.error()));
    targets.push_back(std::move(*target));
  }
  return targets;
}

}  // namespace kiln::client
