#include "frontends/process/directory_streams.h"

#include <algorithm>
#include <cstring>

#include "frontends/process/raw_calls.h"

namespace kiln {

bool fill(struct dirent& entry, const std::string& name, std::size_t position) {
  if (name.size() >= sizeof entry.d_name) return false;
  entry = {};
  entry.d_ino = position + 1;  // never 0, which means a deleted entry
  entry.d_off = static_cast<off_t>(position + 1);
  entry.d_reclen = sizeof entry;
  entry.d_type = DT_UNKNOWN;
  std::memcpy(entry.d_name, name.c_str(), name.size() + 1);
  return true;
}

DirectoryStream::DirectoryStream(std::vector<std::string> names, int descriptor)
    : names_(std::move(names)), descriptor_(descriptor) {}

DirectoryStream::~DirectoryStream() { raw::call(SYS_close, descriptor_); }

struct dirent* DirectoryStream::read() {
  while (next_ < names_.size()) {
    auto position = next_++;
    if (fill(entry_, names_[position], position)) return &entry_;
  }
  return nullptr;
}

void DirectoryStream::seek(long position) {
  next_ = std::min(static_cast<std::size_t>(std::max(position, 0L)), names_.size());
}

DIR* DirectoryStreams::open(std::vector<std::string> names, int descriptor) {
  auto stream = std::make_unique<DirectoryStream>(std::move(names), descriptor);
  auto* handle = reinterpret_cast<DIR*>(stream.get());
  streams_.emplace(handle, std::move(stream));
  return handle;
}

DirectoryStream* DirectoryStreams::find(DIR* stream) {
  auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second.get();
}

}  // namespace kiln
