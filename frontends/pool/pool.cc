#include "frontends/pool/pool.h"

#include <map>
#include <utility>

#include "frontends/pool/context.h"
#include "frontends/pool/job.h"
#include "frontends/pool/process_table.h"
#include "frontends/pool/zygote.h"

namespace kiln {

class CompilerPool::Impl {
 public:
  Impl(kj::UnixEventPort& port, kj::LowLevelAsyncIoProvider& io, PoolOptions options)
      : options_(std::move(options)), table_(port), context_{port, io, port.getTimer(), options_, table_} {}

  Zygote& zygote(const Toolchain& toolchain) {
    auto& zygote = zygotes_[{toolchain.identity, toolchain.library}];
    if (zygote.get() == nullptr) zygote = kj::heap<Zygote>(context_, toolchain);
    return *zygote;
  }

  kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                std::chrono::milliseconds timeout, FileAnswerer& files) {
    auto job = kj::heap<Job>(context_, toolchain, request, timeout, files);
    auto compiled = job->run(zygote(toolchain));
    return running_.wrap(compiled.attach(kj::mv(job)));
  }

  [[nodiscard]] const ProcessTable& table() const { return table_; }

 private:
  const PoolOptions options_;
  ProcessTable table_;
  PoolContext context_;
  std::map<std::pair<Sha256, std::string>, kj::Own<Zygote>> zygotes_;  // by identity and library
  kj::Canceler running_;
};

CompilerPool::CompilerPool(kj::UnixEventPort& port, kj::LowLevelAsyncIoProvider& io, PoolOptions options)
    : impl_(kj::heap<Impl>(port, io, std::move(options))) {}

CompilerPool::~CompilerPool() noexcept = default;

kj::Promise<Compiled> CompilerPool::compile(const Toolchain& toolchain, const Request& request,
                                            std::chrono::milliseconds timeout, FileAnswerer& files) {
  return impl_->compile(toolchain, request, timeout, files);
}

void CompilerPool::prepare(const Toolchain& toolchain) { impl_->zygote(toolchain).prepare(); }

std::vector<CompilerProcessInfo> CompilerPool::processes() const { return impl_->table().processes(); }

}  // namespace kiln
