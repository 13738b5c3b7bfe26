// A store whose database was damaged behind its back.
#include <catch2/catch.hpp>

#include <fstream>

#include "cache/rocksdb_store.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cache/raw_database.h"

using namespace kiln;
using namespace kiln::test;

namespace {

void changeRows(const std::filesystem::path& directory, const std::string& column,
                const std::function<void(std::string& value)>& change) {
  REQUIRE(RawDatabase(directory).changeRows(column, change) > 0);
}

void flipMiddleByte(std::string& value) { value[value.size() / 2] ^= 1; }

struct Damaged {
  TemporaryDirectory directory;
  Request request = sampleRequest();
  Entry entry = sampleEntry(request);

  Damaged() { REQUIRE(open()->put(entry, request)); }
  std::unique_ptr<Store> open() { return openRocksDbStore(directory.path()).value(); }
  void damage(const std::string& column) { changeRows(directory.path(), column, flipMiddleByte); }
};

void requireNothingLeft(Store& store, const Entry& entry) {
  REQUIRE_FALSE(store.find("default", entry.key, Which::all).value());
  REQUIRE(store.manifests("default", entry.requestHash, Which::all)->empty());
  REQUIRE(store.list("default", {}, 10)->empty());
  REQUIRE_FALSE(store.request("default", entry.requestHash).value());
  REQUIRE(store.statistics()->entries == 0);
  REQUIRE(store.statistics()->corruptEntries == 1);
}

}  // namespace

TEST_CASE_METHOD(Damaged, "A damaged entry is a counted miss and goes with its manifest") {
  damage("entries");
  auto store = open();
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  requireNothingLeft(*store, entry);
}

TEST_CASE_METHOD(Damaged, "A damaged manifest is a counted miss and goes with its entry") {
  damage("manifests");
  auto store = open();
  REQUIRE(store->manifests("default", entry.requestHash, Which::all)->empty());
  requireNothingLeft(*store, entry);
}

TEST_CASE_METHOD(Damaged, "A damaged summary is a counted miss and goes with its entry") {
  damage("summaries");
  auto store = open();
  REQUIRE(store->list("default", {}, 10)->empty());
  requireNothingLeft(*store, entry);
}

TEST_CASE_METHOD(Damaged, "A damaged entry goes with its manifest even when its summary is damaged too") {
  damage("summaries");
  damage("entries");
  auto store = open();
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  requireNothingLeft(*store, entry);
}

TEST_CASE_METHOD(Damaged, "A damaged request is counted and absent, its entries stay") {
  damage("requests");
  auto store = open();
  REQUIRE_FALSE(store->request("default", entry.requestHash).value());
  REQUIRE(store->requestsWithSource("default", xxh3(request.source), 10)->empty());
  REQUIRE(store->statistics()->corruptEntries == 1);
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
}

TEST_CASE_METHOD(Damaged, "A damaged entry is as good as new when it is put again") {
  damage("entries");
  auto store = open();
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  REQUIRE(store->put(entry, request));
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
  REQUIRE(store->manifests("default", entry.requestHash, Which::all)->size() == 1);
  REQUIRE(store->statistics()->corruptEntries == 1);
}

TEST_CASE_METHOD(Damaged, "An entry that stands in the row of another is a counted miss") {
  auto other = sampleRequest();
  other.options.clear();
  auto otherEntry = sampleEntry(other);
  REQUIRE(open()->put(otherEntry, other));
  std::string last;
  changeRows(directory.path(), "entries", [&](std::string& value) { last = value; });
  changeRows(directory.path(), "entries", [&](std::string& value) { value = last; });
  auto store = open();
  int found = 0;
  for (const auto& key : {entry.key, otherEntry.key}) {
    auto result = store->find("default", key, Which::all).value();
    if (!result) continue;
    ++found;
    REQUIRE(result->key == key);
  }
  REQUIRE(found == 1);
  REQUIRE(store->statistics()->corruptEntries == 1);
}

namespace {

// A store whose one entry came with a bundle.
struct DamagedBundle : Damaged {
  DamagedBundle() {
    auto store = open();
    REQUIRE(store->remove("default", entry.key, Which::all));
    auto intake = store->beginBundle(sampleBundle()).value();
    REQUIRE(intake->add(entry, request));
    REQUIRE(intake->commit());
  }
  void bringAgain(Store& store) const {
    auto intake = store.beginBundle(sampleBundle()).value();
    REQUIRE(intake->add(entry, request));
    REQUIRE(intake->commit());
    REQUIRE(store.find("default", entry.key, Which::all).value() == entry);
    REQUIRE(store.request("default", entry.requestHash).value() == request);
    REQUIRE(store.manifests("default", entry.requestHash, Which::pinned)->size() == 1);
  }
};

}  // namespace

TEST_CASE_METHOD(DamagedBundle, "A damaged entry of a bundle is a counted miss, and back with the bundle") {
  damage("bundled");
  auto store = open();
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  REQUIRE(store->manifests("default", entry.requestHash, Which::pinned)->empty());
  requireNothingLeft(*store, entry);
  REQUIRE(store->bundles("default")->size() == 1);
  bringAgain(*store);
}

TEST_CASE_METHOD(DamagedBundle,
                 "A damaged request of a bundle is counted once and absent, its entries stay") {
  changeRows(directory.path(), "bundled", [](std::string& value) {
    if (value.starts_with("KREQ")) flipMiddleByte(value);
  });
  auto store = open();
  for (int i = 0; i < 2; ++i) {
    REQUIRE_FALSE(store->request("default", entry.requestHash).value());
    REQUIRE(store->statistics()->corruptEntries == 1);
  }
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
  bringAgain(*store);
}

TEST_CASE_METHOD(DamagedBundle, "A bundle whose record is damaged is counted and goes with its entries") {
  damage("bundles");
  auto store = open();
  REQUIRE(store->bundles("default")->empty());
  requireNothingLeft(*store, entry);
  REQUIRE_FALSE(store->removeBundle("default", sampleBundle().digest).value());
  bringAgain(*store);
}

TEST_CASE_METHOD(DamagedBundle, "A bundle that stands in the row of another is counted and goes") {
  auto store = open();
  auto other = sampleBundle();
  other.digest = sha256("other");
  REQUIRE(store->beginBundle(other).value()->commit());
  store.reset();
  std::string last;
  changeRows(directory.path(), "bundles", [&](std::string& value) { last = value; });
  changeRows(directory.path(), "bundles", [&](std::string& value) { value = last; });
  store = open();
  REQUIRE(store->allBundles()->size() == 1);
  REQUIRE(store->statistics()->corruptEntries == 1);
}

TEST_CASE_METHOD(DamagedBundle, "A bundle whose record is damaged can be removed and brought again") {
  damage("bundles");
  auto store = open();
  bool isRemoved = GENERATE(false, true);
  if (isRemoved) {
    REQUIRE(store->removeBundle("default", sampleBundle().digest).value());
    REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  }
  bringAgain(*store);
  REQUIRE(store->bundles("default")->size() == 1);
  REQUIRE(store->statistics()->corruptEntries == 0);
}

TEST_CASE("An entry whose bytes changed on the disk is a counted miss") {
  TemporaryDirectory directory;
  auto request = sampleRequest();
  auto entry = sampleEntry(request);
  std::string noise;
  for (std::uint64_t i = 0; noise.size() < 100'000; ++i) noise += xxh3(std::to_string(i)).hex();
  std::get<Artifact>(entry.result).outputs[0] = sampleOutput(OutputKind::cubin, noise);
  REQUIRE(openRocksDbStore(directory.path()).value()->put(entry, request));
  // The second opening moves the entry from the log to a blob file.
  REQUIRE(openRocksDbStore(directory.path()).value()->find("default", entry.key, Which::all)->has_value());

  int damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
    if (file.path().extension() != ".blob" || file.file_size() < 10'000) continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(5'000);
    bytes.put('\x55').put('\xaa').put('\x55');
    ++damaged;
  }
  REQUIRE(damaged == 1);
  auto store = openRocksDbStore(directory.path()).value();
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  requireNothingLeft(*store, entry);
}
