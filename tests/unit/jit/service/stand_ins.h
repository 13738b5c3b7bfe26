// Stand-ins for what the compile service works with: clients' files, compilers, a store that fails.
#pragma once

#include <kj/async-io.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "jit/memory_store.h"
#include "jit/service/service.h"

namespace kiln::test {

// The files of one client, by absolute path; what is not listed is absent.
class ScriptedFiles final : public ClientFiles {
 public:
  explicit ScriptedFiles(std::map<std::string, std::string> files) : content(std::move(files)) {}

  kj::Promise<FileReply> answer(FileQuestion question) override;
  kj::Promise<std::vector<FileState>> digests(std::vector<DigestQuestion> questions) override;
  kj::Promise<kj::Maybe<Fingerprint>> fingerprint(
      std::shared_ptr<const QuestionList> list,
      std::shared_ptr<const std::vector<KnownContent>> given) override;

  std::map<std::string, std::string> content;
  std::map<std::string, std::uint64_t> identities;  // where it matters; else each path is a file of its own
  bool isGone = false;                              // every question rejects
  bool isSilent = false;                            // answers never come
  kj::Promise<void> goesOn = nullptr;               // the next answer waits for it, where isSlow
  bool isSlow = false;
  std::set<std::string> silentPaths;  // nor do they for these
  std::vector<std::string> answered;  // paths of questions that came, in order
  unsigned digestCalls = 0;           // by digests() and fingerprint()
  bool givesFingerprints = true;
  std::vector<KnownContent> reads;  // what every fingerprint says it had to read
  std::vector<KnownContent> hints;  // what came with the last one

 private:
  [[nodiscard]] std::uint64_t identityOf(const std::string& path) const;
  [[nodiscard]] FileState stateOf(const std::string& path) const;
};

// Compiles by reading `reads` through the client, but for PTX, and joining what it found. A job whose start
// is held compiles only once it is released.
class ScriptedCompilers final : public Compilers {
 public:
  struct Job {
    std::string toolchain;
    Request request;
    std::chrono::milliseconds timeout{0};
    bool isRunning = true;  // false once done or killed
    bool isKilled = false;
    kj::Own<kj::PromiseFulfiller<void>> release;
  };

  kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                std::chrono::milliseconds timeout, FileAnswerer& files) override;

  std::vector<RolePath> reads;
  std::function<void(Compiled&)> change = [](Compiled&) {};  // the last word on each result
  bool isHeld = false;
  std::vector<std::shared_ptr<Job>> jobs;  // every one ever started

 private:
  kj::Promise<Compiled> read(std::size_t nth, const Names& names, FileAnswerer& files,
                             std::shared_ptr<Compiled> compiled);
};

// A memory store whose reads or writes can be made to fail.
class FailingStore final : public Store {
 public:
  StoreResult<std::vector<Manifest>> manifests(std::string_view domain, const Hash128& requestHash,
                                               Which which) override;
  StoreResult<std::optional<Entry>> find(std::string_view domain, const EntryKey& key, Which which) override;
  StoreResult<void> put(const Entry& entry, const Request& request) override;
  StoreResult<void> touch(std::string_view domain, const Hash128& requestHash, const EntryKey& key) override;
  StoreResult<bool> remove(std::string_view domain, const EntryKey& key, Which which) override;
  StoreResult<std::optional<Request>> request(std::string_view domain, const Hash128& requestHash) override;
  StoreResult<std::vector<Request>> requestsWithSource(std::string_view domain, const Hash128& sourceHash,
                                                       std::size_t limit) override;
  StoreResult<std::vector<EntrySummary>> list(std::string_view domain, std::optional<EntryKey> after,
                                              std::size_t limit) override;
  StoreResult<StoreStatistics> statistics() override;
  StoreResult<std::unique_ptr<BundleIntake>> beginBundle(BundleRecord record) override;
  StoreResult<bool> removeBundle(std::string_view domain, const Sha256& digest) override;
  StoreResult<bool> isWhole(std::string_view domain, const Sha256& digest) override;
  StoreResult<std::vector<BundleRecord>> bundles(std::string_view domain) override;
  StoreResult<std::vector<BundleRecord>> allBundles() override;

  // Set between calls, while no job runs.
  bool readsFail = false;
  bool writesFail = false;

 private:
  std::unique_ptr<Store> store_ = makeMemoryStore();
};

std::vector<Toolchain> someToolchains();

// A service over the stand-ins, with two toolchains: "nvrtc 13.0" and "nvrtc 12.9".
class ServiceFixture {
 public:
  explicit ServiceFixture(ServiceLimits limits = {});

  Asker asker(ScriptedFiles& files, const std::string& domain = "users") const;
  Asker askerNamed(ScriptedFiles& files, Names names) const;
  kj::Promise<Outcome> compile(ScriptedFiles& files);
  kj::Promise<Outcome> compileSource(ScriptedFiles& files, const std::string& source,
                                     Priority priority = Priority::normal);
  kj::Promise<Outcome> compileNamed(ScriptedFiles& files, const Names& names);
  kj::Promise<Outcome> compileRequest(ScriptedFiles& files, const Request& request);

  // Runs the event loop until nothing but held jobs and silent files is left to wait for.
  void settle();

  kj::AsyncIoContext io = kj::setupAsyncIo();
  FailingStore store;
  ScriptedCompilers compilers;
  Executor executor{io.unixEventPort, 1};
  std::vector<std::string> storeErrors;
  Failure refusal;  // what the check of options gives; nothing if its message is empty
  // What the next scan finds, and how many there were. To be set while no scan runs.
  std::vector<Toolchain> onDisk = someToolchains();
  unsigned scans = 0;
  std::vector<ToolchainList> changes;  // each list that replaced another
  Toolchains toolchains;
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};  // stands still unless advanced
  CompileService service;
};

inline const RolePath kHeader{FileRole::includeDirectory, 0, "a.h"};
inline const RolePath kOtherHeader{FileRole::includeDirectory, 0, "b.h"};

Names someNames();
Request someRequest(const std::string& source = "__global__ void k() {}");
kj::Own<ScriptedFiles> filesWith(const std::string& headerContent);

// The first output's bytes; empty for a failure.
std::string outputOf(const Outcome& outcome);
// The failure's kind; nothing for an artifact.
std::optional<FailureKind> failureOf(const Outcome& outcome);

}  // namespace kiln::test
