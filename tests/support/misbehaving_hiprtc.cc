// A stand-in for hiprtc that misbehaves when the source says so: libhiprtc.so.13.99, which is no version of
// AMD's. A compile yields "machine code", or with -fgpu-rdc "bitcode", that spells out what it was given, so
// that equal requests give equal bytes. Lines of the source that it obeys are those of misbehaviour.h, in
// order.
#include <cstddef>
#include <cstring>
#include <map>
#include <sstream>
#include <string>

#include "tests/support/misbehaviour.h"

namespace {

using kiln::test::Misbehaviour;

constexpr const char* kBuild = "1000";

// hiprtcResult, as far as it is used here.
enum Result { success = 0, outOfMemory = 1, invalidProgram = 4, compilation = 6, nameNotValid = 10 };

struct Program {
  std::string source, headers, log, code;
  std::map<std::string, std::string> loweredNames;
  bool relocatable = false;
};

Result answer(Program& program, Misbehaviour misbehaviour) {
  switch (misbehaviour) {
    case Misbehaviour::none:
      return success;
    case Misbehaviour::memory:
      return outOfMemory;
    case Misbehaviour::error:
    case Misbehaviour::errorOutOfMemory:
      break;
  }
  program.log += "/tmp/comgr-abcdef/input/CompileSource:1:1: error: misbehaving as told\n";
  return compilation;
}

Result tellSize(const std::string& text, std::size_t* size) {
  *size = text.size();
  return success;
}
Result tell(const std::string& text, char* into) {
  std::memcpy(into, text.data(), text.size());
  return success;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

const char* hiprtcGetErrorString(Result result) {
  switch (result) {
    case success:
      return "HIPRTC_SUCCESS";
    case outOfMemory:
      return "HIPRTC_ERROR_OUT_OF_MEMORY";
    case compilation:
      return "HIPRTC_ERROR_COMPILATION";
    default:
      return "HIPRTC_ERROR unknown";
  }
}

// As the real one says up to HIP 5; the name of the file tells more.
Result hiprtcVersion(int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return success;
}

Result hiprtcCreateProgram(Program** program, const char* source, const char*, int headerCount,
                           const char* const* headers, const char* const* headerNames) {
  *program = new Program;
  (*program)->source = source;
  for (int i = 0; i < headerCount; ++i) {
    (*program)->headers += "header " + std::string(headerNames[i]) + "\n" + headers[i] + "\n";
  }
  return success;
}

Result hiprtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return success;
}

Result hiprtcAddNameExpression(Program* program, const char* expression) {
  program->loweredNames[expression] = "_Z_" + std::string(expression);
  return success;
}

Result hiprtcCompileProgram(Program* program, int optionCount, const char* const* options) {
  std::string given;
  for (int i = 0; i < optionCount; ++i) {
    given += "option " + std::string(options[i]) + "\n";
    if (std::strcmp(options[i], "-fgpu-rdc") == 0) program->relocatable = true;
  }
  std::istringstream lines(program->source);
  for (std::string line; std::getline(lines, line);) {
    auto result = answer(*program, kiln::test::obey(line, kBuild, program->log));
    if (result != success) return result;
  }
  program->code = "misbehaving_hiprtc\n" + given + program->headers + "source\n" + program->source;
  return success;
}

Result hiprtcGetLoweredName(Program* program, const char* expression, const char** lowered) {
  auto found = program->loweredNames.find(expression);
  if (found == program->loweredNames.end()) return nameNotValid;
  *lowered = found->second.c_str();
  return success;
}

Result hiprtcGetProgramLogSize(Program* program, std::size_t* size) { return tellSize(program->log, size); }
Result hiprtcGetProgramLog(Program* program, char* into) { return tell(program->log, into); }

Result hiprtcGetCodeSize(Program* program, std::size_t* size) {
  return program->relocatable ? invalidProgram : tellSize(program->code, size);
}
Result hiprtcGetCode(Program* program, char* into) { return tell(program->code, into); }

Result hiprtcGetBitcodeSize(Program* program, std::size_t* size) {
  return program->relocatable ? tellSize(program->code, size) : invalidProgram;
}
Result hiprtcGetBitcode(Program* program, char* into) { return tell(program->code, into); }

}  // extern "C"
#pragma GCC visibility pop
