// A stand-in for nvJitLink that misbehaves when the PTX says so: libnvJitLink.so.13 of version 13.99, which
// is none of NVIDIA's. A link yields a "cubin" that spells out what it was given, so that equal requests give
// equal bytes. Lines of the PTX that it obeys are those of misbehaviour.h, in order.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>

#include "tests/support/misbehaviour.h"

namespace {

using kiln::test::Misbehaviour;

constexpr const char* kBuild = "1000";

// nvJitLinkResult, as far as it is used here.
enum Result { success = 0, ptxCompile = 4, unsupportedArchitecture = 17 };

struct Link {
  std::string options, ptx, errors, info, code;
};

// nvJitLink tells of memory that it was refused, whichever part wanted it, as of an error of the PTX.
Result answer(Link& link, Misbehaviour misbehaviour) {
  switch (misbehaviour) {
    case Misbehaviour::none:
      return success;
    case Misbehaviour::error:
      link.errors += "ptxas fatal   : misbehaving as told\n";
      break;
    case Misbehaviour::errorOutOfMemory:
      link.errors += "ptxas fatal   : Memory allocation failure\n";
      break;
    case Misbehaviour::memory:
      break;
  }
  link.errors += "ERROR NVJITLINK_ERROR_PTX_COMPILE: misbehaving_nvjitlink\n";
  return ptxCompile;
}

Result tellSize(const std::string& text, std::size_t* size) {
  *size = text.size();
  return success;
}
Result tell(const std::string& text, void* into) {
  std::memcpy(into, text.data(), text.size());
  return success;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

Result nvJitLinkVersion(unsigned* major, unsigned* minor) {
  *major = 13;
  *minor = 99;
  return success;
}

Result nvJitLinkCreate(Link** link, std::uint32_t optionCount, const char** options) {
  *link = new Link;
  auto result = unsupportedArchitecture;
  for (std::uint32_t i = 0; i < optionCount; ++i) {
    (*link)->options += "option " + std::string(options[i]) + "\n";
    if (std::strcmp(options[i], "-arch=sm_90") == 0) result = success;
  }
  return result;
}

Result nvJitLinkDestroy(Link** link) {
  delete *link;
  *link = nullptr;
  return success;
}

Result nvJitLinkAddData(Link* link, int, const void* data, std::size_t size, const char*) {
  link->ptx.append(static_cast<const char*>(data), size);
  return success;
}

Result nvJitLinkComplete(Link* link) {
  std::istringstream lines(link->ptx);
  for (std::string line; std::getline(lines, line);) {
    auto result = answer(*link, kiln::test::obey(line, kBuild, link->info));
    if (result != success) return result;
  }
  link->code = "misbehaving_nvjitlink\n" + link->options + "source\n" + link->ptx;
  return success;
}

Result nvJitLinkGetLinkedCubinSize(Link* link, std::size_t* size) { return tellSize(link->code, size); }
Result nvJitLinkGetLinkedCubin(Link* link, void* into) { return tell(link->code, into); }

Result nvJitLinkGetErrorLogSize(Link* link, std::size_t* size) { return tellSize(link->errors, size); }
Result nvJitLinkGetErrorLog(Link* link, char* into) { return tell(link->errors, into); }
Result nvJitLinkGetInfoLogSize(Link* link, std::size_t* size) { return tellSize(link->info, size); }
Result nvJitLinkGetInfoLog(Link* link, char* into) { return tell(link->info, into); }

}  // extern "C"
#pragma GCC visibility pop
