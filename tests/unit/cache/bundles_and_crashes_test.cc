// What of a bundle is there after a crash, and what of an intake is left behind.
#include <rocksdb/env.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "cache/rocksdb_store.h"
#include "cache/rocksdb_store_env.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cache/raw_database.h"
#include "tests/unit/cache/stand_in_disk.h"

using namespace kiln;
using namespace kiln::test;

namespace {

constexpr int kEntries = 4;

Request requestNumber(int number) {
  auto request = sampleRequest();
  request.options.push_back("-DNUMBER=" + std::to_string(number));
  return request;
}

// Large enough for a blob file.
Entry entryNumber(int number, std::size_t size = 10'000) {
  auto entry = sampleEntry(requestNumber(number));
  std::string noise;
  for (std::uint64_t i = 0; noise.size() < size; ++i) noise += xxh3(std::to_string(i)).hex();
  std::get<Artifact>(entry.result).outputs[0] = sampleOutput(OutputKind::cubin, noise);
  return entry;
}

bool add(BundleIntake& intake, std::size_t size = 10'000) {
  for (int i = 0; i < kEntries; ++i) {
    if (!intake.add(entryNumber(i, size), requestNumber(i))) return false;
  }
  return true;
}

bool bring(Store& store) {
  auto intake = store.beginBundle(sampleBundle());
  return intake && add(**intake) && (*intake)->commit();
}

// Of the bundle, all or nothing; which it is.
bool isThere(Store& store) {
  bool there = !store.allBundles()->empty();
  for (int i = 0; i < kEntries; ++i) {
    auto entry = entryNumber(i);
    REQUIRE(store.find("default", entry.key, Which::all).value() ==
            (there ? std::optional(entry) : std::nullopt));
    REQUIRE(store.manifests("default", entry.requestHash, Which::pinned)->size() == (there ? 1 : 0));
    REQUIRE(store.manifests("default", entry.requestHash, Which::all)->size() == (there ? 1 : 0));
    REQUIRE(store.request("default", entry.requestHash)->has_value() == there);
  }
  REQUIRE(store.requestsWithSource("default", xxh3(sampleRequest().source), 10)->size() ==
          (there ? kEntries : 0));
  REQUIRE(store.list("default", {}, 10)->size() == (there ? kEntries : 0));
  REQUIRE(store.statistics()->entries == (there ? kEntries : 0));
  REQUIRE(store.statistics()->corruptEntries == 0);
  return there;
}

// Whether there are rows of a bundle that is not there itself.
bool hasLeftovers(const std::filesystem::path& path) {
  RawDatabase raw(path);
  return raw.rows("bundles") == 0 && raw.rows("bundled") > 0;
}

// The rows that a bundle has, or none at all.
void requireRows(const std::filesystem::path& path, bool there) {
  RawDatabase raw(path);
  REQUIRE(raw.rows("intakes") == 0);
  REQUIRE(raw.rows("bundles") == (there ? 1 : 0));
  REQUIRE(raw.rows("bundled") == (there ? 2 * kEntries : 0));
  REQUIRE(raw.rows("pins") == (there ? kEntries : 0));
  REQUIRE(raw.rows("members") == (there ? kEntries : 0));
  REQUIRE(raw.rows("summaries") == (there ? kEntries : 0));
  REQUIRE(raw.rows("manifests") == (there ? kEntries : 0));
  REQUIRE(raw.rows("sources") == (there ? kEntries : 0));
  REQUIRE(raw.rows("entries") + raw.rows("requests") == 0);
}

struct DiskFixture {
  TemporaryDirectory directory;
  std::filesystem::path path = directory.path() / "store";
  std::shared_ptr<StandInDisk> disk = std::make_shared<StandInDisk>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
  std::unique_ptr<Store> store = openRocksDbStore(path, env.get()).value();

  void losePower() {
    disk->losePower();
    store.reset();
    disk->dropUnsynced();
  }
  void reopen() {
    store.reset();
    store = openRocksDbStore(path).value();
  }
};

}  // namespace

TEST_CASE("After a power loss at any moment of an intake its bundle is there whole, or no row of it") {
  bool acknowledged = false;
  int leftovers = 0;
  for (int operations = 0; !acknowledged; ++operations) {
    INFO("power lost after " << operations << " operations");
    DiskFixture fixture;
    fixture.disk->losePowerAfter(operations);
    acknowledged = bring(*fixture.store);
    fixture.losePower();
    leftovers += hasLeftovers(fixture.path);
    fixture.reopen();
    bool there = isThere(*fixture.store);
    if (acknowledged) REQUIRE(there);
    if (operations == 0) REQUIRE_FALSE(there);
    fixture.store.reset();
    requireRows(fixture.path, there);
    fixture.reopen();
    REQUIRE(bring(*fixture.store));
    REQUIRE(isThere(*fixture.store));
    REQUIRE(operations < 100);
  }
  REQUIRE(leftovers > 0);
}

TEST_CASE("After a power loss at any moment of its removal a bundle is there whole or not at all") {
  bool acknowledged = false;
  for (int operations = 0; !acknowledged; ++operations) {
    INFO("power lost after " << operations << " operations");
    DiskFixture fixture;
    REQUIRE(bring(*fixture.store));
    fixture.disk->losePowerAfter(operations);
    acknowledged = fixture.store->removeBundle("default", sampleBundle().digest).has_value();
    fixture.losePower();
    fixture.reopen();
    bool there = isThere(*fixture.store);
    if (acknowledged) REQUIRE_FALSE(there);
    if (operations == 0) REQUIRE(there);
    fixture.store.reset();
    requireRows(fixture.path, there);
    REQUIRE(operations < 100);
  }
}

TEST_CASE("After a power loss at any moment of its second warming a bundle is there") {
  bool acknowledged = false;
  for (int operations = 0; !acknowledged; ++operations) {
    INFO("power lost after " << operations << " operations");
    DiskFixture fixture;
    REQUIRE(bring(*fixture.store));
    fixture.disk->losePowerAfter(operations);
    acknowledged = bring(*fixture.store);
    fixture.losePower();
    fixture.reopen();
    REQUIRE(isThere(*fixture.store));
    fixture.store.reset();
    requireRows(fixture.path, true);
    REQUIRE(operations < 100);
  }
}

TEST_CASE("A bundle that is larger than what RocksDB holds in memory survives a power loss") {
  constexpr std::size_t kLarge = 9'000'000;
  DiskFixture fixture;
  {
    auto intake = fixture.store->beginBundle(sampleBundle()).value();
    REQUIRE(add(*intake, kLarge));
    REQUIRE(intake->commit());
  }
  fixture.losePower();
  fixture.reopen();
  for (int i = 0; i < kEntries; ++i) {
    REQUIRE(fixture.store->find("default", entryNumber(i, kLarge).key, Which::all).value() ==
            entryNumber(i, kLarge));
  }
}

TEST_CASE("An intake that is dropped leaves no row behind, and so does a bundle that is removed") {
  TemporaryDirectory directory;
  auto store = openRocksDbStore(directory.path()).value();
  SECTION("dropped") { REQUIRE(add(*store->beginBundle(sampleBundle()).value())); }
  SECTION("removed") {
    REQUIRE(bring(*store));
    REQUIRE(store->removeBundle("default", sampleBundle().digest).value());
  }
  SECTION("brought twice and removed") {
    REQUIRE(bring(*store));
    REQUIRE(bring(*store));
    REQUIRE(store->removeBundle("default", sampleBundle().digest).value());
  }
  SECTION("all its entries removed, then itself") {
    REQUIRE(bring(*store));
    for (int i = 0; i < kEntries; ++i) REQUIRE(store->remove("default", entryNumber(i).key, Which::all));
    REQUIRE(store->removeBundle("default", sampleBundle().digest).value());
  }
  store.reset();
  requireRows(directory.path(), false);
}

TEST_CASE("Of a bundle that is removed no row is left behind where its requests stay") {
  TemporaryDirectory directory;
  auto store = openRocksDbStore(directory.path()).value();
  auto put = sampleFailureEntry(requestNumber(0));
  put.namesBind = true;
  put.key = entryKey(put);
  REQUIRE(store->put(put, requestNumber(0)));
  REQUIRE(bring(*store));
  REQUIRE(store->removeBundle("default", sampleBundle().digest).value());
  REQUIRE(store->request("default", put.requestHash).value() == requestNumber(0));
  store.reset();
  RawDatabase raw(directory.path());
  REQUIRE(raw.rows("pins") + raw.rows("members") + raw.rows("bundled") == 0);
  REQUIRE(raw.rows("manifests") == 1);
}

TEST_CASE("An intake that meets a full disk fails by its name and the store is as before") {
  DiskFixture fixture;
  fixture.disk->setFull(true);
  bool isBegun = GENERATE(false, true);
  if (isBegun) fixture.disk->setFull(false);
  auto intake = fixture.store->beginBundle(sampleBundle());
  if (!isBegun) {
    REQUIRE_FALSE(intake);
    REQUIRE(intake.error().message.find("the disk is full") != std::string::npos);
  } else {
    fixture.disk->setFull(true);
    (void)add(**intake);
    auto committed = (*intake)->commit();
    REQUIRE_FALSE(committed);
    REQUIRE(committed.error().message.find("the disk is full") != std::string::npos);
    intake->reset();
  }
  REQUIRE_FALSE(isThere(*fixture.store));
  fixture.losePower();
  fixture.reopen();
  REQUIRE_FALSE(isThere(*fixture.store));
  REQUIRE(bring(*fixture.store));
}

TEST_CASE("A store whose flush of an intake meets a full disk takes bundles once there is room") {
  DiskFixture fixture;
  auto intake = fixture.store->beginBundle(sampleBundle()).value();
  REQUIRE(add(*intake));  // to memory alone
  fixture.disk->setFull(true);
  const auto committed = intake->commit();
  REQUIRE_FALSE(committed);
  REQUIRE(committed.error().message.find("the disk is full") != std::string::npos);
  intake.reset();
  fixture.disk->setFull(false);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!bring(*fixture.store)) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  REQUIRE(isThere(*fixture.store));
}

TEST_CASE("A store from before there were bundles is opened and takes them") {
  TemporaryDirectory directory;
  auto put = sampleEntry(requestNumber(9));
  REQUIRE(openRocksDbStore(directory.path()).value()->put(put, requestNumber(9)));
  {
    RawDatabase raw(directory.path());
    for (const auto* column : {"bundles", "intakes", "bundled", "pins", "members"}) raw.dropColumn(column);
  }
  auto store = openRocksDbStore(directory.path()).value();
  REQUIRE(store->find("default", put.key, Which::all).value() == put);
  REQUIRE(store->allBundles()->empty());
  REQUIRE(bring(*store));
  REQUIRE(store->find("default", entryNumber(0).key, Which::all)->has_value());
}
