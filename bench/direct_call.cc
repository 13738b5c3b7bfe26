// What a program pays that calls hiprtc or nvJitLink itself, in a process of its own: no code of kiln's is in
// here.
//
// usage: direct_call hiprtc|nvjitlink LIBRARY SOURCE OUTPUT [OPTION...]
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

void* library;

// Calls a function of the library that gives 0 when all is well; ends the process where it is not.
template <typename... Arguments>
void call(const char* name, Arguments... arguments) {
  auto* function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name));
  const int status = function == nullptr ? -1 : function(arguments...);
  if (status == 0) return;
  std::fprintf(stderr, "direct_call: %s gives %d\n", name, status);
  std::exit(1);
}

std::string byHiprtc(const std::string& source, const char* name, std::vector<const char*> options) {
  void* program = nullptr;
  std::size_t size = 0;
  const char** none = nullptr;
  call("hiprtcCreateProgram", &program, source.c_str(), name, 0, none, none);
  call("hiprtcCompileProgram", program, static_cast<int>(options.size()), options.data());
  call("hiprtcGetCodeSize", program, &size);
  std::string code(size, '\0');
  call("hiprtcGetCode", program, code.data());
  call("hiprtcDestroyProgram", &program);
  return code;
}

std::string byNvJitLink(const std::string& source, const char* name, std::vector<const char*> options) {
  constexpr int kPtx = 2;
  void* handle = nullptr;
  std::size_t size = 0;
  call("nvJitLinkCreate", &handle, static_cast<unsigned>(options.size()), options.data());
  call("nvJitLinkAddData", handle, kPtx, source.data(), source.size(), name);
  call("nvJitLinkComplete", handle);
  call("nvJitLinkGetLinkedCubinSize", handle, &size);
  std::string cubin(size, '\0');
  call("nvJitLinkGetLinkedCubin", handle, cubin.data());
  call("nvJitLinkDestroy", &handle);
  return cubin;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) return 2;
  library = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "direct_call: %s\n", dlerror());
    return 1;
  }
  std::ifstream file(arguments[3], std::ios::binary);
  const std::string source{std::istreambuf_iterator<char>(file), {}};
  const std::vector<const char*> options(arguments + 5, arguments + count);
  const bool isHip = std::string_view(arguments[1]) == "hiprtc";
  std::ofstream(arguments[4], std::ios::binary)
      << (isHip ? byHiprtc(source, arguments[3], options) : byNvJitLink(source, arguments[3], options));
}
