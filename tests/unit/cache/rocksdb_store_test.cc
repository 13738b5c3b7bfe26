#include "cache/rocksdb_store.h"

#include <rocksdb/env.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <thread>

#include "cache/rocksdb_store_env.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cache/stand_in_disk.h"

using namespace kiln;
using namespace kiln::test;

namespace {

Request requestNumber(int number) {
  auto request = sampleRequest();
  request.options.push_back("-DNUMBER=" + std::to_string(number));
  return request;
}

std::map<std::string, std::string> contentOf(const std::filesystem::path& directory) {
  std::map<std::string, std::string> content;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(file.path(), std::ios::binary);
    content[file.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return content;
}

// A store on a stand-in disk.
struct DiskFixture {
  TemporaryDirectory directory;
  std::filesystem::path path = directory.path() / "store";
  std::shared_ptr<StandInDisk> disk = std::make_shared<StandInDisk>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
  std::unique_ptr<Store> store = openRocksDbStore(path, env.get()).value();

  bool put(int number) {
    return store->put(sampleEntry(requestNumber(number)), requestNumber(number)).has_value();
  }
  // RocksDB looks for room again by itself.
  void putOnceThereIsRoom(int number) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!put(number)) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }

  void losePowerAndReopen() {
    disk->losePower();
    store.reset();
    disk->dropUnsynced();
    store = openRocksDbStore(path).value();
  }
};

}  // namespace

TEST_CASE("A store keeps what was put when it is opened again") {
  TemporaryDirectory directory;
  auto entry = sampleEntry(sampleRequest());
  auto later = entry;
  later.namesBind = true;
  later.key = entryKey(later);
  REQUIRE(openRocksDbStore(directory.path()).value()->put(entry, sampleRequest()));
  for (int i = 0; i < 3; ++i) {
    auto store = openRocksDbStore(directory.path()).value();
    REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
    REQUIRE(store->request("default", entry.requestHash).value() == sampleRequest());
    REQUIRE(store->put(i % 2 == 0 ? later : entry, sampleRequest()));
    auto manifests = store->manifests("default", entry.requestHash, Which::all).value();
    REQUIRE(manifests.size() == 2);
    REQUIRE(manifests[0].key == (i % 2 == 0 ? later.key : entry.key));
  }
}

TEST_CASE("A store's directory is made for its owner alone, with the directories above it") {
  TemporaryDirectory directory;
  auto path = directory.path() / "cache" / "kiln";
  auto mask = umask(0);
  auto store = openRocksDbStore(path);
  umask(mask);
  REQUIRE(store);
  struct stat status{};
  REQUIRE(stat(path.c_str(), &status) == 0);
  REQUIRE((status.st_mode & 07777) == 0700);
}

TEST_CASE("A store of a newer format is refused by both numbers and not touched") {
  TemporaryDirectory directory;
  REQUIRE(openRocksDbStore(directory.path()));
  std::ofstream(directory.path() / "FORMAT") << "kiln-store 12\n";
  auto before = contentOf(directory.path());
  auto store = openRocksDbStore(directory.path());
  REQUIRE_FALSE(store);
  REQUIRE(store.error().message.find(directory.path()) != std::string::npos);
  REQUIRE(store.error().message.find("format 12") != std::string::npos);
  REQUIRE(store.error().message.find("format 1;") != std::string::npos);
  REQUIRE(contentOf(directory.path()) == before);
}

TEST_CASE("A directory whose format file says nothing is refused and not touched") {
  TemporaryDirectory directory;
  std::ofstream(directory.path() / "FORMAT")
      << GENERATE("", "kiln-store ", "kiln-store x", "kiln-store 0", "other 1");
  auto before = contentOf(directory.path());
  auto store = openRocksDbStore(directory.path());
  REQUIRE_FALSE(store);
  REQUIRE(store.error().message.find("FORMAT") != std::string::npos);
  REQUIRE(contentOf(directory.path()) == before);
}

TEST_CASE("The database of another program is refused and not touched") {
  TemporaryDirectory directory;
  std::ofstream(directory.path() / "CURRENT") << "MANIFEST-000004\n";
  auto store = openRocksDbStore(directory.path());
  REQUIRE_FALSE(store);
  REQUIRE(store.error().message.find("another program") != std::string::npos);
  REQUIRE(contentOf(directory.path()).size() == 1);
}

TEST_CASE("A path that is no directory is refused by its name") {
  TemporaryDirectory directory;
  auto path = directory.path() / "file";
  std::ofstream(path) << "x";
  auto store = openRocksDbStore(path);
  REQUIRE_FALSE(store);
  REQUIRE(store.error().message.find(path.string() + ": Not a directory") != std::string::npos);
}

TEST_CASE("What was acknowledged survives a power loss right afterwards") {
  DiskFixture fixture;
  for (int i = 0; i < 3; ++i) REQUIRE(fixture.put(i));
  fixture.losePowerAndReopen();
  for (int i = 0; i < 3; ++i) {
    auto entry = sampleEntry(requestNumber(i));
    REQUIRE(fixture.store->find("default", entry.key, Which::all).value() == entry);
    REQUIRE(fixture.store->manifests("default", entry.requestHash, Which::all)->size() == 1);
    REQUIRE(fixture.store->request("default", entry.requestHash).value() == requestNumber(i));
  }
}

TEST_CASE("After a power loss at any moment what was acknowledged is there and the rest is whole or absent") {
  for (int operations = 0; operations < 12; ++operations) {
    INFO("power lost after " << operations << " operations");
    DiskFixture fixture;
    fixture.disk->losePowerAfter(operations);
    std::vector<bool> acknowledged;
    for (int i = 0; i < 6; ++i) acknowledged.push_back(fixture.put(i));
    fixture.losePowerAndReopen();
    REQUIRE_FALSE(acknowledged.back());
    for (int i = 0; i < 6; ++i) {
      auto entry = sampleEntry(requestNumber(i));
      auto found = fixture.store->find("default", entry.key, Which::all).value();
      if (acknowledged[i]) REQUIRE(found);
      if (found) REQUIRE(*found == entry);
      REQUIRE(fixture.store->manifests("default", entry.requestHash, Which::all)->size() == (found ? 1 : 0));
      REQUIRE(fixture.store->request("default", entry.requestHash)->has_value() == found.has_value());
    }
    REQUIRE(fixture.store->statistics()->corruptEntries == 0);
  }
}

TEST_CASE("A store that meets a full disk with its first write takes entries once there is room") {
  DiskFixture fixture;
  for (int round = 0; round < 2; ++round) {
    fixture.disk->setFull(true);
    REQUIRE_FALSE(fixture.put(round));
    fixture.disk->setFull(false);
    fixture.putOnceThereIsRoom(round);
  }
  fixture.losePowerAndReopen();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(fixture.store->find("default", sampleEntry(requestNumber(i)).key, Which::all)->has_value());
  }
}

TEST_CASE(
    "A store whose log meets a full disk again as soon as it has recovered takes entries once there is "
    "room") {
  DiskFixture fixture;
  fixture.disk->setFullForLogs(true);
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (fixture.disk->refused() < 3) {
    REQUIRE_FALSE(fixture.put(0));
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  fixture.disk->setFullForLogs(false);
  fixture.putOnceThereIsRoom(0);
  fixture.losePowerAndReopen();
  REQUIRE(fixture.store->find("default", sampleEntry(requestNumber(0)).key, Which::all)->has_value());
}

TEST_CASE("A full disk is named as such, what is stored is still served, and room again is used") {
  DiskFixture fixture;
  REQUIRE(fixture.put(0));
  fixture.disk->setFull(true);
  for (int i = 1; i < 4; ++i) {
    auto put = fixture.store->put(sampleEntry(requestNumber(i)), requestNumber(i));
    REQUIRE_FALSE(put);
    REQUIRE(put.error().message.find("the disk is full") != std::string::npos);
    REQUIRE(put.error().message.find(fixture.path) != std::string::npos);
    REQUIRE(fixture.store->find("default", sampleEntry(requestNumber(0)).key, Which::all)->has_value());
  }
  fixture.disk->setFull(false);
  fixture.putOnceThereIsRoom(5);
  fixture.losePowerAndReopen();
  REQUIRE(fixture.store->find("default", sampleEntry(requestNumber(0)).key, Which::all)->has_value());
  REQUIRE(fixture.store->find("default", sampleEntry(requestNumber(5)).key, Which::all)->has_value());
}
