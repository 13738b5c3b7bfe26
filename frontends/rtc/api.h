// The interface that NVRTC and hiprtc have in common: hiprtc's follows NVRTC's, results and all. What only
// one of them has is in its own folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kiln::rtc {

// nvrtcResult and hiprtcResult, as far as kiln tells results apart.
enum class Result : int {
  success = 0,
  outOfMemory = 1,
  invalidOption = 5,
  compilation = 6,
  builtinOperationFailure = 7,
};

struct ProgramObject;
using ProgramHandle = ProgramObject*;

// Every function that kiln calls in both, by its name without the library's prefix.
struct Functions {
  const char* (*getErrorString)(Result);
  Result (*version)(int* major, int* minor);
  Result (*createProgram)(ProgramHandle*, const char* source, const char* name, int headerCount,
                          const char* const* headers, const char* const* headerNames);
  Result (*destroyProgram)(ProgramHandle*);
  Result (*addNameExpression)(ProgramHandle, const char* expression);
  Result (*compileProgram)(ProgramHandle, int optionCount, const char* const* options);
  Result (*getLoweredName)(ProgramHandle, const char* expression, const char** lowered);
  Result (*getProgramLogSize)(ProgramHandle, std::size_t*);
  Result (*getProgramLog)(ProgramHandle, char*);
};

// One loaded library.
struct Api {
  std::string_view compiler;  // what messages call it: "NVRTC"
  std::string_view prefix;    // what its functions' names begin with: "nvrtc"
  Functions functions{};

  const Functions* operator->() const { return &functions; }
};

// Finds the functions of `api` in `library`, a handle of dlopen(). The name of the first that is missing;
// empty if none is.
std::string loadFunctions(void* library, Api& api);

// The function `name` of `library`; null if it has none.
void* findFunction(void* library, const std::string& name);

// The same in `slot`; whether it is there.
template <typename Function>
bool loadFunction(void* library, const std::string& name, Function*& slot) {
  slot = reinterpret_cast<Function*>(findFunction(library, name));
  return slot != nullptr;
}

}  // namespace kiln::rtc
