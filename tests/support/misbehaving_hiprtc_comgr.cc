// The libamd_comgr.so.99 that belongs to misbehaving_hiprtc. It knows one processor, with one feature.
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

constexpr const char* kProcessor = "amdgcn-amd-amdhsa--gfx90a";

// amd_comgr_status_t, as far as it is used here.
enum Status { success = 0, invalidArgument = 2 };

struct Metadata {
  std::uint64_t handle;
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Status amd_comgr_get_isa_count(std::size_t* count) {
  *count = 1;
  return success;
}

Status amd_comgr_get_isa_name(std::size_t, const char** name) {
  *name = kProcessor;
  return success;
}

Status amd_comgr_get_isa_metadata(const char* name, Metadata*) {
  if (std::strncmp(name, kProcessor, std::strlen(kProcessor)) != 0) return invalidArgument;
  return std::strstr(name, "sramecc") == nullptr ? success : invalidArgument;
}

Status amd_comgr_destroy_metadata(Metadata) { return success; }

}  // extern "C"
#pragma GCC visibility pop
