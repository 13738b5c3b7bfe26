// A stand-in for a disk that loses power or fills up: RocksDB's file system, with what a crash would drop
// kept in mind.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace kiln::test {

// Thread-safe.
class StandInDisk : public rocksdb::FileSystemWrapper {
 public:
  StandInDisk();

  // From now on, or once that many more writes, syncs and namings were done, everything that would change the
  // disk fails.
  void losePower() { operationsLeft_ = 0; }
  void losePowerAfter(std::int64_t operations) { operationsLeft_ = operations; }
  // Brings the files to what is sure to be there after the loss: content to what was synced, files to those
  // whose directory was synced after they were made. Whoever wrote them has closed them.
  void dropUnsynced();
  // While full, every write of content fails; or every one to a log, as where a log fills a disk that has
  // room for less.
  void setFull(bool full) { full_ = full; }
  void setFullForLogs(bool full) { fullForLogs_ = full; }
  // The writes that failed so.
  [[nodiscard]] int refused() const { return refused_; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  const char* Name() const override { return "StandInDisk"; }

 private:
  friend class StandInFile;
  friend class StandInDirectory;

  // Whether one more operation reaches the disk.
  rocksdb::IOStatus power();
  rocksdb::IOStatus room(const std::string& name);

  std::atomic<std::int64_t> operationsLeft_;
  std::atomic<bool> full_ = false;
  std::atomic<bool> fullForLogs_ = false;
  std::atomic<int> refused_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> syncedSizes_;
  std::set<std::string> unsyncedNames_;  // files whose directory was not synced since they were made
};

}  // namespace kiln::test
