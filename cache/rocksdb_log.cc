#include "cache/rocksdb_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>

namespace kiln {
namespace {

constexpr off_t kMostBytes = 1 << 20;

std::string timeNow() {
  std::array<char, 32> text{};
  const auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
  return text.data();
}

class StoreLog final : public rocksdb::Logger {
 public:
  explicit StoreLog(std::filesystem::path path)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), path_(std::move(path)) {}
  ~StoreLog() override {
    if (descriptor_ >= 0) close(descriptor_);
  }

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 4096> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    const auto line = timeNow() + text.data() + "\n";
    std::lock_guard lock(mutex_);
    if (!isOpen()) return;
    [[maybe_unused]] const auto written = write(descriptor_, line.data(), line.size());
  }

 private:
  bool isOpen() {
    struct stat status{};
    const bool isFull = descriptor_ >= 0 && fstat(descriptor_, &status) == 0 && status.st_size >= kMostBytes;
    if (isFull) {
      close(descriptor_);
      descriptor_ = -1;
      rename(path_.c_str(), (path_.string() + ".old").c_str());
    }
    if (descriptor_ < 0) descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return descriptor_ >= 0;
  }

  const std::filesystem::path path_;
  std::mutex mutex_;
  int descriptor_ = -1;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> makeStoreLog(const std::filesystem::path& directory) {
  return std::make_shared<StoreLog>(directory / "LOG");
}

}  // namespace kiln
