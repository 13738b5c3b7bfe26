#include "frontends/rtc/api.h"

#include <dlfcn.h>

namespace kiln::rtc {

void* findFunction(void* library, const std::string& name) { return dlsym(library, name.c_str()); }

std::string loadFunctions(void* library, Api& api) {
  std::string missing;
  auto load = [&](const char* rest, auto& slot) {
    auto name = std::string(api.prefix) + rest;
    if (!loadFunction(library, name, slot) && missing.empty()) missing = name;
  };
  auto& functions = api.functions;
  load("GetErrorString", functions.getErrorString);
  load("Version", functions.version);
  load("CreateProgram", functions.createProgram);
  load("DestroyProgram", functions.destroyProgram);
  load("AddNameExpression", functions.addNameExpression);
  load("CompileProgram", functions.compileProgram);
  load("GetLoweredName", functions.getLoweredName);
  load("GetProgramLogSize", functions.getProgramLogSize);
  load("GetProgramLog", functions.getProgramLog);
  return missing;
}

}  // namespace kiln::rtc
