#include "client/digest_cache.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace kiln::client {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

// How far apart two times must be for the file system to tell them apart. The kernel stamps files with the
// time of its last tick, at most 10 ms ago; file systems that keep whole seconds (FAT: even ones) show no
// fraction.
std::int64_t granularity(std::int64_t time) { return time % kSecond == 0 ? 2 * kSecond : 50 * kMillisecond; }

}  // namespace

ContentStamp stampOf(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

std::size_t DigestCache::StampHash::operator()(const ContentStamp& stamp) const noexcept {
  std::array<std::uint64_t, 5> words{stamp.device, stamp.inode, stamp.size,
                                     static_cast<std::uint64_t>(stamp.modified),
                                     static_cast<std::uint64_t>(stamp.changed)};
  return xxh3Checksum(std::as_bytes(std::span(words)));
}

DigestCache::DigestCache(std::size_t capacity, Clock clock) : capacity_(capacity), clock_(std::move(clock)) {}

std::int64_t DigestCache::realTime() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

std::optional<Hash128> DigestCache::find(const ContentStamp& stamp) {
  std::lock_guard lock(mutex_);
  const auto* digest = digests_.find(stamp);
  if (digest == nullptr) return std::nullopt;
  return *digest;
}

bool DigestCache::isSettled(const ContentStamp& stamp) const {
  auto latest =
      std::max(stamp.modified + granularity(stamp.modified), stamp.changed + granularity(stamp.changed));
  return clock_() > latest;
}

void DigestCache::insert(const ContentStamp& stamp, const Hash128& digest) {
  std::lock_guard lock(mutex_);
  if (digests_.contains(stamp)) return;
  digests_.insert(stamp, digest);
  if (digests_.size() > capacity_) digests_.popOldest();
}

}  // namespace kiln::client
