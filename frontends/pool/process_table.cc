#include "frontends/pool/process_table.h"

#include <kj/debug.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "frontends/pool/pidfd.h"

namespace kiln {

class CompilerProcess::Watched {
 public:
  Watched(kj::UnixEventPort& port, Process process, CompilerProcessInfo info,
          std::set<const Watched*>& living)
      : living_(living),
        info_(std::move(info)),
        process_(std::move(process)),
        observer_(port, process_.pidfd(), kj::UnixEventPort::FdObserver::OBSERVE_READ),
        exit_(kj::evalLater([this] { return watch(); }).fork()) {
    living_.insert(this);
  }
  ~Watched() { living_.erase(this); }
  KJ_DISALLOW_COPY(Watched);

  [[nodiscard]] const CompilerProcessInfo& info() const { return info_; }
  void setRole(CompilerRole role) { info_.role = role; }
  bool hasEnded() { return process_.tryReap().has_value(); }
  void kill() { process_.kill(); }
  kj::Promise<ExitStatus> onExit() { return exit_.addBranch(); }

 private:
  kj::Promise<ExitStatus> watch() {
    if (auto status = process_.tryReap()) {
      living_.erase(this);
      return *status;
    }
    return observer_.whenBecomesReadable().then([this] { return watch(); });
  }

  std::set<const Watched*>& living_;
  CompilerProcessInfo info_;
  Process process_;
  kj::UnixEventPort::FdObserver observer_;
  kj::ForkedPromise<ExitStatus> exit_;
};

CompilerProcess::CompilerProcess(ProcessTable& table, kj::Own<Watched> watched)
    : table_(&table), watched_(kj::mv(watched)) {}

CompilerProcess::CompilerProcess(CompilerProcess&& other) noexcept = default;

CompilerProcess::~CompilerProcess() noexcept {
  if (watched_.get() != nullptr) table_->bury(kj::mv(watched_));
}

int CompilerProcess::id() const { return watched_->info().processId; }
bool CompilerProcess::hasEnded() { return watched_->hasEnded(); }
void CompilerProcess::setRole(CompilerRole role) { watched_->setRole(role); }
void CompilerProcess::kill() { watched_->kill(); }
kj::Promise<ExitStatus> CompilerProcess::onExit() { return watched_->onExit(); }

ProcessTable::ProcessTable(kj::UnixEventPort& port)
    : port_(port), buried_(kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this))) {}

ProcessTable::~ProcessTable() noexcept {
  std::vector<int> zygotes;
  for (const auto& info : processes()) {
    if (info.role == CompilerRole::zygote) zygotes.push_back(info.processId);
  }
  buried_ = nullptr;  // reaps
  for (int zygote : zygotes) {
    const auto killed = strays(zygote);
  }
}

CompilerProcess ProcessTable::add(Process process, CompilerProcessInfo info) {
  info.processId = process.id();
  return {*this, kj::heap<CompilerProcess::Watched>(port_, std::move(process), std::move(info), living_)};
}

void ProcessTable::bury(kj::Own<CompilerProcess::Watched> watched) {
  watched->kill();
  const auto& info = watched->info();
  const bool mayLeaveStrays = info.role == CompilerRole::zygote && living_.contains(watched.get());
  auto exit = watched->onExit().ignoreResult();
  if (mayLeaveStrays) {
    exit = exit.then(
        [this, group = info.processId, toolchain = info.toolchain] { buryStrays(group, toolchain); });
  }
  buried_->add(exit.attach(kj::mv(watched)));
}

void ProcessTable::buryStrays(int group, const std::string& toolchain) {
  for (auto& stray : strays(group)) add(std::move(stray), {.toolchain = toolchain});
}

std::vector<Process> ProcessTable::strays(int group) const {
  std::vector<Process> found;
  // Children cloned with CLONE_PARENT are children of the very thread that started the zygote.
  std::ifstream children("/proc/thread-self/children");
  for (int id = 0; children >> id;) {
    bool known = std::ranges::any_of(living_, [&](auto* watched) { return watched->info().processId == id; });
    if (known || getpgid(id) != group) continue;
    int pidfd = openPidfd(id);
    if (pidfd >= 0) found.emplace_back(kj::AutoCloseFd(pidfd), id);
  }
  return found;
}

std::vector<CompilerProcessInfo> ProcessTable::processes() const {
  std::vector<CompilerProcessInfo> result;
  for (auto* watched : living_) result.push_back(watched->info());
  std::ranges::sort(result, {}, &CompilerProcessInfo::processId);
  return result;
}

void ProcessTable::taskFailed(kj::Exception&& exception) {
  KJ_LOG(ERROR, "cannot reap a compiler process", exception);
}

}  // namespace kiln
