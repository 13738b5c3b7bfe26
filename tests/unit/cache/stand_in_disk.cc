#include "tests/unit/cache/stand_in_disk.h"

#include <filesystem>
#include <limits>

namespace kiln::test {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class StandInFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  StandInFile(StandInDisk& disk, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), name_(std::move(name)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (auto status = writable(); !status.ok()) return status;
    auto status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    if (auto status = writable(); !status.ok()) return status;
    auto status = FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (auto status = disk_.power(); !status.ok()) return status;
    return synced(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (auto status = disk_.power(); !status.ok()) return status;
    return synced(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }

 private:
  IOStatus writable() {
    auto status = disk_.room(name_);
    return status.ok() ? disk_.power() : status;
  }
  IOStatus synced(IOStatus status) {
    std::lock_guard lock(disk_.mutex_);
    if (status.ok()) disk_.syncedSizes_[name_] = size_;
    return status;
  }

  StandInDisk& disk_;
  std::string name_;
  std::uint64_t size_ = 0;
};

class StandInDirectory : public rocksdb::FSDirectory {
 public:
  StandInDirectory(StandInDisk& disk, std::string name, std::unique_ptr<rocksdb::FSDirectory> directory)
      : disk_(disk), name_(std::move(name)), directory_(std::move(directory)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (auto status = disk_.power(); !status.ok()) return status;
    auto status = directory_->Fsync(options, debug);
    std::lock_guard lock(disk_.mutex_);
    if (status.ok()) {
      std::erase_if(disk_.unsyncedNames_, [&](const std::string& file) {
        return std::filesystem::path(file).parent_path() == name_;
      });
    }
    return status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return directory_->Close(options, debug);
  }

 private:
  StandInDisk& disk_;
  std::filesystem::path name_;
  std::unique_ptr<rocksdb::FSDirectory> directory_;
};

StandInDisk::StandInDisk()
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      operationsLeft_(std::numeric_limits<std::int64_t>::max()) {}

IOStatus StandInDisk::power() {
  if (operationsLeft_-- > 0) return IOStatus::OK();
  operationsLeft_ = 0;
  return IOStatus::IOError("the stand-in disk has no power");
}

IOStatus StandInDisk::room(const std::string& name) {
  if (!full_ && !(fullForLogs_ && name.ends_with(".log"))) return IOStatus::OK();
  ++refused_;
  return IOStatus::NoSpace("the stand-in disk is full");
}

void StandInDisk::dropUnsynced() {
  std::lock_guard lock(mutex_);
  for (const auto& [name, size] : syncedSizes_) {
    if (std::filesystem::exists(name)) std::filesystem::resize_file(name, size);
  }
  for (const auto& name : unsyncedNames_) std::filesystem::remove(name);
}

IOStatus StandInDisk::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      IODebugContext* debug) {
  if (auto status = power(); !status.ok()) return status;
  auto status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
  if (!status.ok()) return status;
  *result = std::make_unique<StandInFile>(*this, name, std::move(*result));
  std::lock_guard lock(mutex_);
  syncedSizes_[name] = 0;
  unsyncedNames_.insert(name);
  return status;
}

IOStatus StandInDisk::NewDirectory(const std::string& name, const IOOptions& options,
                                   std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  auto status = FileSystemWrapper::NewDirectory(name, options, result, debug);
  if (status.ok()) *result = std::make_unique<StandInDirectory>(*this, name, std::move(*result));
  return status;
}

IOStatus StandInDisk::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                 IODebugContext* debug) {
  if (auto status = power(); !status.ok()) return status;
  auto status = FileSystemWrapper::RenameFile(from, to, options, debug);
  std::lock_guard lock(mutex_);
  if (auto node = syncedSizes_.extract(from); status.ok() && !node.empty()) syncedSizes_[to] = node.mapped();
  unsyncedNames_.erase(from);
  return status;
}

IOStatus StandInDisk::DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* debug) {
  if (auto status = power(); !status.ok()) return status;
  auto status = FileSystemWrapper::DeleteFile(name, options, debug);
  std::lock_guard lock(mutex_);
  syncedSizes_.erase(name);
  unsyncedNames_.erase(name);
  return status;
}

}  // namespace kiln::test
