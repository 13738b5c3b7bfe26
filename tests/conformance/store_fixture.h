// What the conformance tests of stores share: every implementation, one after the other.
#pragma once

#include <catch2/catch.hpp>

#include "cache/rocksdb_store.h"
#include "jit/memory_store.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"

namespace kiln::test {

struct StoreImplementation {
  const char* name;
  std::unique_ptr<Store> (*open)(const std::filesystem::path& directory);
};

inline const StoreImplementation kStoreImplementations[] = {
    {"memory", [](const std::filesystem::path&) { return makeMemoryStore(); }},
    {"RocksDB",
     [](const std::filesystem::path& directory) { return openRocksDbStore(directory / "store").value(); }},
};

struct StoreFixture {
  const StoreImplementation& implementation = kStoreImplementations[GENERATE(0, 1)];
  TemporaryDirectory directory;
  std::unique_ptr<Store> store = implementation.open(directory.path());

  StoreFixture() { UNSCOPED_INFO("store: " << implementation.name); }
};

inline Request requestNumber(int number) {
  auto request = sampleRequest();
  request.options.push_back("-DNUMBER=" + std::to_string(number));
  return request;
}

// An entry of the same request as `entry` under other files.
inline Entry underOtherFiles(Entry entry, std::string_view content) {
  entry.dependencies = normalised({sampleFile({FileRole::includeDirectory, 1, "scale.h"}, content, 1)});
  entry.key = entryKey(entry);
  return entry;
}

inline std::vector<EntryKey> keysOf(const std::vector<Manifest>& manifests) {
  std::vector<EntryKey> keys;
  for (const auto& manifest : manifests) keys.push_back(manifest.key);
  return keys;
}

}  // namespace kiln::test
