// Binaries made by the real compilers, which run in processes of their own.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/temporary_directory.h"

namespace kiln::test {

// Runs a command of the shell, which must succeed, and gives what it wrote to its standard output.
std::string outputOf(const std::string& command);

class RealCompilers {
 public:
  // `options` as the shell takes them. NVRTC 13.0 unless `older` asks for 12.9.
  enum class Nvrtc { current, older };
  std::string cubin(std::string_view source, const std::string& options, Nvrtc nvrtc = Nvrtc::current);
  std::string hsaco(std::string_view source, const std::string& options);

  // Where the last binary lies, for tools that read files.
  [[nodiscard]] std::string lastBinary() const { return file("binary"); }

 private:
  std::string compiled(std::string_view source, const std::string& command, const std::string& options);
  [[nodiscard]] std::string file(const char* name) const { return (directory_.path() / name).string(); }

  TemporaryDirectory directory_;
};

}  // namespace kiln::test
