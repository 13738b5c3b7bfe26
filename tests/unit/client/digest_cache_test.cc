#include "client/digest_cache.h"

#include <catch2/catch.hpp>

using kiln::ContentStamp;
using kiln::Hash128;
using kiln::xxh3;
using kiln::client::DigestCache;

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;
constexpr std::int64_t kWritten = 1'700'000'000 * kSecond + 5;

ContentStamp stampOfInode(std::uint64_t inode) { return {1, inode, 100, kWritten, kWritten}; }

}  // namespace

TEST_CASE("a digest is found by exactly the stamp it was kept under") {
  DigestCache cache;
  auto stamp = stampOfInode(1);
  cache.insert(stamp, xxh3("a"));
  CHECK(cache.find(stamp) == xxh3("a"));

  auto differs = [&](auto change) {
    auto other = stamp;
    change(other);
    return !cache.find(other);
  };
  CHECK(differs([](ContentStamp& other) { ++other.device; }));
  CHECK(differs([](ContentStamp& other) { ++other.inode; }));
  CHECK(differs([](ContentStamp& other) { ++other.size; }));
  CHECK(differs([](ContentStamp& other) { ++other.modified; }));
  CHECK(differs([](ContentStamp& other) { ++other.changed; }));
}

TEST_CASE("a file is settled once its times lie behind the clock's granularity") {
  std::int64_t now = kWritten;
  DigestCache cache(10, [&] { return now; });
  CHECK_FALSE(cache.isSettled(stampOfInode(1)));
  now = kWritten + 49 * kMillisecond;
  CHECK_FALSE(cache.isSettled(stampOfInode(1)));
  now = kWritten + 51 * kMillisecond;
  CHECK(cache.isSettled(stampOfInode(1)));
}

TEST_CASE("an old modification time does not hide a recent change") {
  std::int64_t now = kWritten + 10 * kMillisecond;
  DigestCache cache(10, [&] { return now; });
  auto stamp = stampOfInode(1);
  stamp.modified -= 3'600 * kSecond;
  CHECK_FALSE(cache.isSettled(stamp));
}

TEST_CASE("a time in the future is not settled") {
  DigestCache cache(10, [] { return kWritten - kSecond; });
  CHECK_FALSE(cache.isSettled(stampOfInode(1)));
}

TEST_CASE("a file system that keeps whole seconds is given two of them") {
  std::int64_t now = kWritten + kSecond;
  DigestCache cache(10, [&] { return now; });
  ContentStamp stamp{1, 1, 100, kWritten - 5, kWritten - 5};
  CHECK_FALSE(cache.isSettled(stamp));
  now = kWritten + 2 * kSecond;
  CHECK(cache.isSettled(stamp));
}

TEST_CASE("the least recently used goes first") {
  DigestCache cache(2);
  cache.insert(stampOfInode(1), xxh3("1"));
  cache.insert(stampOfInode(2), xxh3("2"));
  CHECK(cache.find(stampOfInode(1)));
  cache.insert(stampOfInode(3), xxh3("3"));
  CHECK(cache.find(stampOfInode(1)));
  CHECK_FALSE(cache.find(stampOfInode(2)));
  CHECK(cache.find(stampOfInode(3)));
}
