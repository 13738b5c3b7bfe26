#include "frontends/hiprtc/comgr.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "frontends/rtc/api.h"

namespace kiln::hiprtc {
namespace {

// amd_comgr_status_t and amd_comgr_metadata_node_t.
enum class Status : int { success = 0 };
struct MetadataNode {
  std::uint64_t handle;
};

struct Functions {
  Status (*getIsaCount)(std::size_t* count);
  Status (*getIsaName)(std::size_t index, const char** name);
  Status (*getIsaMetadata)(const char* name, MetadataNode* metadata);
  Status (*destroyMetadata)(MetadataNode metadata);
};

std::string load(void* comgr, Functions& functions) {
  std::string missing;
  auto need = [&](const char* name, auto& slot) {
    if (!rtc::loadFunction(comgr, name, slot) && missing.empty()) missing = name;
  };
  need("amd_comgr_get_isa_count", functions.getIsaCount);
  need("amd_comgr_get_isa_name", functions.getIsaName);
  need("amd_comgr_get_isa_metadata", functions.getIsaMetadata);
  need("amd_comgr_destroy_metadata", functions.destroyMetadata);
  return missing;
}

// A name is taken where it has metadata.
bool takes(const Functions& functions, const std::string& name) {
  MetadataNode metadata{};
  if (functions.getIsaMetadata(name.c_str(), &metadata) != Status::success) return false;
  functions.destroyMetadata(metadata);
  return true;
}

}  // namespace

bool isComgr(const std::filesystem::path& library) {
  return library.filename().native().starts_with("libamd_comgr.so");
}

std::expected<std::vector<std::string>, std::string> targetsOf(void* comgr) {
  Functions functions{};
  if (const auto missing = load(comgr, functions); !missing.empty()) {
    return std::unexpected("its comgr has no function " + missing);
  }
  constexpr std::string_view kTriple = "amdgcn-amd-amdhsa--";
  std::vector<std::string> targets;
  std::size_t count = 0;
  functions.getIsaCount(&count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    if (functions.getIsaName(i, &name) != Status::success) continue;
    const std::string processor(name);
    if (!processor.starts_with(kTriple)) continue;
    for (const char* sramecc : {"", ":sramecc+", ":sramecc-"}) {
      for (const char* xnack : {"", ":xnack+", ":xnack-"}) {
        const auto form = processor + sramecc + xnack;
        if (takes(functions, form)) targets.push_back(form.substr(kTriple.size()));
      }
    }
  }
  if (targets.empty()) return std::unexpected("its comgr knows no processor; install the whole of hiprtc");
  return targets;
}

}  // namespace kiln::hiprtc
