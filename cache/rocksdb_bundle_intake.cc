#include "cache/rocksdb_bundle_intake.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "cache/bundle_format.h"
#include "cache/rocksdb_erasure.h"
#include "cache/rocksdb_rows.h"
#include "jit/request_hash.h"

namespace kiln {
namespace {

// Small entries are written together: a write costs more than they do.
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

class Intake final : public BundleIntake {
 public:
  Intake(Database& database, std::shared_mutex& erasing, BundleRecord record, const Hash128& intake)
      : database_(database),
        erasing_(erasing),
        record_(std::move(record)),
        intake_(intake),
        unwritten_(database) {}

  ~Intake() override {
    if (isCommitted_) return;
    Database::Batch batch(database_);
    eraseIntake(batch, rowKey(record_.domain, intake_));
    // Where the disk takes no erasure the next opening of the store has another try.
    (void)database_.write(batch, Database::Durability::unsynced);
  }

  StoreResult<void> begin() {
    Database::Batch batch(database_);
    batch.put(Column::intakes, rowKey(record_.domain, intake_), {});
    return database_.write(batch, Database::Durability::synced);
  }

  StoreResult<void> add(const Entry& entry, const Request& request) override;
  StoreResult<void> commit() override;

 private:
  // What the commit writes of an entry.
  struct Added {
    Hash128 requestHash;
    Hash128 sourceHash;
    std::uint64_t bytes = 0;
    std::string summary;
    std::string manifest;
  };

  StoreResult<void> writeUnwritten();
  void makeVisible(Database::Batch& batch) const;

  Database& database_;
  std::shared_mutex& erasing_;
  BundleRecord record_;
  const Hash128 intake_;
  Database::Batch unwritten_;
  std::map<EntryKey, Added> added_;
  std::set<Hash128> requests_;
  bool isCommitted_ = false;
};

StoreResult<void> Intake::add(const Entry& entry, const Request& request) {
  if (auto problem = whyNotStorable(record_, entry, request); !problem.empty()) {
    return std::unexpected(StoreError{std::move(problem)});
  }
  auto encoded = encodeToStore(entry, request);
  if (!encoded) return std::unexpected(std::move(encoded.error()));
  const auto& domain = record_.domain;
  const auto& hash = entry.requestHash;
  auto summary = summaryOf(entry, request.target);
  auto bytes = summary.bytes;
  // Of two that are added the later one is used later, though neither may be written yet.
  StoredManifest manifest{manifestOf(entry), database_.sequence() + unwritten_.rows()};
  unwritten_.put(Column::bundled, rowKey(domain, intake_, entry.key), encoded->entry);
  if (requests_.insert(hash).second) {
    unwritten_.put(Column::bundled, rowKey(domain, intake_, hash), encoded->request);
  }
  added_.insert_or_assign(entry.key,
                          Added{hash, xxh3(request.source), bytes, encodeSummary({std::move(summary), hash}),
                                encodeManifest(manifest)});
  return unwritten_.bytes() < kBatchBytes ? StoreResult<void>{} : writeUnwritten();
}

StoreResult<void> Intake::writeUnwritten() {
  auto written = database_.write(unwritten_, Database::Durability::unlogged);
  if (written) unwritten_.clear();
  return written;
}

StoreResult<void> Intake::commit() {
  if (auto written = writeUnwritten(); !written) return written;
  if (auto flushed = database_.flush(Column::bundled); !flushed) return flushed;
  record_.entries = added_.size();
  record_.bytes = 0;
  for (const auto& [key, added] : added_) record_.bytes += added.bytes;

  std::unique_lock lock(erasing_);
  Database::Batch batch(database_);
  auto replaced = eraseBundle(database_, batch, record_.domain, record_.digest);
  if (!replaced) return std::unexpected(std::move(replaced.error()));
  makeVisible(batch);
  auto written = database_.write(batch, Database::Durability::synced);
  isCommitted_ = written.has_value();
  return written;
}

// An entry that was put under the same key is erased, since it would be found first. A request that was put
// stays, since entries that are none of the bundle's may need it. Column by column, since a column takes rows
// that come in order faster.
void Intake::makeVisible(Database::Batch& batch) const {
  const auto& domain = record_.domain;
  std::vector<std::pair<EntryKey, const Added*>> byRequest;
  byRequest.reserve(added_.size());
  for (const auto& [key, added] : added_) {
    auto row = rowKey(domain, key);
    if (database_.mayHave(Column::entries, row)) batch.erase(Column::entries, row);
    batch.put(Column::summaries, row, added.summary);
    byRequest.emplace_back(key, &added);
  }
  for (const auto& [key, added] : added_) batch.put(Column::pins, rowKey(domain, key, intake_), {});
  std::ranges::stable_sort(byRequest, {}, [](const auto& item) { return item.second->requestHash; });
  for (const auto& [key, added] : byRequest) {
    batch.put(Column::manifests, rowKey(domain, added->requestHash, key), added->manifest);
  }
  for (const auto& [key, added] : byRequest) {
    batch.put(Column::sources, rowKey(domain, added->sourceHash, added->requestHash), {});
  }
  for (const auto& [key, added] : byRequest) {
    batch.put(Column::members, rowKey(domain, intake_, added->requestHash, key),
              asText(added->sourceHash.view()));
  }
  batch.erase(Column::intakes, rowKey(domain, intake_));
  batch.put(Column::bundles, rowKey(domain, record_.digest, intake_), encodeBundle(record_));
}

}  // namespace

StoreResult<std::unique_ptr<BundleIntake>> beginIntake(Database& database, std::shared_mutex& erasing,
                                                       BundleRecord record, const Hash128& intake) {
  auto begun = std::make_unique<Intake>(database, erasing, std::move(record), intake);
  if (auto written = begun->begin(); !written) return std::unexpected(std::move(written.error()));
  return begun;
}

}  // namespace kiln
