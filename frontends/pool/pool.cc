#include "frontends/pool/pool.h"

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include "frontends/pool/context.h"
#include "frontends/pool/job.h"
#include "frontends/pool/process_table.h"
#include "frontends/pool/zygote.h"

namespace kiln {
namespace {

// How long no compile has run when a spare child is made: its page faults must not be in the way of the reply
// to the last one, nor of a next one that is there already.
constexpr kj::Duration kIdle = 5 * kj::MILLISECONDS;

}  // namespace

class CompilerPool::Impl {
 public:
  Impl(kj::UnixEventPort& port, kj::LowLevelAsyncIoProvider& io, PoolOptions options)
      : options_(std::move(options)), table_(port), context_{port, io, port.getTimer(), options_, table_} {}

  void prepare(const Toolchain& toolchain) { seatFor(toolchain).zygote.prepare(); }

  kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                std::chrono::milliseconds timeout, FileAnswerer& files) {
    auto& seat = seatFor(toolchain);
    ++seat.compiles;
    ++compiles_;
    spareSoon_ = nullptr;
    auto leave = kj::defer([this, &seat] {
      --seat.compiles;
      if (--compiles_ == 0) keepSpareSoon(seat);
      retire();
    });
    auto job = kj::heap<Job>(context_, toolchain, request, timeout, files);
    auto compiled = job->run(seat.zygote);
    return running_.wrap(compiled.attach(kj::mv(job), kj::mv(leave)));
  }

  void keepOnly(ToolchainList toolchains) {
    kept_ = std::move(toolchains);
    retire();
  }

  [[nodiscard]] const ProcessTable& table() const { return table_; }

 private:
  // A zygote belongs to its toolchain as a whole: equal bytes that were put back in place are not what it has
  // loaded.
  struct Seat {
    Seat(PoolContext& context, const Toolchain& of) : toolchain(of), zygote(context, of) {}

    const Toolchain toolchain;
    Zygote zygote;
    unsigned compiles = 0;  // that run
  };

  Seat& seatFor(const Toolchain& toolchain) {
    for (auto& seat : seats_) {
      if (seat.toolchain == toolchain) return seat;
    }
    return seats_.emplace_back(context_, toolchain);
  }

  void keepSpareSoon(Seat& seat) {
    spareSoon_ = context_.timer.afterDelay(kIdle)
                     .then([this, toolchain = seat.toolchain] {
                       for (auto& kept : seats_) {
                         if (kept.toolchain == toolchain) kept.zygote.keepSpare();
                       }
                     })
                     .eagerlyEvaluate(nullptr);
  }

  void retire() {
    std::erase_if(seats_, [this](const Seat& seat) { return seat.compiles == 0 && !isKept(seat.toolchain); });
  }

  [[nodiscard]] bool isKept(const Toolchain& toolchain) const {
    return !kept_ || std::ranges::any_of(*kept_, [&](const auto& kept) { return *kept == toolchain; });
  }

  const PoolOptions options_;
  ProcessTable table_;
  PoolContext context_;
  std::list<Seat> seats_;
  std::optional<ToolchainList> kept_;
  unsigned compiles_ = 0;  // that run, in all seats
  kj::Promise<void> spareSoon_ = nullptr;
  kj::Canceler running_;
};

CompilerPool::CompilerPool(kj::UnixEventPort& port, kj::LowLevelAsyncIoProvider& io, PoolOptions options)
    : impl_(kj::heap<Impl>(port, io, std::move(options))) {}

CompilerPool::~CompilerPool() noexcept = default;

kj::Promise<Compiled> CompilerPool::compile(const Toolchain& toolchain, const Request& request,
                                            std::chrono::milliseconds timeout, FileAnswerer& files) {
  return impl_->compile(toolchain, request, timeout, files);
}

void CompilerPool::prepare(const Toolchain& toolchain) { impl_->prepare(toolchain); }

void CompilerPool::keepOnly(ToolchainList toolchains) { impl_->keepOnly(std::move(toolchains)); }

std::vector<CompilerProcessInfo> CompilerPool::processes() const { return impl_->table().processes(); }

}  // namespace kiln
