#include "stand_ins.h"

#include <kj/debug.h>

#include <utility>

namespace kiln::test {
namespace {

kj::Exception goneException() { return KJ_EXCEPTION(DISCONNECTED, "the client is gone"); }

}  // namespace

std::uint64_t ScriptedFiles::identityOf(const std::string& path) const {
  auto found = identities.find(path);
  return found != identities.end() ? found->second : std::hash<std::string>{}(path);
}

kj::Promise<FileReply> ScriptedFiles::answer(FileQuestion question) {
  answered.push_back(question.path);
  if (isGone) return goneException();
  if (isSilent || silentPaths.contains(question.path)) return kj::NEVER_DONE;
  if (std::exchange(isSlow, false)) {
    return goesOn.then(
        [this, question = std::move(question)]() mutable { return answer(std::move(question)); });
  }
  auto found = content.find(question.path);
  if (found == content.end()) return FileReply{{FileAnswer::Kind::absent, 0, 0, question.path}};
  return FileReply{{FileAnswer::Kind::file, identityOf(question.path), found->second.size(), found->second}};
}

kj::Promise<std::vector<FileState>> ScriptedFiles::digests(std::vector<DigestQuestion> questions) {
  ++digestCalls;
  if (isGone) return goneException();
  std::vector<FileState> states;
  for (const auto& question : questions) states.push_back(stateOf(question.path));
  return states;
}

kj::Promise<kj::Maybe<ClientFiles::Fingerprint>> ScriptedFiles::fingerprint(
    std::shared_ptr<const QuestionList> list, std::shared_ptr<const std::vector<KnownContent>> given) {
  if (!givesFingerprints) return kj::Maybe<Fingerprint>(nullptr);
  hints = *given;
  ++digestCalls;
  if (isGone) return goneException();
  std::vector<std::optional<FileState>> states;
  for (const auto& question : list->questions) states.emplace_back(stateOf(question.path));
  return kj::Maybe<Fingerprint>(Fingerprint{kiln::fingerprint(states), reads});
}

FileState ScriptedFiles::stateOf(const std::string& path) const {
  auto found = content.find(path);
  if (found == content.end()) return {FileKind::absent, 0, {}, 0};
  return {FileKind::file, found->second.size(), xxh3(found->second), identityOf(path)};
}

kj::Promise<Compiled> ScriptedCompilers::compile(const Toolchain& toolchain, const Request& request,
                                                 std::chrono::milliseconds timeout, FileAnswerer& files) {
  auto job = std::make_shared<Job>();
  job->toolchain = toolchain.name;
  job->request = request;
  job->timeout = timeout;
  auto gate = kj::newPromiseAndFulfiller<void>();
  job->release = kj::mv(gate.fulfiller);
  if (!isHeld) job->release->fulfill();
  jobs.push_back(job);

  auto compiled = std::make_shared<Compiled>();
  compiled->compileMilliseconds = 100;
  Artifact artifact;
  artifact.outputs.push_back({OutputKind::cubin, toolchain.name + ":" + request.source, {}});
  artifact.log = "one warning\n";
  compiled->result = std::move(artifact);
  const std::size_t first = request.language == Language::ptx ? reads.size() : 0;
  return gate.promise
      .then([this, first, names = request.names, &files, compiled] {
        return read(first, names, files, compiled);
      })
      .then([this, job](Compiled&& result) {
        job->isRunning = false;
        change(result);
        return std::move(result);
      })
      .attach(kj::defer([job] {
        job->isKilled = job->isRunning;
        job->isRunning = false;
      }));
}

kj::Promise<Compiled> ScriptedCompilers::read(std::size_t nth, const Names& names, FileAnswerer& files,
                                              std::shared_ptr<Compiled> compiled) {
  if (nth == reads.size()) {
    compiled->dependencies = normalised(std::move(compiled->dependencies));
    return std::move(*compiled);
  }
  auto path = resolve(reads[nth], roleDirectories(names));
  return files.answer({FileQuestion::Kind::look, path})
      .then([this, nth, names, &files, compiled](FileReply&& reply) {
        const auto& answer = reply.answer;
        Dependency dependency{reads[nth], FileKind::absent, 0, {}, {}, 0};
        if (answer.kind == FileAnswer::Kind::file) {
          dependency.kind = FileKind::file;
          dependency.size = answer.size;
          dependency.xxh3 = xxh3(answer.text);
          dependency.fileNumber = static_cast<std::uint32_t>(nth + 1);
          std::get<Artifact>(compiled->result).outputs[0].bytes += "+" + answer.text;
        }
        compiled->dependencies.push_back(std::move(dependency));
        return read(nth + 1, names, files, compiled);
      });
}

StoreResult<std::vector<Manifest>> FailingStore::manifests(std::string_view domain,
                                                           const Hash128& requestHash, Which which) {
  if (readsFail) return std::unexpected(StoreError{"reading failed"});
  return store_->manifests(domain, requestHash, which);
}

StoreResult<std::optional<Entry>> FailingStore::find(std::string_view domain, const EntryKey& key,
                                                     Which which) {
  if (readsFail) return std::unexpected(StoreError{"reading failed"});
  return store_->find(domain, key, which);
}

StoreResult<void> FailingStore::put(const Entry& entry, const Request& request) {
  if (writesFail) return std::unexpected(StoreError{"the disk is full"});
  return store_->put(entry, request);
}

StoreResult<void> FailingStore::touch(std::string_view domain, const Hash128& requestHash,
                                      const EntryKey& key) {
  if (writesFail) return std::unexpected(StoreError{"the disk is full"});
  return store_->touch(domain, requestHash, key);
}

StoreResult<bool> FailingStore::remove(std::string_view domain, const EntryKey& key, Which which) {
  return store_->remove(domain, key, which);
}

StoreResult<std::optional<Request>> FailingStore::request(std::string_view domain,
                                                          const Hash128& requestHash) {
  return store_->request(domain, requestHash);
}

StoreResult<std::vector<Request>> FailingStore::requestsWithSource(std::string_view domain,
                                                                   const Hash128& sourceHash,
                                                                   std::size_t limit) {
  return store_->requestsWithSource(domain, sourceHash, limit);
}

StoreResult<std::vector<EntrySummary>> FailingStore::list(std::string_view domain,
                                                          std::optional<EntryKey> after, std::size_t limit) {
  return store_->list(domain, after, limit);
}

StoreResult<StoreStatistics> FailingStore::statistics() { return store_->statistics(); }

StoreResult<std::unique_ptr<BundleIntake>> FailingStore::beginBundle(BundleRecord record) {
  if (writesFail) return std::unexpected(StoreError{"the disk is full"});
  return store_->beginBundle(std::move(record));
}

StoreResult<bool> FailingStore::removeBundle(std::string_view domain, const Sha256& digest) {
  if (writesFail) return std::unexpected(StoreError{"the disk is full"});
  return store_->removeBundle(domain, digest);
}

StoreResult<bool> FailingStore::isWhole(std::string_view domain, const Sha256& digest) {
  if (readsFail) return std::unexpected(StoreError{"reading failed"});
  return store_->isWhole(domain, digest);
}

StoreResult<std::vector<BundleRecord>> FailingStore::bundles(std::string_view domain) {
  if (readsFail) return std::unexpected(StoreError{"reading failed"});
  return store_->bundles(domain);
}

StoreResult<std::vector<BundleRecord>> FailingStore::allBundles() {
  if (readsFail) return std::unexpected(StoreError{"reading failed"});
  return store_->allBundles();
}

// Generated for the virtual architecture, then linked for the target.
static std::optional<Stages> stagesOf(const Request& request) {
  if (!request.virtualArchitecture) return std::nullopt;
  Stages stages{request, request};
  stages.first.target = *request.virtualArchitecture;
  stages.first.virtualArchitecture.reset();
  stages.last.virtualArchitecture.reset();
  stages.last.language = Language::ptx;
  return stages;
}

ServiceFixture::ServiceFixture(ServiceLimits limits)
    : toolchains(
          executor, onDisk,
          [this] {
            ++scans;
            return onDisk;
          },
          [this](const ToolchainList&, const ToolchainList& after) { changes.push_back(after); }),
      service(store, compilers, executor, toolchains, timer, limits,
              {[this](const Request&) -> std::expected<void, Failure> {
                 if (!refusal.message.empty()) return std::unexpected(refusal);
                 return {};
               },
               stagesOf, [this](const StoreError& error) { storeErrors.push_back(error.message); }}) {}

Asker ServiceFixture::asker(ScriptedFiles& files, const std::string& domain) const {
  return {domain, someNames(), "", files.addRef()};
}

Asker ServiceFixture::askerNamed(ScriptedFiles& files, Names names) const {
  return {"users", std::move(names), "", files.addRef()};
}

kj::Promise<Outcome> ServiceFixture::compile(ScriptedFiles& files) {
  return compileRequest(files, someRequest());
}

kj::Promise<Outcome> ServiceFixture::compileSource(ScriptedFiles& files, const std::string& source,
                                                   Priority priority) {
  return service.compile(asker(files), someRequest(source), priority, std::chrono::milliseconds(0));
}

kj::Promise<Outcome> ServiceFixture::compileNamed(ScriptedFiles& files, const Names& names) {
  return service.compile(askerNamed(files, names), someRequest(), Priority::normal,
                         std::chrono::milliseconds(0));
}

kj::Promise<Outcome> ServiceFixture::compileRequest(ScriptedFiles& files, const Request& request) {
  return service.compile(asker(files), request, Priority::normal, std::chrono::milliseconds(0));
}

void ServiceFixture::settle() {
  // The executor has one thread: a job of ours ends behind all that were posted before it. No call makes more
  // than a few of them, one after another.
  for (int round = 0; round < 20; ++round) {
    executor.run([] {}).wait(io.waitScope);
    io.waitScope.poll();
  }
}

std::vector<Toolchain> someToolchains() {
  Toolchain newer;
  newer.name = "nvrtc 13.0";
  newer.frontend = "nvrtc";
  newer.version = "13.0";
  newer.library = "/opt/13/libnvrtc.so";
  newer.identity.bytes.fill(13);
  newer.targets = {"sm_80", "sm_90", "compute_90"};
  Toolchain older = newer;
  older.name = "nvrtc 12.9";
  older.version = "12.9";
  older.identity.bytes.fill(12);
  Toolchain broken = newer;
  broken.name = "nvrtc 11.8";
  broken.version = "11.8";
  broken.library = "/opt/11/libnvrtc.so";
  broken.identity.bytes.fill(11);
  broken.problem = "it does not load";
  return {newer, older, broken};
}

Names someNames() { return {"k.cu", "/home/me", {"inc"}}; }

Request someRequest(const std::string& source) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = source;
  request.names = someNames();
  request.outputs = {OutputKind::cubin};
  return request;
}

kj::Own<ScriptedFiles> filesWith(const std::string& headerContent) {
  return kj::refcounted<ScriptedFiles>(
      std::map<std::string, std::string>{{"/home/me/inc/a.h", headerContent}});
}

std::string outputOf(const Outcome& outcome) {
  const auto* artifact = std::get_if<Artifact>(&outcome.entry->result);
  return artifact == nullptr ? "" : artifact->outputs[0].bytes;
}

std::optional<FailureKind> failureOf(const Outcome& outcome) {
  const auto* failure = std::get_if<Failure>(&outcome.entry->result);
  if (failure == nullptr) return std::nullopt;
  return failure->kind;
}

}  // namespace kiln::test
