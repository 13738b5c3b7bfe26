#include "real_binaries.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace kiln::test {
namespace {

std::string fromEnvironment(const char* variable, const std::string& otherwise) {
  const char* value = std::getenv(variable);
  std::string found = value != nullptr ? value : otherwise;
  if (found.empty()) FAIL(variable << " is not set: run scripts/test, which fetches what it is to name");
  return found;
}

}  // namespace

std::string outputOf(const std::string& command) {
  INFO(command);
  auto* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 4096> part{};
  for (std::size_t size; (size = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
    output.append(part.data(), size);
  }
  REQUIRE(::pclose(pipe) == 0);
  return output;
}

std::string RealCompilers::cubin(std::string_view source, const std::string& options, Nvrtc nvrtc) {
  auto folder = nvrtc == Nvrtc::current ? fromEnvironment("KILN_TEST_NVRTC_13_0", "/usr/local/cuda/lib64")
                                        : fromEnvironment("KILN_TEST_NVRTC_12_9", "");
  auto library = folder + (nvrtc == Nvrtc::current ? "/libnvrtc.so.13" : "/libnvrtc.so.12");
  return compiled(source,
                  "LD_LIBRARY_PATH=" + folder + " " + KILN_NVRTC_DIRECT + " --library " + library +
                      " --output cubin=" + lastBinary() + " --log " + file("log") + " --name k.cu " +
                      file("source") + " --",
                  options);
}

std::string RealCompilers::hsaco(std::string_view source, const std::string& options) {
  return compiled(source,
                  std::string("python3 -B ") + KILN_SOURCE_DIR + "/tests/reference/hiprtc_direct.py " +
                      fromEnvironment("KILN_TEST_HIPRTC", "libamdhip64.so.5") + " " + file("source") + " " +
                      lastBinary() + " " + file("log"),
                  options);
}

std::string RealCompilers::compiled(std::string_view source, const std::string& command,
                                    const std::string& options) {
  std::ofstream(file("source"), std::ios::binary) << source;
  outputOf(command + " " + options);
  std::ifstream binary(lastBinary(), std::ios::binary);
  return {std::istreambuf_iterator<char>(binary), {}};
}

}  // namespace kiln::test
