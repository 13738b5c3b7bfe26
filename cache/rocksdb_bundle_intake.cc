#include "cache/rocksdb_bundle_intake.h"

#include <algorithm>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

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
    database_.beginFlush(Column::bundled);
  }

  StoreResult<void> add(const Entry& entry, const Request& request) override;
  StoreResult<void> commit() override;

 private:
  // What the commit writes of an entry.
  struct Added {
    EntryKey key;
    Hash128 requestHash;
    Hash128 sourceHash;
    std::uint64_t bytes = 0;
    std::string summary;
    std::string manifest;
  };

  StoreResult<void> writeUnwritten();
  [[nodiscard]] std::vector<const Added*> lastOfEachKey() const;
  [[nodiscard]] std::size_t bytesOfRows(const std::vector<const Added*>& added) const;
  void makeVisible(Database::Batch& batch, std::vector<const Added*> added) const;

  Database& database_;
  std::shared_mutex& erasing_;
  BundleRecord record_;
  const Hash128 intake_;
  Database::Batch unwritten_;
  std::vector<Added> added_;
  std::unordered_set<Hash128> requests_;
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
  added_.push_back({entry.key, hash, xxh3(request.source), bytes, encodeSummary({std::move(summary), hash}),
                    encodeManifest(manifest)});
  return unwritten_.bytes() < kBatchBytes ? StoreResult<void>{} : writeUnwritten();
}

StoreResult<void> Intake::writeUnwritten() {
  auto written = database_.write(unwritten_, Database::Durability::unlogged);
  if (written) unwritten_.clear();
  return written;
}

// Others wait for the lock, so that the rows are made before, while the disk is busy; where an older intake
// gives way they are made anew behind its erasure.
StoreResult<void> Intake::commit() {
  if (auto written = writeUnwritten(); !written) return written;
  database_.beginFlush(Column::bundled);
  const auto added = lastOfEachKey();
  record_.entries = added.size();
  record_.bytes = 0;
  for (const auto* one : added) record_.bytes += one->bytes;
  Database::Batch visible(database_, bytesOfRows(added));
  makeVisible(visible, added);
  if (auto flushed = database_.flush(Column::bundled); !flushed) return flushed;

  std::unique_lock lock(erasing_);
  Database::Batch replacing(database_);
  auto replaced = eraseBundle(database_, replacing, record_.domain, record_.digest);
  if (!replaced) return std::unexpected(std::move(replaced.error()));
  if (*replaced) makeVisible(replacing, added);
  auto& batch = *replaced ? replacing : visible;
  // An entry that was put under the same key would be found first. A request that was put stays, since
  // entries that are none of the bundle's may need it.
  for (const auto* one : added) {
    auto row = rowKey(record_.domain, one->key);
    if (database_.mayHave(Column::entries, row)) batch.erase(Column::entries, row);
  }
  auto written = database_.write(batch, Database::Durability::synced);
  isCommitted_ = written.has_value();
  return written;
}

// In order of key.
std::vector<const Intake::Added*> Intake::lastOfEachKey() const {
  std::vector<const Added*> last;
  last.reserve(added_.size());
  for (auto one = added_.rbegin(); one != added_.rend(); ++one) last.push_back(&*one);
  const auto keyOf = [](const Added* one) { return one->key; };
  std::ranges::stable_sort(last, {}, keyOf);
  const auto repeated = std::ranges::unique(last, {}, keyOf);
  last.erase(repeated.begin(), repeated.end());
  return last;
}

// About what makeVisible() writes.
std::size_t Intake::bytesOfRows(const std::vector<const Added*>& added) const {
  constexpr std::size_t kColumns = 5, kHashes = 3 * Hash128::kSize, kFrame = 16;
  std::size_t bytes = added.size() * kColumns * (record_.domain.size() + kHashes + kFrame);
  for (const auto* one : added) bytes += one->summary.size() + one->manifest.size();
  return bytes;
}

// Column by column, since a column takes rows that come in order faster.
void Intake::makeVisible(Database::Batch& batch, std::vector<const Added*> added) const {
  const auto& domain = record_.domain;
  for (const auto* one : added) batch.put(Column::summaries, rowKey(domain, one->key), one->summary);
  for (const auto* one : added) batch.put(Column::pins, rowKey(domain, one->key, intake_), {});
  std::ranges::stable_sort(added, {}, [](const Added* one) { return one->requestHash; });
  for (const auto* one : added) {
    batch.put(Column::manifests, rowKey(domain, one->requestHash, one->key), one->manifest);
  }
  for (const auto* one : added) {
    batch.put(Column::members, rowKey(domain, intake_, one->requestHash, one->key),
              asText(one->sourceHash.view()));
  }
  std::ranges::stable_sort(added, {}, [](const Added* one) { return one->sourceHash; });
  for (const auto* one : added) {
    batch.put(Column::sources, rowKey(domain, one->sourceHash, one->requestHash), {});
  }
  batch.erase(Column::intakes, rowKey(domain, intake_));
  batch.put(Column::bundles, rowKey(domain, record_.digest, intake_), encodeBundle(record_));
}

}  // namespace

StoreResult<std::unique_ptr<BundleIntake>> beginIntake(Database& database, std::shared_mutex& erasing,
                                                       BundleRecord record, const Hash128& intake) {
  // A row that the disk has though its write failed is erased by the next opening of the store.
  Database::Batch batch(database);
  batch.put(Column::intakes, rowKey(record.domain, intake), {});
  if (auto written = database.write(batch, Database::Durability::synced); !written)
    return std::unexpected(std::move(written.error()));
  return std::make_unique<Intake>(database, erasing, std::move(record), intake);
}

}  // namespace kiln
