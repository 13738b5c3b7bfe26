// What every store does with bundles: one suite over all of them.
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/conformance/store_fixture.h"

using namespace kiln;
using namespace kiln::test;

namespace {

struct Fixture : StoreFixture {
  Request request = sampleRequest();
  Entry entry = sampleEntry(request);

  std::unique_ptr<BundleIntake> begin(const BundleRecord& record) const {
    return store->beginBundle(record).value();
  }
  // Brings entries of `request`.
  void bring(const BundleRecord& record, const std::vector<Entry>& entries) const {
    auto intake = begin(record);
    for (const auto& item : entries) REQUIRE(intake->add(item, request));
    REQUIRE(intake->commit());
  }
  [[nodiscard]] std::vector<EntryKey> keys(Which which, std::string_view domain = "default") const {
    return keysOf(store->manifests(domain, entry.requestHash, which).value());
  }
  void requireNothing() const {
    REQUIRE_FALSE(store->find("default", entry.key, Which::all).value());
    REQUIRE(keys(Which::all).empty());
    REQUIRE(keys(Which::pinned).empty());
    REQUIRE(store->list("default", {}, 10)->empty());
    REQUIRE_FALSE(store->request("default", entry.requestHash).value());
    REQUIRE(store->requestsWithSource("default", xxh3(request.source), 10)->empty());
    REQUIRE(store->statistics()->entries == 0);
    REQUIRE(store->allBundles()->empty());
  }
};

BundleRecord bundleNamed(const std::string& name, std::string domain = "default") {
  auto bundle = sampleBundle(std::move(domain));
  bundle.name = name;
  bundle.digest = sha256(name);
  return bundle;
}

Entry withLog(Entry entry, std::string log) {
  std::get<Artifact>(entry.result).log = std::move(log);
  return entry;
}

std::vector<std::string> namesOf(const std::vector<BundleRecord>& records) {
  std::vector<std::string> names;
  for (const auto& record : records) names.push_back(record.domain + "/" + record.name);
  return names;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "A bundle that is committed is found, whole") {
  auto failure = sampleFailureEntry(requestNumber(1));
  auto intake = begin(sampleBundle());
  REQUIRE(intake->add(entry, request));
  REQUIRE(intake->add(failure, requestNumber(1)));
  REQUIRE(intake->commit());
  intake.reset();
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(store->find("default", failure.key, Which::all).value() == failure);
  CHECK(store->request("default", entry.requestHash).value() == request);
  CHECK(store->requestsWithSource("default", xxh3(request.source), 10)->size() == 2);
  CHECK(store->manifests("default", entry.requestHash, Which::all).value() == std::vector{manifestOf(entry)});
  CHECK(store->manifests("default", entry.requestHash, Which::pinned).value() ==
        std::vector{manifestOf(entry)});
  auto listed = store->list("default", {}, 10).value();
  CHECK(std::ranges::count(listed, summaryOf(entry, request.target)) == 1);
  CHECK(listed.size() == 2);
  CHECK(store->statistics()->entries == 2);
}

TEST_CASE_METHOD(Fixture, "A large entry of a bundle is found, whole") {
  std::string bytes(std::size_t{3} << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * i) >> 7);
  std::get<Artifact>(entry.result).outputs[0] = sampleOutput(OutputKind::cubin, bytes);
  bring(sampleBundle(), {entry});
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
}

TEST_CASE_METHOD(Fixture, "Nothing of a bundle is found before it is committed") {
  auto intake = begin(sampleBundle());
  requireNothing();
  REQUIRE(intake->add(entry, request));
  requireNothing();
  auto large = sampleEntry(requestNumber(1));
  std::get<Artifact>(large.result).outputs[0] =
      sampleOutput(OutputKind::cubin, std::string(std::size_t{1} << 20, 'x'));
  REQUIRE(intake->add(large, requestNumber(1)));
  CHECK_FALSE(store->find("default", large.key, Which::all).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "An intake that is dropped leaves nothing, and what was there stays") {
  auto put = withLog(entry, "of the one that was put");
  bool isThere = GENERATE(false, true);
  if (isThere) REQUIRE(store->put(put, request));
  auto intake = begin(sampleBundle());
  REQUIRE(intake->add(entry, request));
  REQUIRE(intake->add(underOtherFiles(entry, "other"), request));
  if (isThere) CHECK(store->find("default", entry.key, Which::all).value() == put);
  intake.reset();
  if (!isThere) requireNothing();
  CHECK(store->find("default", entry.key, Which::all).value() ==
        (isThere ? std::optional(put) : std::nullopt));
  CHECK(keys(Which::all).size() == (isThere ? 1 : 0));
  CHECK(keys(Which::pinned).empty());
  bring(sampleBundle(), {entry});
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
}

TEST_CASE_METHOD(Fixture, "An intake refuses what put refuses and entries of other domains, and goes on") {
  auto intake = begin(sampleBundle());
  auto refused = entry;
  auto refusedRequest = request;
  SECTION("the key is not that of the content") { refused.dependencies.pop_back(); }
  SECTION("the request is another") { refusedRequest.source += " "; }
  SECTION("the domain is another") { refused = sampleEntry(request, "other"); }
  auto added = intake->add(refused, refusedRequest);
  REQUIRE_FALSE(added);
  CHECK(added.error().message.find(refused.key.hex()) != std::string::npos);
  auto good = sampleEntry(requestNumber(1));
  REQUIRE(intake->add(good, requestNumber(1)));
  REQUIRE(intake->commit());
  CHECK_FALSE(store->find(refused.domain, refused.key, Which::all).value());
  CHECK(store->find("default", good.key, Which::all).value());
  CHECK(store->statistics()->entries == 1);
  CHECK(store->allBundles().value()[0].entries == 1);
}

TEST_CASE_METHOD(Fixture, "A bundle for a domain whose name is too long is refused by its name") {
  auto begun = store->beginBundle(sampleBundle(std::string(256, 'd')));
  REQUIRE_FALSE(begun);
  CHECK(begun.error().message.find("kernels.kiln") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "The record of a bundle says how many entries it brought and how large they are") {
  auto expected = sampleBundle();
  auto intake = begin(expected);
  REQUIRE(intake->add(entry, request));
  REQUIRE(intake->add(sampleFailureEntry(requestNumber(1)), requestNumber(1)));
  REQUIRE(intake->add(entry, request));
  REQUIRE(intake->commit());
  expected.entries = 2;
  expected.bytes = 7 + 13;
  CHECK(store->bundles("default").value() == std::vector{expected});
}

TEST_CASE_METHOD(Fixture, "Of two entries of one key in a bundle the later one is there") {
  auto later = entry;
  later.result = Failure{FailureKind::compileError, "later", ""};
  auto intake = begin(sampleBundle());
  REQUIRE(intake->add(entry, request));
  REQUIRE(intake->add(sampleEntry(requestNumber(1)), requestNumber(1)));
  REQUIRE(intake->add(later, request));
  REQUIRE(intake->commit());
  CHECK(store->find("default", entry.key, Which::all).value() == later);
  const auto listed = store->list("default", {}, 10).value();
  REQUIRE(listed.size() == 2);
  const auto& ofLater = listed[listed[0].key == entry.key ? 0 : 1];
  CHECK((ofLater.bytes == 0 && ofLater.failure == FailureKind::compileError));
  CHECK(store->bundles("default").value()[0].bytes == 7 + 13);  // of the other
}

TEST_CASE_METHOD(Fixture, "A bundle with nothing in it is there until it is removed") {
  bring(sampleBundle(), {});
  CHECK(store->bundles("default").value()[0].entries == 0);
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "Bundles come in order of name, then digest, and domain after domain") {
  auto same = bundleNamed("b");
  same.digest = sha256("another");
  const bool isFirst = same.digest < bundleNamed("b").digest;
  for (const auto& record :
       {bundleNamed("c"), bundleNamed("b"), bundleNamed("a"), same, bundleNamed("b", "another")}) {
    bring(record, {});
  }
  auto records = store->bundles("default").value();
  CHECK(namesOf(records) == std::vector<std::string>{"default/a", "default/b", "default/b", "default/c"});
  CHECK(records[isFirst ? 1 : 2].digest == same.digest);
  CHECK(namesOf(store->bundles("another").value()) == std::vector<std::string>{"another/b"});
  CHECK(store->bundles("").value().empty());
  CHECK(namesOf(store->allBundles().value()) ==
        std::vector<std::string>{"another/b", "default/a", "default/b", "default/b", "default/c"});
}

TEST_CASE_METHOD(Fixture, "A bundle that is brought twice is there once") {
  auto other = underOtherFiles(entry, "other");
  bring(sampleBundle(), {entry, other});
  auto before = store->bundles("default").value();
  bring(sampleBundle(), {entry, other});
  CHECK(store->bundles("default").value() == before);
  CHECK(keys(Which::pinned) == std::vector{other.key, entry.key});
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(store->request("default", entry.requestHash).value() == request);
  CHECK(store->statistics()->entries == 2);
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "A bundle of the same digest gives way with all that is not in the new one") {
  auto other = underOtherFiles(entry, "other");
  bring(sampleBundle(), {entry});
  auto renamed = sampleBundle();
  renamed.name = "renamed.kiln";
  bring(renamed, {other});
  CHECK(namesOf(store->allBundles().value()) == std::vector<std::string>{"default/renamed.kiln"});
  CHECK(keys(Which::all) == std::vector{other.key});
  CHECK_FALSE(store->find("default", entry.key, Which::all).value());
  CHECK(store->request("default", entry.requestHash).value() == request);
}

TEST_CASE_METHOD(Fixture, "An entry that is there already is replaced by the bundle's and pinned") {
  auto renamed = request;
  renamed.names.source = "renamed.cu";
  REQUIRE(store->put(withLog(entry, "of the one that was put"), renamed));
  bring(sampleBundle(), {entry});
  CHECK(keys(Which::pinned) == std::vector{entry.key});
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(store->request("default", entry.requestHash).value() == renamed);
  CHECK(store->statistics()->entries == 1);
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "A pinned entry stays as its bundle brought it, whatever is put under its key") {
  bring(sampleBundle(), {entry});
  REQUIRE(store->put(withLog(entry, "of the one that was put"), request));
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(keys(Which::pinned) == std::vector{entry.key});
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "Of pinned entries alone the manifests are given, in the same order") {
  auto pinned = underOtherFiles(entry, "pinned");
  auto last = underOtherFiles(entry, "last");
  bring(sampleBundle(), {pinned, last});
  REQUIRE(store->put(entry, request));
  CHECK(keys(Which::all) == std::vector{entry.key, last.key, pinned.key});
  CHECK(keys(Which::pinned) == std::vector{last.key, pinned.key});
  REQUIRE(store->touch("default", entry.requestHash, pinned.key));
  CHECK(keys(Which::pinned) == std::vector{pinned.key, last.key});
  CHECK(store->manifests("default", entry.requestHash, Which::pinned).value()[0] == manifestOf(pinned));
}

TEST_CASE_METHOD(Fixture, "An entry is found, and removed, if it is of those that are meant") {
  auto put = underOtherFiles(entry, "put");
  bring(sampleBundle(), {entry});
  REQUIRE(store->put(put, request));
  CHECK(store->find("default", entry.key, Which::pinned).value() == entry);
  CHECK_FALSE(store->find("default", entry.key, Which::unpinned).value());
  CHECK(store->find("default", put.key, Which::unpinned).value() == put);
  CHECK_FALSE(store->find("default", put.key, Which::pinned).value());
  CHECK(keys(Which::unpinned) == std::vector{put.key});

  CHECK_FALSE(store->remove("default", entry.key, Which::unpinned).value());
  CHECK_FALSE(store->remove("default", put.key, Which::pinned).value());
  CHECK(store->statistics()->entries == 2);
  CHECK(store->remove("default", put.key, Which::unpinned).value());
  CHECK_FALSE(store->remove("default", put.key, Which::unpinned).value());
  CHECK(keys(Which::all) == std::vector{entry.key});
}

TEST_CASE_METHOD(Fixture, "Being added is a use") {
  auto other = underOtherFiles(entry, "other");
  REQUIRE(store->put(entry, request));
  REQUIRE(store->put(other, request));
  bring(sampleBundle(), {entry});
  CHECK(keys(Which::all) == std::vector{entry.key, other.key});
}

TEST_CASE_METHOD(Fixture, "Pinned entries are not forgotten and leave the others their room") {
  std::vector<Entry> pinned;
  for (std::size_t i = 0; i < kMaxEntriesPerRequest + 3; ++i) {
    pinned.push_back(underOtherFiles(entry, "pinned " + std::to_string(i)));
  }
  REQUIRE(store->put(underOtherFiles(entry, "0"), request));
  bring(sampleBundle(), pinned);
  for (std::size_t i = 1; i < kMaxEntriesPerRequest; ++i) {
    REQUIRE(store->put(underOtherFiles(entry, std::to_string(i)), request));
  }
  CHECK(keys(Which::pinned).size() == pinned.size());
  CHECK(keys(Which::all).size() == pinned.size() + kMaxEntriesPerRequest);
  REQUIRE(store->put(underOtherFiles(entry, "one more"), request));
  CHECK(keys(Which::pinned).size() == pinned.size());
  CHECK(keys(Which::all).size() == pinned.size() + kMaxEntriesPerRequest);
  CHECK_FALSE(store->find("default", underOtherFiles(entry, "0").key, Which::all).value());
  CHECK(store->find("default", underOtherFiles(entry, "1").key, Which::all).value());
  CHECK(store->find("default", pinned[0].key, Which::all).value());
}

TEST_CASE_METHOD(Fixture, "A pinned entry that is removed is gone, its request with the last entry of it") {
  auto other = underOtherFiles(entry, "other");
  bring(sampleBundle(), {entry, other});
  REQUIRE(store->remove("default", entry.key, Which::all));
  CHECK_FALSE(store->find("default", entry.key, Which::all).value());
  CHECK(keys(Which::pinned) == std::vector{other.key});
  CHECK(store->request("default", entry.requestHash).value() == request);
  REQUIRE(store->remove("default", other.key, Which::all));
  CHECK_FALSE(store->request("default", entry.requestHash).value());
  CHECK(store->statistics()->entries == 0);
  CHECK(store->bundles("default")->size() == 1);
}

TEST_CASE_METHOD(Fixture, "An entry that was removed and put again is no longer the bundle's") {
  bring(sampleBundle(), {entry});
  REQUIRE(store->remove("default", entry.key, Which::all));
  REQUIRE(store->put(entry, request));
  CHECK(keys(Which::pinned).empty());
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(store->request("default", entry.requestHash).value() == request);
}

TEST_CASE_METHOD(Fixture, "A bundle is whole until it loses an entry, and again when it is brought again") {
  auto other = underOtherFiles(entry, "other");
  CHECK_FALSE(store->isWhole("default", sampleBundle().digest).value());
  bring(sampleBundle(), {entry, other});
  CHECK(store->isWhole("default", sampleBundle().digest).value());
  CHECK_FALSE(store->isWhole("another", sampleBundle().digest).value());
  REQUIRE(store->remove("default", entry.key, Which::all));
  CHECK_FALSE(store->isWhole("default", sampleBundle().digest).value());
  REQUIRE(store->put(entry, request));
  CHECK_FALSE(store->isWhole("default", sampleBundle().digest).value());
  bring(sampleBundle(), {entry, other});
  CHECK(store->isWhole("default", sampleBundle().digest).value());
}

TEST_CASE_METHOD(Fixture, "With a bundle go the entries that no other pins") {
  auto shared = underOtherFiles(entry, "shared");
  auto ofSecond = sampleEntry(requestNumber(1));
  bring(bundleNamed("first"), {entry, shared});
  auto intake = begin(bundleNamed("second"));
  REQUIRE(intake->add(shared, request));
  REQUIRE(intake->add(ofSecond, requestNumber(1)));
  REQUIRE(intake->commit());

  CHECK(store->removeBundle("default", sha256("first")).value());
  CHECK_FALSE(store->find("default", entry.key, Which::all).value());
  CHECK(store->find("default", shared.key, Which::all).value() == shared);
  CHECK(keys(Which::pinned) == std::vector{shared.key});
  CHECK(store->request("default", entry.requestHash).value() == request);
  CHECK(store->find("default", ofSecond.key, Which::all).value() == ofSecond);
  CHECK(namesOf(store->allBundles().value()) == std::vector<std::string>{"default/second"});

  CHECK(store->removeBundle("default", sha256("second")).value());
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "A request outlives the bundle that has it as long as another entry is of it") {
  auto put = underOtherFiles(entry, "put");
  bool isPutFirst = GENERATE(false, true);
  if (isPutFirst) REQUIRE(store->put(put, request));
  bring(sampleBundle(), {entry});
  if (!isPutFirst) REQUIRE(store->put(put, request));
  CHECK(store->removeBundle("default", sampleBundle().digest).value());
  CHECK(keys(Which::all) == std::vector{put.key});
  CHECK(store->request("default", entry.requestHash).value() == request);
  CHECK(store->requestsWithSource("default", xxh3(request.source), 10)->size() == 1);
  REQUIRE(store->remove("default", put.key, Which::all));
  requireNothing();
}

TEST_CASE_METHOD(Fixture, "A bundle that is not there cannot be removed") {
  CHECK_FALSE(store->removeBundle("default", sampleBundle().digest).value());
  bring(sampleBundle(), {entry});
  CHECK_FALSE(store->removeBundle("default", sha256("another")).value());
  CHECK_FALSE(store->removeBundle("another", sampleBundle().digest).value());
  CHECK(keys(Which::pinned) == std::vector{entry.key});
}

TEST_CASE_METHOD(Fixture, "A bundle of one domain is none of another") {
  auto elsewhere = sampleEntry(request, "another");
  bring(sampleBundle(), {entry});
  REQUIRE(store->put(elsewhere, request));
  CHECK(keys(Which::pinned, "another").empty());
  bring(sampleBundle("another"), {elsewhere});
  CHECK(store->removeBundle("another", sampleBundle().digest).value());
  CHECK_FALSE(store->find("another", elsewhere.key, Which::all).value());
  CHECK(keys(Which::pinned) == std::vector{entry.key});
}

TEST_CASE_METHOD(Fixture, "Intakes that are under way at once do not disturb each other") {
  bool isSameBundle = GENERATE(false, true);
  auto first = begin(sampleBundle());
  auto second = begin(isSameBundle ? sampleBundle() : bundleNamed("second"));
  REQUIRE(first->add(entry, request));
  REQUIRE(second->add(entry, request));
  bool isFirstDropped = GENERATE(false, true);
  if (!isFirstDropped) REQUIRE(first->commit());
  first.reset();
  REQUIRE(store->put(underOtherFiles(entry, "put"), request));
  REQUIRE(second->commit());
  CHECK(store->find("default", entry.key, Which::all).value() == entry);
  CHECK(keys(Which::all).size() == 2);
  CHECK(keys(Which::pinned) == std::vector{entry.key});
  CHECK(store->bundles("default")->size() == (isSameBundle || isFirstDropped ? 1 : 2));
}

TEST_CASE_METHOD(Fixture, "An entry is found at any moment while its bundle is brought again") {
  bring(sampleBundle(), {entry});
  std::atomic<bool> isDone = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    while (!isDone) {
      wrong += store->find("default", entry.key, Which::all).value() != entry;
      wrong += store->request("default", entry.requestHash).value() != request;
      wrong += keys(Which::pinned) != std::vector{entry.key};
    }
  });
  for (int i = 0; i < 100; ++i) bring(sampleBundle(), {entry});
  isDone = true;
  reader.join();
  CHECK(wrong == 0);
}
