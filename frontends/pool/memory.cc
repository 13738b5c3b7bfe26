#include "frontends/pool/memory.h"

#include <fstream>
#include <string>
#include <string_view>

namespace kiln {

std::uint64_t privateMemory(int processId) {
  std::ifstream status("/proc/" + std::to_string(processId) + "/status");
  std::uint64_t kibibytes = 0;
  for (std::string line; std::getline(status, line);) {
    for (std::string_view field : {"RssAnon:", "RssShmem:", "VmSwap:"}) {
      if (line.starts_with(field)) kibibytes += std::stoull(line.substr(field.size()));
    }
  }
  return kibibytes * 1024;
}

}  // namespace kiln
