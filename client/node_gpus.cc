#include "client/node_gpus.h"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::client {
namespace {

constexpr const char* kAmdTopology = "/sys/class/kfd/kfd/topology/nodes";

void addOnce(std::vector<Target>& targets, Target target) {
  if (std::ranges::find(targets, target) == targets.end()) targets.push_back(std::move(target));
}

// What of cuda.h it takes to ask for a device's architecture.
struct CudaDriver {
  static constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  static constexpr int kMinor = 76;

  int (*initialise)(unsigned) = nullptr;
  int (*count)(int*) = nullptr;
  int (*device)(int*, int) = nullptr;
  int (*attribute)(int*, int, int) = nullptr;

  // The library stays loaded: drivers are not unloaded.
  static std::optional<CudaDriver> find() {
    void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::nullopt;
    CudaDriver driver;
    const auto get = [&]<typename Function>(Function& function, const char* name) {
      function = reinterpret_cast<Function>(::dlsym(library, name));
      return function != nullptr;
    };
    const bool isWhole = get(driver.initialise, "cuInit") && get(driver.count, "cuDeviceGetCount") &&
                         get(driver.device, "cuDeviceGet") && get(driver.attribute, "cuDeviceGetAttribute");
    if (!isWhole || driver.initialise(0) != 0) return std::nullopt;
    return driver;
  }

  [[nodiscard]] std::optional<Target> architectureOf(int number) const {
    int handle = 0;
    int major = 0;
    int minor = 0;
    if (device(&handle, number) != 0 || attribute(&major, kMajor, handle) != 0 ||
        attribute(&minor, kMinor, handle) != 0) {
      return std::nullopt;
    }
    return Target{Target::Kind::nvidiaReal, "sm_" + std::to_string(major) + std::to_string(minor)};
  }
};

std::vector<Target> nvidiaGpus() {
  std::vector<Target> gpus;
  const auto driver = CudaDriver::find();
  int devices = 0;
  if (!driver || driver->count(&devices) != 0) return gpus;
  for (int i = 0; i < devices; ++i) {
    if (auto target = driver->architectureOf(i)) addOnce(gpus, std::move(*target));
  }
  return gpus;
}

// 90010 is gfx90a: the major version, the minor one and the stepping, two decimal digits each but for the
// first.
std::string amdName(unsigned version) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto stepping = version % 100;
  return "gfx" + std::to_string(version / 10000) + std::to_string(version / 100 % 100) +
         std::string(1, kDigits[stepping % kDigits.size()]);
}

// The architecture's number, 90 of "sm_90a", and the letter behind it or NUL.
struct Architecture {
  unsigned number = 0;
  char letter = 0;
};

Architecture architectureOf(const Target& target) {
  std::string_view name = target.name;
  name.remove_prefix(name.find('_') + 1);
  Architecture architecture;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), architecture.number);
  if (parsed.ptr != name.data() + name.size()) architecture.letter = *parsed.ptr;
  return architecture;
}

bool runsOnNvidia(const Target& target, const Target& gpu) {
  const auto code = architectureOf(target);
  const auto device = architectureOf(gpu);
  if (code.letter == 'a') return code.number == device.number;
  const bool isOfFamily = code.number / 10 == device.number / 10 && code.number <= device.number;
  if (code.letter == 'f' || target.kind == Target::Kind::nvidiaReal) return isOfFamily;
  return code.number <= device.number;
}

}  // namespace

std::vector<Target> amdGpusIn(const std::filesystem::path& topology) {
  std::vector<Target> gpus;
  std::error_code error;
  for (const auto& node : std::filesystem::directory_iterator(topology, error)) {
    std::ifstream properties(node.path() / "properties");
    std::string name;
    unsigned long value = 0;
    while (properties >> name >> value) {
      if (name != "gfx_target_version" || value == 0) continue;
      if (auto target = parseTarget(amdName(static_cast<unsigned>(value)))) addOnce(gpus, std::move(*target));
    }
  }
  std::ranges::sort(gpus, {}, &Target::name);
  return gpus;
}

std::vector<Target> nodeGpus() {
  auto gpus = nvidiaGpus();
  for (auto& gpu : amdGpusIn(kAmdTopology)) addOnce(gpus, std::move(gpu));
  return gpus;
}

bool runsOn(const Target& target, const Target& gpu) {
  const bool isAmd = target.kind == Target::Kind::amd;
  if (isAmd != (gpu.kind == Target::Kind::amd) || target.kind == Target::Kind::host) return false;
  return isAmd ? partsOf(target).processor == partsOf(gpu).processor : runsOnNvidia(target, gpu);
}

}  // namespace kiln::client
