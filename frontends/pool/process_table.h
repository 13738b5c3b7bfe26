// Every compiler process there is: who they are, and how they are laid to rest.
#pragma once

#include <kj/async-unix.h>
#include <kj/async.h>

#include <set>
#include <string>
#include <vector>

#include "frontends/pool/pool.h"
#include "frontends/pool/process.h"

namespace kiln {

class ProcessTable;

// A compiler process. Destroying this kills it; the table reaps it without anybody waiting for that, and a
// zygote's strays with it.
class CompilerProcess {
 public:
  CompilerProcess(CompilerProcess&& other) noexcept;
  CompilerProcess& operator=(CompilerProcess&&) = delete;
  ~CompilerProcess() noexcept;

  [[nodiscard]] int id() const;
  // Also before onExit() says so.
  [[nodiscard]] bool hasEnded();
  void setRole(CompilerRole role);
  void kill();
  // Resolves once the process has ended and is reaped. May be asked for as often as one likes.
  kj::Promise<ExitStatus> onExit();

 private:
  friend class ProcessTable;
  class Watched;
  CompilerProcess(ProcessTable& table, kj::Own<Watched> watched);

  ProcessTable* table_;
  kj::Own<Watched> watched_;
};

// Outlives its processes' handles. Destroying it kills and reaps, blocking, what was not reaped yet, strays
// included.
class ProcessTable final : private kj::TaskSet::ErrorHandler {
 public:
  explicit ProcessTable(kj::UnixEventPort& port);
  ~ProcessTable() noexcept;

  // `info` is what processes() says of it; its processId is filled in here.
  CompilerProcess add(Process process, CompilerProcessInfo info);

  // Kills and reaps the processes of session `group` that are children of this process and not in the table:
  // a zygote that dies between cloning a child and reporting it leaves one. To be called by the thread that
  // started the zygote.
  void buryStrays(int group, const std::string& toolchain);

  // Those that were not reaped yet.
  [[nodiscard]] std::vector<CompilerProcessInfo> processes() const;

 private:
  friend class CompilerProcess;
  // Destroying them kills and reaps, blocking.
  [[nodiscard]] std::vector<Process> strays(int group) const;
  void bury(kj::Own<CompilerProcess::Watched> watched);
  void taskFailed(kj::Exception&& exception) override;

  kj::UnixEventPort& port_;
  std::set<const CompilerProcess::Watched*> living_;
  kj::Own<kj::TaskSet> buried_;
};

}  // namespace kiln
