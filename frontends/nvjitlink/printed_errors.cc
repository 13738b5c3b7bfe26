#include "frontends/nvjitlink/printed_errors.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

namespace kiln::nvjitlink {
namespace {

void writeAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

PrintedErrors::PrintedErrors()
    : memory_(::memfd_create("kiln-printed-errors", MFD_CLOEXEC)), outer_(::dup(STDERR_FILENO)) {
  if (areKept()) ::dup2(memory_, STDERR_FILENO);
}

PrintedErrors::~PrintedErrors() {
  if (areKept()) {
    ::dup2(outer_, STDERR_FILENO);
    writeAll(outer_, text());
  }
  if (outer_ >= 0) ::close(outer_);
  if (memory_ >= 0) ::close(memory_);
}

std::string PrintedErrors::text() const {
  const auto size = ::lseek(memory_, 0, SEEK_END);
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  const auto read = ::pread(memory_, text.data(), text.size(), 0);
  text.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return text;
}

}  // namespace kiln::nvjitlink
