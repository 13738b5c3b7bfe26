#include "frontends/process/prefault.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

constexpr std::uintptr_t kPage = 4096;
// What is done between two looks at the socket: some tens of microseconds, more where a library has to be
// read from disk, which the compile would have to wait for too.
constexpr std::uintptr_t kStep = 64 * kPage;
// Nothing that is larger is a library or a heap; sanitizers reserve terabytes.
constexpr std::uintptr_t kLargestMapping = 1ull << 30;

struct Mapping {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  bool isWritable = false;  // and private
};

std::string readAll(const char* path) {
  std::string text;
  int file = raw::openAt(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  std::array<char, 65536> buffer;
  for (ssize_t count = 0; (count = ::read(file, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(file);
  return text;
}

// "7f00-7f10 rw-p 00000000 00:00 0   name". Nothing for what cannot be read, or is shared.
std::optional<Mapping> readMapping(std::string_view line) {
  Mapping mapping;
  const auto* end = line.data() + line.size();
  auto start = std::from_chars(line.data(), end, mapping.start, 16);
  if (start.ec != std::errc() || start.ptr == end) return std::nullopt;
  auto stop = std::from_chars(start.ptr + 1, end, mapping.end, 16);
  if (stop.ec != std::errc() || end - stop.ptr < 5) return std::nullopt;
  const std::string_view permissions(stop.ptr + 1, 4);
  if (permissions[0] != 'r' || permissions[3] != 'p' || line.ends_with("[vvar]")) return std::nullopt;
  if (mapping.end - mapping.start > kLargestMapping) return std::nullopt;
  mapping.isWritable = permissions[1] == 'w';
  return mapping;
}

std::vector<Mapping> ownMappings() {
  std::vector<Mapping> mappings;
  const auto text = readAll("/proc/self/maps");
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size());
    if (auto mapping = readMapping(std::string_view(text).substr(at, end - at))) mappings.push_back(*mapping);
    at = end + 1;
  }
  return mappings;
}

bool isReadable(int socket) {
  pollfd item{socket, POLLIN, 0};
  return ::poll(&item, 1, 0) != 0;
}

// Which of the pages from `start` are there: bit 63 of what the kernel says of each.
class Pagemap {
 public:
  Pagemap() : file_(raw::openAt(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  ~Pagemap() {
    if (file_ >= 0) ::close(file_);
  }
  Pagemap(const Pagemap&) = delete;
  Pagemap& operator=(const Pagemap&) = delete;

  // The next run of present pages in [start, end); empty if there is none.
  Mapping nextPresent(std::uintptr_t start, std::uintptr_t end) {
    std::array<std::uint64_t, kStep / kPage> words;
    auto wanted = std::min<std::size_t>(words.size(), (end - start) / kPage) * sizeof(std::uint64_t);
    auto offset = static_cast<off_t>(start / kPage * sizeof(std::uint64_t));
    auto count = ::pread(file_, words.data(), wanted, offset);
    if (count <= 0) return {};
    auto isPresent = [](std::uint64_t word) { return (word >> 63) != 0; };
    const std::uint64_t* begin = words.data();
    const auto* last = begin + count / sizeof(std::uint64_t);
    const auto* first = std::find_if(begin, last, isPresent);
    const auto* behind = std::find_if_not(first, last, isPresent);
    auto address = [&](const std::uint64_t* word) {
      return start + static_cast<std::uintptr_t>(word - begin) * kPage;
    };
    return {address(first), address(behind)};
  }

 private:
  int file_;
};

}  // namespace

void prefaultUntilReadable(int socket) {
  if (isReadable(socket)) return;
  Pagemap pagemap;
  const auto mappings = ownMappings();
  for (bool writable : {true, false}) {
    for (const auto& mapping : mappings) {
      if (mapping.isWritable != writable) continue;
      for (auto at = mapping.start; at < mapping.end;) {
        if (isReadable(socket)) return;
        auto end = std::min(at + kStep, mapping.end);
        Mapping run{at, end};
        if (writable) run = pagemap.nextPresent(at, end);
        if (run.start < run.end) {
          ::madvise(reinterpret_cast<void*>(run.start), run.end - run.start,
                    writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
        }
        at = run.start < run.end ? run.end : end;
      }
    }
  }
}

}  // namespace kiln
