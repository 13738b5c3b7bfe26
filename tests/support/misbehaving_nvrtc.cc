// A stand-in for NVRTC that misbehaves when the source says so: libnvrtc.so.13 of version 13.99, which is
// none of NVIDIA's. A compile yields a "cubin" and "PTX" that spell out what it was given, so that equal
// requests give equal bytes. Lines of the source that it obeys, in order:
//
//   misbehave: HOW        one of misbehaviour.h
//   call FUNCTION PATH    makes a call of file_calls.h; its description is a line of the log
//
// The environment variable KILN_MISBEHAVING_NVRTC makes it misbehave without a source: "die-when-loaded", or
// "die-when-warmed" (in the first compile of a process).
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/file_calls.h"
#include "tests/support/misbehaviour.h"

namespace {

using kiln::test::Misbehaviour;

// Which build this is; part of every output. A test makes another build by writing over the number in the
// file.
const volatile char build[] = "misbehaving build 1000";

std::string buildNumber() {
  std::string text;
  for (const volatile char* at = build; *at != '\0'; ++at) text += *at;
  return text.substr(text.rfind(' ') + 1);
}

// nvrtcResult, as far as it is used here.
enum Result {
  success = 0,
  outOfMemory = 1,
  invalidInput = 3,
  invalidOption = 5,
  compilation = 6,
  nameNotValid = 10
};

struct Program {
  std::string source, name;
  std::vector<std::pair<std::string, std::string>> headers;
  std::map<std::string, std::string> loweredNames;
  std::string log, code;
  bool lto = false;
};

bool environmentSays(const char* what) {
  const char* value = std::getenv("KILN_MISBEHAVING_NVRTC");
  return value != nullptr && std::strcmp(value, what) == 0;
}

Result answer(Program& program, Misbehaviour misbehaviour) {
  switch (misbehaviour) {
    case Misbehaviour::memory:
      return outOfMemory;
    case Misbehaviour::errorOutOfMemory:
      program.log += program.name + "(1): catastrophic error: out of memory\n";
      return compilation;
    case Misbehaviour::error:
      program.log += program.name + "(1): error: misbehaving as told\n";
      return compilation;
    case Misbehaviour::none:
      break;
  }
  return success;
}

Result obey(Program& program) {
  std::istringstream lines(program.source);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string verb, function, path;
    words >> verb >> function >> path;
    if (verb == "call") program.log += std::string(fileCall(function.c_str(), path.c_str())) + "\n";
    auto result = answer(program, kiln::test::obey(line, buildNumber(), program.log));
    if (result != success) return result;
  }
  return success;
}

std::string codeOf(const Program& program, int count, const char* const* options) {
  std::string code = "misbehaving_nvrtc\nbuild " + buildNumber() + "\n";
  for (int i = 0; i < count; ++i) code += "option " + std::string(options[i]) + "\n";
  for (const auto& [name, content] : program.headers) code += "header " + name + "\n" + content + "\n";
  return code + "source\n" + program.source;
}

// The size that NVRTC tells for a text counts its NUL.
Result tellText(const std::string& text, char* into) {
  std::memcpy(into, text.c_str(), text.size() + 1);
  return success;
}
Result tellBytes(const std::string& bytes, char* into) {
  std::memcpy(into, bytes.data(), bytes.size());
  return success;
}

__attribute__((constructor)) void loaded() {
  if (environmentSays("die-when-loaded")) std::abort();
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

const char* nvrtcGetErrorString(Result result) {
  switch (result) {
    case success:
      return "NVRTC_SUCCESS";
    case outOfMemory:
      return "NVRTC_ERROR_OUT_OF_MEMORY";
    case compilation:
      return "NVRTC_ERROR_COMPILATION";
    case invalidOption:
      return "NVRTC_ERROR_INVALID_OPTION";
    default:
      return "NVRTC_ERROR unknown";
  }
}

Result nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 99;
  return success;
}

Result nvrtcGetNumSupportedArchs(int* count) {
  *count = 1;
  return success;
}

Result nvrtcGetSupportedArchs(int* architectures) {
  architectures[0] = 90;
  return success;
}

Result nvrtcCreateProgram(Program** program, const char* source, const char* name, int headerCount,
                          const char* const* headers, const char* const* headerNames) {
  *program = new Program{.source = source,
                         .name = name == nullptr ? "" : name,
                         .headers = {},
                         .loweredNames = {},
                         .log = {},
                         .code = {}};
  for (int i = 0; i < headerCount; ++i) (*program)->headers.emplace_back(headerNames[i], headers[i]);
  return success;
}

Result nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return success;
}

Result nvrtcAddNameExpression(Program* program, const char* expression) {
  program->loweredNames[expression] = "_Z_" + std::string(expression);
  return success;
}

Result nvrtcCompileProgram(Program* program, int optionCount, const char* const* options) {
  if (environmentSays("die-when-warmed")) std::abort();
  for (int i = 0; i < optionCount; ++i) {
    if (std::strcmp(options[i], "-dlto") == 0) program->lto = true;
    if (std::strcmp(options[i], "--misbehave=invalid-option") == 0) {
      program->log = "nvrtc: error: unrecognized option --misbehave=invalid-option found\n";
      return invalidOption;
    }
  }
  auto result = obey(*program);
  if (result == success) program->code = codeOf(*program, optionCount, options);
  return result;
}

Result nvrtcGetLoweredName(Program* program, const char* expression, const char** lowered) {
  auto found = program->loweredNames.find(expression);
  if (found == program->loweredNames.end()) return nameNotValid;
  *lowered = found->second.c_str();
  return success;
}

Result nvrtcGetProgramLogSize(Program* program, std::size_t* size) {
  *size = program->log.size() + 1;
  return success;
}
Result nvrtcGetProgramLog(Program* program, char* into) { return tellText(program->log, into); }

Result nvrtcGetPTXSize(Program* program, std::size_t* size) {
  *size = (program->lto ? 0 : program->code.size()) + 1;
  return success;
}
Result nvrtcGetPTX(Program* program, char* into) {
  return tellText(program->lto ? std::string() : program->code, into);
}

Result nvrtcGetCUBINSize(Program* program, std::size_t* size) {
  *size = program->lto ? 0 : program->code.size();
  return success;
}
Result nvrtcGetCUBIN(Program* program, char* into) {
  return tellBytes(program->lto ? std::string() : program->code, into);
}

Result nvrtcGetLTOIRSize(Program* program, std::size_t* size) {
  *size = program->lto ? program->code.size() : 0;
  return success;
}
Result nvrtcGetLTOIR(Program* program, char* into) {
  return tellBytes(program->lto ? program->code : std::string(), into);
}

}  // extern "C"
#pragma GCC visibility pop
