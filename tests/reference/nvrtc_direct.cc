// Compiles one CUDA source with NVRTC and nothing else: what kiln's outputs are compared with, and what its
// benchmarks are measured against. Holds no code of kiln's, so that it cannot share kiln's mistakes.
//
//   nvrtc_direct --library LIBNVRTC [--output cubin|ptx|ltoir=PATH]... [--log PATH] [--lowered-names PATH]
//                [--header NAME=PATH]... [--name-expression EXPRESSION]... [--repeat N]
//                [--warm-up SOURCE] --name NAME SOURCE -- OPTION...
//
// OPTIONs go to NVRTC as they are, -arch among them. PTX and the log are written without the NUL that ends
// them. The lowered names are written one a line, as EXPRESSION, a tab, NAME. With --repeat it compiles N
// times and prints the milliseconds of each, one a line. With --warm-up it compiles that source first, as a
// process does that has compiled before, and prints the milliseconds of the compile proper, from the
// program's creation to its outputs. Prints NVRTC's result ("NVRTC_SUCCESS") and exits with 0 if that is
// success, 1 if it is not, 2 if the program could not do its part.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using Program = void*;

struct Arguments {
  std::string library, source, name, log, loweredNames, warmUp;
  std::map<std::string, std::string> outputs;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> nameExpressions, options;
  int repeat = 0;
};

[[noreturn]] void fail(const std::string& message) {
  std::cerr << "nvrtc_direct: " << message << '\n';
  std::exit(2);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read '" + path + "'");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) fail("cannot write '" + path + "'");
}

std::pair<std::string, std::string> splitAtEquals(const std::string& text) {
  auto at = text.find('=');
  if (at == std::string::npos) fail("'" + text + "' has no '='");
  return {text.substr(0, at), text.substr(at + 1)};
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string argument = values[i];
    auto value = [&] {
      return i + 1 < count ? std::string(values[++i]) : (fail(argument + " needs a value"), "");
    };
    if (argument == "--") {
      arguments.options.assign(values + i + 1, values + count);
      break;
    }
    if (argument == "--library")
      arguments.library = value();
    else if (argument == "--output")
      arguments.outputs.insert(splitAtEquals(value()));
    else if (argument == "--log")
      arguments.log = value();
    else if (argument == "--lowered-names")
      arguments.loweredNames = value();
    else if (argument == "--header")
      arguments.headers.push_back(splitAtEquals(value()));
    else if (argument == "--name-expression")
      arguments.nameExpressions.push_back(value());
    else if (argument == "--repeat")
      arguments.repeat = std::atoi(value().c_str());
    else if (argument == "--warm-up")
      arguments.warmUp = value();
    else if (argument == "--name")
      arguments.name = value();
    else
      arguments.source = argument;
  }
  if (arguments.library.empty() || arguments.source.empty()) fail("--library and a source are needed");
  return arguments;
}

// NVRTC, opened by hand.
class Nvrtc {
 public:
  explicit Nvrtc(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) fail(dlerror());
  }

  // Calls the function `name`; its result code.
  template <typename... Values>
  int call(const char* name, Values... values) {
    return reinterpret_cast<int (*)(Values...)>(symbol(name))(values...);
  }
  std::string errorString(int result) {
    return reinterpret_cast<const char* (*)(int)>(symbol("nvrtcGetErrorString"))(result);
  }
  // What the pair of functions nvrtcGet<what>Size and nvrtcGet<what> yield.
  std::string bytes(Program program, const std::string& what) {
    std::size_t size = 0;
    check(call(("nvrtcGet" + what + "Size").c_str(), program, &size), "nvrtcGet" + what + "Size");
    std::string result(size, '\0');
    check(call(("nvrtcGet" + what).c_str(), program, result.data()), "nvrtcGet" + what);
    bool isText = what == "PTX" || what == "ProgramLog";
    if (isText && !result.empty() && result.back() == '\0') result.pop_back();
    return result;
  }
  void check(int result, const std::string& function) {
    if (result != 0) fail(function + ": " + errorString(result));
  }

 private:
  void* symbol(const char* name) {
    void* found = dlsym(handle_, name);
    if (found == nullptr) fail(dlerror());
    return found;
  }

  void* handle_;
};

Program create(Nvrtc& nvrtc, const Arguments& arguments, const std::string& source,
               const std::vector<std::pair<std::string, std::string>>& headers) {
  std::vector<const char*> contents;
  std::vector<const char*> names;
  for (const auto& [name, content] : headers) {
    names.push_back(name.c_str());
    contents.push_back(content.c_str());
  }
  Program program = nullptr;
  nvrtc.check(nvrtc.call("nvrtcCreateProgram", &program, source.c_str(), arguments.name.c_str(),
                         static_cast<int>(headers.size()), contents.data(), names.data()),
              "nvrtcCreateProgram");
  for (const auto& expression : arguments.nameExpressions) {
    nvrtc.check(nvrtc.call("nvrtcAddNameExpression", program, expression.c_str()), "nvrtcAddNameExpression");
  }
  return program;
}

int compile(Nvrtc& nvrtc, const Arguments& arguments, Program program) {
  std::vector<const char*> options;
  for (const auto& option : arguments.options) options.push_back(option.c_str());
  return nvrtc.call("nvrtcCompileProgram", program, static_cast<int>(options.size()), options.data());
}

double millisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// What a compile may leave behind in the process: loaded libraries, grown heaps.
void warmUp(Nvrtc& nvrtc, const Arguments& arguments) {
  auto program = create(nvrtc, arguments, read(arguments.warmUp), {});
  nvrtc.check(compile(nvrtc, arguments, program), "nvrtcCompileProgram of '" + arguments.warmUp + "'");
  nvrtc.call("nvrtcDestroyProgram", &program);
}

// All but the log, which a failed compile has too.
void writeOutputs(Nvrtc& nvrtc, const Arguments& arguments, Program program) {
  const std::map<std::string, std::string> functions = {
      {"cubin", "CUBIN"}, {"ptx", "PTX"}, {"ltoir", "LTOIR"}};
  for (const auto& [kind, path] : arguments.outputs) {
    auto function = functions.find(kind);
    if (function == functions.end()) fail("'" + kind + "' is no output");
    write(path, nvrtc.bytes(program, function->second));
  }
  std::string names;
  for (const auto& expression : arguments.nameExpressions) {
    const char* lowered = nullptr;
    nvrtc.check(nvrtc.call("nvrtcGetLoweredName", program, expression.c_str(), &lowered),
                "nvrtcGetLoweredName");
    names += expression + '\t' + lowered + '\n';
  }
  if (!arguments.loweredNames.empty()) write(arguments.loweredNames, names);
}

}  // namespace

int main(int count, char** values) {
  auto arguments = parse(count, values);
  auto source = read(arguments.source);
  auto headers = arguments.headers;
  for (auto& [name, content] : headers) content = read(content);
  Nvrtc nvrtc(arguments.library);
  if (!arguments.warmUp.empty()) warmUp(nvrtc, arguments);

  auto began = std::chrono::steady_clock::now();
  auto program = create(nvrtc, arguments, source, headers);
  int result = compile(nvrtc, arguments, program);
  if (!arguments.log.empty()) write(arguments.log, nvrtc.bytes(program, "ProgramLog"));
  if (result == 0) writeOutputs(nvrtc, arguments, program);
  if (!arguments.warmUp.empty()) std::cout << millisecondsSince(began) << '\n';
  nvrtc.call("nvrtcDestroyProgram", &program);

  for (int i = 0; i < arguments.repeat; ++i) {
    auto start = std::chrono::steady_clock::now();
    auto again = create(nvrtc, arguments, source, headers);
    compile(nvrtc, arguments, again);
    nvrtc.call("nvrtcDestroyProgram", &again);
    std::cout << millisecondsSince(start) << '\n';
  }
  std::cout << nvrtc.errorString(result) << '\n';
  return result == 0 ? 0 : 1;
}
