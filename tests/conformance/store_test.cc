// What every store does: one suite over all of them.
#include "jit/store.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "tests/conformance/store_fixture.h"

using namespace kiln;
using namespace kiln::test;

TEST_CASE_METHOD(StoreFixture, "An empty store finds nothing") {
  auto entry = sampleEntry(sampleRequest());
  REQUIRE(store->manifests("default", entry.requestHash, Which::all)->empty());
  REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
  REQUIRE_FALSE(store->request("default", entry.requestHash).value());
  REQUIRE(store->requestsWithSource("default", xxh3(sampleRequest().source), 10)->empty());
  REQUIRE(store->list("default", {}, 10)->empty());
  REQUIRE(store->remove("default", entry.key, Which::all));
  REQUIRE(store->statistics()->entries == 0);
}

TEST_CASE_METHOD(StoreFixture, "What was put is found, whole") {
  auto request = sampleRequest();
  auto entry = sampleEntry(request);
  REQUIRE(store->put(entry, request));
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
  REQUIRE(store->request("default", entry.requestHash).value() == request);
  REQUIRE(store->manifests("default", entry.requestHash, Which::all).value() ==
          std::vector{manifestOf(entry)});
}

TEST_CASE_METHOD(StoreFixture, "A remembered failure is found, whole") {
  auto entry = sampleFailureEntry(sampleRequest());
  REQUIRE(store->put(entry, sampleRequest()));
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
}

TEST_CASE_METHOD(StoreFixture, "A large output is found, whole") {
  auto entry = sampleEntry(sampleRequest());
  std::string bytes(std::size_t{3} << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * i) >> 7);
  std::get<Artifact>(entry.result).outputs[0] = sampleOutput(OutputKind::cubin, bytes);
  REQUIRE(store->put(entry, sampleRequest()));
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
}

TEST_CASE_METHOD(StoreFixture, "Manifests of a request come most recently used first") {
  auto entry = sampleEntry(sampleRequest());
  std::vector<EntryKey> expected;
  for (auto content : {"e", "b", "d", "a", "c"}) {
    auto other = underOtherFiles(entry, content);
    REQUIRE(store->put(other, sampleRequest()));
    expected.insert(expected.begin(), other.key);
  }
  REQUIRE(keysOf(*store->manifests("default", entry.requestHash, Which::all)) == expected);

  REQUIRE(store->put(underOtherFiles(entry, "b"), sampleRequest()));
  std::rotate(expected.begin(), expected.begin() + 3, expected.begin() + 4);
  REQUIRE(keysOf(*store->manifests("default", entry.requestHash, Which::all)) == expected);
}

TEST_CASE_METHOD(StoreFixture, "An entry that is used comes first again") {
  auto request = sampleRequest();
  auto first = sampleEntry(request);
  auto second = underOtherFiles(first, "other");
  REQUIRE(store->put(first, request));
  REQUIRE(store->put(second, request));
  REQUIRE(store->touch("default", first.requestHash, first.key));
  CHECK(keysOf(store->manifests("default", first.requestHash, Which::all).value()) ==
        std::vector<EntryKey>{first.key, second.key});
  CHECK(store->manifests("default", first.requestHash, Which::all).value()[0] == manifestOf(first));
  REQUIRE(store->touch("default", first.requestHash, underOtherFiles(first, "never stored").key));
  REQUIRE(store->touch("another", first.requestHash, second.key));
  CHECK(keysOf(store->manifests("default", first.requestHash, Which::all).value()) ==
        std::vector<EntryKey>{first.key, second.key});
}

TEST_CASE_METHOD(StoreFixture,
                 "Of too many entries of one request the least recently used is forgotten, whole") {
  auto request = sampleRequest();
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < kMaxEntriesPerRequest; ++i) {
    entries.push_back(underOtherFiles(sampleEntry(request), "content " + std::to_string(i)));
    REQUIRE(store->put(entries.back(), request));
  }
  auto other = sampleEntry(requestNumber(1));
  REQUIRE(store->put(other, requestNumber(1)));
  REQUIRE(store->touch("default", entries[0].requestHash, entries[0].key));
  auto newest = underOtherFiles(sampleEntry(request), "newest");
  REQUIRE(store->put(newest, request));

  auto keys = keysOf(store->manifests("default", newest.requestHash, Which::all).value());
  CHECK(keys.size() == kMaxEntriesPerRequest);
  CHECK(keys[0] == newest.key);
  CHECK(keys[1] == entries[0].key);
  CHECK_FALSE(store->find("default", entries[1].key, Which::all).value());
  CHECK(store->find("default", entries[2].key, Which::all).value());
  CHECK(store->find("default", other.key, Which::all).value());
  CHECK(store->request("default", newest.requestHash).value() == request);
  CHECK(store->statistics().value().entries == kMaxEntriesPerRequest + 1);
  REQUIRE(store->put(newest, request));
  CHECK(store->manifests("default", newest.requestHash, Which::all).value().size() == kMaxEntriesPerRequest);
}

TEST_CASE_METHOD(StoreFixture, "An entry of the same key is replaced") {
  auto entry = sampleEntry(sampleRequest());
  REQUIRE(store->put(entry, sampleRequest()));
  std::get<Artifact>(entry.result).log = "another log";
  entry.createdAt += 1;
  auto request = sampleRequest();
  request.names.source = "renamed.cu";
  REQUIRE(store->put(entry, request));
  REQUIRE(store->find("default", entry.key, Which::all).value() == entry);
  REQUIRE(store->request("default", entry.requestHash).value() == request);
  REQUIRE(store->manifests("default", entry.requestHash, Which::all)->size() == 1);
  REQUIRE(store->list("default", {}, 10)->size() == 1);
  REQUIRE(store->statistics()->entries == 1);
}

TEST_CASE_METHOD(StoreFixture, "Domains see nothing of each other") {
  auto request = sampleRequest();
  // Names that an unframed key would run together.
  const std::vector<std::string> domains = {"a", "ab", "", std::string("a\0", 2)};
  for (const auto& domain : domains) {
    auto entry = sampleEntry(request, domain);
    for (const auto& other : domains) REQUIRE_FALSE(store->find(other, entry.key, Which::all).value());
    REQUIRE(store->put(entry, request));
    for (const auto& other : domains)
      REQUIRE(store->find(other, entry.key, Which::all)->has_value() == (other == domain));
  }
  for (const auto& domain : domains) {
    auto key = sampleEntry(request, domain).key;
    REQUIRE(keysOf(*store->manifests(domain, requestHash(request), Which::all)) == std::vector{key});
    REQUIRE(store->requestsWithSource(domain, xxh3(request.source), 10)->size() == 1);
    auto page = store->list(domain, {}, 10).value();
    REQUIRE(page.size() == 1);
    REQUIRE(page[0].domain == domain);
  }
  REQUIRE_FALSE(store->request("b", requestHash(request)).value());
  REQUIRE(store->remove("a", sampleEntry(request, "ab").key, Which::all));
  REQUIRE(store->statistics()->entries == domains.size());
}

TEST_CASE_METHOD(StoreFixture, "A removed entry is gone, its request with the last entry of it") {
  auto first = sampleEntry(sampleRequest());
  auto second = underOtherFiles(first, "other");
  REQUIRE(store->put(first, sampleRequest()));
  REQUIRE(store->put(second, sampleRequest()));

  REQUIRE(store->remove("default", first.key, Which::all));
  REQUIRE_FALSE(store->find("default", first.key, Which::all).value());
  REQUIRE(keysOf(*store->manifests("default", first.requestHash, Which::all)) == std::vector{second.key});
  REQUIRE(store->list("default", {}, 10)->size() == 1);
  REQUIRE(store->request("default", first.requestHash)->has_value());

  REQUIRE(store->remove("default", second.key, Which::all));
  REQUIRE(store->manifests("default", first.requestHash, Which::all)->empty());
  REQUIRE_FALSE(store->request("default", first.requestHash)->has_value());
  REQUIRE(store->requestsWithSource("default", xxh3(sampleRequest().source), 10)->empty());
  REQUIRE(store->statistics()->entries == 0);
}

TEST_CASE_METHOD(StoreFixture, "Requests are found by their source, as many as wanted") {
  for (int i = 0; i < 5; ++i) REQUIRE(store->put(sampleEntry(requestNumber(i)), requestNumber(i)));
  auto other = sampleRequest();
  other.source += "// other\n";
  REQUIRE(store->put(sampleEntry(other), other));

  auto sourceHash = xxh3(sampleRequest().source);
  auto found = store->requestsWithSource("default", sourceHash, 100).value();
  REQUIRE(found.size() == 5);
  for (int i = 0; i < 5; ++i) REQUIRE(std::count(found.begin(), found.end(), requestNumber(i)) == 1);
  REQUIRE(store->requestsWithSource("default", sourceHash, 3)->size() == 3);
  REQUIRE(store->requestsWithSource("default", sourceHash, 0)->empty());
  REQUIRE(store->requestsWithSource("default", xxh3(other.source), 100).value() == std::vector{other});
}

TEST_CASE_METHOD(StoreFixture, "Entries are listed in order of key, page after page") {
  std::vector<EntrySummary> expected;
  for (int i = 0; i < 7; ++i) {
    auto request = requestNumber(i);
    auto entry = i == 3 ? sampleFailureEntry(request) : sampleEntry(request);
    REQUIRE(store->put(entry, request));
    expected.push_back(summaryOf(entry, request.target));
  }
  std::sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.key < b.key; });
  REQUIRE(store->list("default", {}, 100).value() == expected);
  REQUIRE(store->list("default", {}, 0)->empty());

  std::vector<EntrySummary> pages;
  for (std::optional<EntryKey> after;;) {
    auto page = store->list("default", after, 3).value();
    pages.insert(pages.end(), page.begin(), page.end());
    if (page.size() < 3) break;
    after = page.back().key;
  }
  REQUIRE(pages == expected);
}

TEST_CASE_METHOD(StoreFixture, "A listing goes on behind a key that is not there") {
  auto request = sampleRequest();
  auto entry = sampleEntry(request);
  REQUIRE(store->put(entry, request));
  EntryKey first{};
  EntryKey last;
  last.bytes.fill(0xff);
  REQUIRE(store->list("default", first, 10)->size() == 1);
  REQUIRE(store->list("default", entry.key, 10)->empty());
  REQUIRE(store->list("default", last, 10)->empty());
}

TEST_CASE_METHOD(StoreFixture, "A summary says what was compiled and how large it is") {
  auto request = sampleRequest();
  REQUIRE(store->put(sampleEntry(request), request));
  auto summary = store->list("default", {}, 1)->front();
  REQUIRE(summary.sourceName == "k.cu");
  REQUIRE(summary.target == request.target);
  REQUIRE(summary.bytes == 7 + 13);
  REQUIRE_FALSE(summary.failure);
  REQUIRE(store->put(sampleFailureEntry(request), request));
  summary = store->list("default", {}, 1)->front();
  REQUIRE(summary.failure == FailureKind::compileError);
  REQUIRE(summary.bytes == 0);
}

TEST_CASE_METHOD(StoreFixture, "Statistics count entries and bytes") {
  auto before = store->statistics().value();
  for (int i = 0; i < 3; ++i) REQUIRE(store->put(sampleEntry(requestNumber(i)), requestNumber(i)));
  auto after = store->statistics().value();
  REQUIRE(after.entries == 3);
  REQUIRE(after.bytes > before.bytes);
  REQUIRE(after.corruptEntries == 0);
}

TEST_CASE_METHOD(StoreFixture,
                 "An entry whose key, request or domain is wrong is refused and nothing is kept") {
  auto request = sampleRequest();
  auto entry = sampleEntry(request);
  SECTION("the key is not that of the content") { entry.dependencies.pop_back(); }
  SECTION("the request is another") { request.source += " "; }
  SECTION("the domain's name is too long") { entry = sampleEntry(request, std::string(256, 'd')); }
  auto put = store->put(entry, request);
  REQUIRE_FALSE(put);
  REQUIRE(put.error().message.find(entry.key.hex()) != std::string::npos);
  REQUIRE(store->statistics()->entries == 0);
  REQUIRE_FALSE(store->find(entry.domain, entry.key, Which::all).value());
}

TEST_CASE_METHOD(StoreFixture, "Threads put, find, list and remove at once") {
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        auto request = requestNumber(t * kEach + i);
        auto entry = sampleEntry(request);
        wrong += !store->put(entry, request);
        wrong += store->find("default", entry.key, Which::all).value() != entry;
        wrong += store->manifests("default", entry.requestHash, Which::all)->size() != 1;
        wrong += !store->list("default", {}, 5).has_value();
        if (i % 2 == 0) wrong += !store->remove("default", entry.key, Which::all);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(wrong == 0);
  REQUIRE(store->statistics()->entries == kThreads * kEach / 2);
  REQUIRE(store->requestsWithSource("default", xxh3(sampleRequest().source), 100)->size() ==
          kThreads * kEach / 2);
}
