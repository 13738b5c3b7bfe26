#include "frontends/llvm/link.h"

#include <fcntl.h>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "frontends/llvm/files.h"
#include "frontends/llvm/host_libraries.h"

LLD_HAS_DRIVER(elf)

namespace kiln::llvmir {
namespace {

Failure internal(const std::string& what) {
  return {FailureKind::internal, "linking failed within kiln: " + what + "; please report it"};
}

bool writeFile(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return false;
  while (!content.empty()) {
    const auto written = ::write(file, content.data(), content.size());
    if (written <= 0) break;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(file);
  return content.empty();
}

std::expected<std::string, Failure> readFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(internal("the linker left no file"));
  std::string content;
  char block[64 << 10];
  for (ssize_t size = 0; (size = ::read(file, block, sizeof block)) > 0;) {
    content.append(block, static_cast<std::size_t>(size));
  }
  ::close(file);
  return content;
}

// `log`, in which files are called as they are within `directory`.
std::string withoutDirectory(std::string log, const std::string& directory) {
  for (auto at = log.find(directory); at != std::string::npos; at = log.find(directory, at)) {
    log.erase(at, directory.size());
  }
  return log;
}

}  // namespace

std::expected<std::string, Failure> linkShared(const std::string& object, const std::string& source,
                                               Libraries libraries) {
  const std::string directory = std::string(kScratchPrefix) + "1";
  const auto input = directory + "/kernels.o";
  const auto output = directory + "/kernels.so";
  if (::mkdir(directory.c_str(), 0700) != 0 || !writeFile(input, object)) {
    return std::unexpected(internal("its scratch directory takes no file"));
  }
  // With threads the link of a forked child never ends.
  std::vector<std::string> arguments = {
      "ld.lld", "-shared", "--threads=1", "--no-undefined", "--build-id=none", "--output=" + output, input};
  if (libraries == Libraries::ofSystem) {
    auto standIns = writeStandIns(object, directory);
    if (!standIns) return std::unexpected(internal("the object cannot be read: " + standIns.error()));
    arguments.insert(arguments.end(), standIns->begin(), standIns->end());
  }
  std::vector<const char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(argument.c_str());
  std::string log;
  llvm::raw_string_ostream stream(log);
  const auto result = lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0) {
    return std::unexpected(Failure{FailureKind::compileError,
                                   "compiling '" + source + "': lld cannot link it; its log shows why",
                                   withoutDirectory(log, directory + "/")});
  }
  return readFile(output);
}

}  // namespace kiln::llvmir
