#include "frontends/pool/zygote.h"

#include <capnp/serialize.h>
#include <kj/debug.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "frontends/pool/amounts.h"
#include "frontends/pool/spawn.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

constexpr kj::Duration kFirstPause = 100 * kj::MILLISECONDS;
constexpr kj::Duration kLongestPause = 10 * kj::SECONDS;
constexpr int kDeathsToGiveUp = 3;

struct SocketPair {
  kj::AutoCloseFd ours;
  kj::AutoCloseFd theirs;
};

// The error number if there is none to be had.
std::expected<SocketPair, int> socketPair(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) return std::unexpected(errno);
  return SocketPair{kj::AutoCloseFd(ends[0]), kj::AutoCloseFd(ends[1])};
}

Failure cannotConnect(int error) {
  return {FailureKind::toolchainUnavailable,
          std::string("cannot make a socket pair for a compiler process: ") + std::strerror(error) +
              "; give kilnd more descriptors (LimitNOFILE=)"};
}

}  // namespace

Zygote::Zygote(PoolContext& context, const Toolchain& toolchain)
    : context_(context),
      toolchain_(toolchain.name),
      frontend_(toolchain.frontend),
      library_(toolchain.library),
      handed_(toolchain.handed),
      program_(toolchain.program.empty() ? context.options.compilerProgram
                                         : std::filesystem::path(toolchain.program)),
      footprint_(toolchain.footprint),
      pause_(kFirstPause),
      printed_(context.port, [this](std::string_view line) { context_.options.onPrinted(toolchain_, line); }),
      life_(keepAlive().eagerlyEvaluate(
          [](kj::Exception&& exception) { KJ_LOG(ERROR, "a zygote's supervision ended", exception); })) {}

// Before the control socket is closed: a zygote that ends by itself runs the end of its library, which may
// have been overwritten since.
Zygote::~Zygote() noexcept {
  if (process_) process_->kill();
}

void Zygote::prepare() {
  wanted_ = true;
  if (wake_.get() != nullptr) wake_->fulfill();
}

kj::Promise<Zygote::Result> Zygote::clone() {
  wantsSpare_ = false;
  auto waiting = kj::newPromiseAndFulfiller<Result>();
  if (refusal_) {
    waiting.fulfiller->fulfill(std::unexpected(*refusal_));
  } else if (spare_ && !spare_->process.hasEnded()) {
    spare_->process.setRole(CompilerRole::compile);
    waiting.fulfiller->fulfill(*std::exchange(spare_, std::nullopt));
  } else {
    waiters_.push_back({.fulfiller = kj::mv(waiting.fulfiller)});
    prepare();
    orderNext();
  }
  return kj::mv(waiting.promise);
}

void Zygote::keepSpare() {
  wantsSpare_ = !spare_;
  orderNext();
}

kj::Promise<void> Zygote::keepAlive() {
  return untilWanted().then([this] { return live(); }).then([this] { return pause(); }).then([this] {
    return keepAlive();
  });
}

kj::Promise<void> Zygote::untilWanted() {
  if (wanted_) return kj::READY_NOW;
  auto waiting = kj::newPromiseAndFulfiller<void>();
  wake_ = kj::mv(waiting.fulfiller);
  return kj::mv(waiting.promise);
}

kj::Promise<void> Zygote::live() {
  wanted_ = false;
  problem_.clear();
  if (auto started = start(); !started) {
    refuse(std::move(started.error()));
    return kj::READY_NOW;
  }
  state_ = State::starting;
  expectAnswer("did not get ready");
  return serve()
      .exclusiveJoin(process_->onExit().ignoreResult())
      .catch_([this](kj::Exception&& exception) { giveUp(exception.getDescription().cStr()); })
      .then([this] {
        process_->kill();
        return process_->onExit();
      })
      .then([this](ExitStatus status) { finish(status); });
}

kj::Promise<void> Zygote::pause() {
  auto now = pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  return context_.timer.afterDelay(now).then([this] { refusal_.reset(); });
}

std::expected<void, Failure> Zygote::start() {
  auto sockets = socketPair(SOCK_SEQPACKET);
  if (!sockets) return std::unexpected(cannotConnect(sockets.error()));
  std::vector<std::string> arguments = {"--zygote", frontend_, library_};
  arguments.insert(arguments.end(), handed_.begin(), handed_.end());
  auto process = spawn({.program = program_,
                        .arguments = std::move(arguments),
                        .control = sockets->theirs.get(),
                        .standardOutput = {},
                        .standardError = printed_.writeEnd()});
  if (!process) return std::unexpected(std::move(process.error()));
  process_.emplace(
      context_.table.add(std::move(*process), {.toolchain = toolchain_, .role = CompilerRole::zygote}));
  control_ = kj::heap<ControlSocket>(context_.port, kj::mv(sockets->ours));
  return {};
}

kj::Promise<void> Zygote::serve() {
  return control_->receive().then([this](kj::Maybe<ControlSocket::Packet> packet) -> kj::Promise<void> {
    KJ_IF_MAYBE (some, packet) {
      handle(kj::mv(*some));
      if (!problem_.empty()) return kj::READY_NOW;
      return serve();
    }
    return kj::READY_NOW;
  });
}

void Zygote::handle(ControlSocket::Packet packet) {
  auto exception = kj::runCatchingExceptions([&] {
    capnp::FlatArrayMessageReader reader(packet.message);
    handle(reader.getRoot<schema::ZygoteReport>(), std::move(packet.descriptor));
  });
  KJ_IF_MAYBE (some, exception) {
    giveUp(std::string("sent a report that kilnd cannot read: ") + some->getDescription().cStr());
  }
}

void Zygote::handle(schema::ZygoteReport::Reader report, std::optional<kj::AutoCloseFd> descriptor) {
  switch (report.which()) {
    case schema::ZygoteReport::READY:
      if (state_ != State::starting) return;
      if (!holds(footprint_)) return giveUp("was loaded while its files were replaced; ask again");
      state_ = State::ready;
      deadline_ = nullptr;
      return orderNext();
    case schema::ZygoteReport::FAILED:
      refuse({FailureKind::toolchainUnavailable, std::string(convert::text(report.getFailed()))});
      return process_->kill();
    case schema::ZygoteReport::CLONED:
      return handleClone(report.getCloned(), std::move(descriptor));
    case schema::ZygoteReport::CLONE_FAILED:
      return handleCloneFailed(report.getCloneFailed());
  }
  giveUp("sent a report that kilnd does not know");
}

void Zygote::handleClone(schema::ZygoteReport::Cloned::Reader cloned,
                         std::optional<kj::AutoCloseFd> descriptor) {
  if (!descriptor) return giveUp("reported a child without its pidfd");
  auto process = context_.table.add(Process(kj::mv(*descriptor), static_cast<int>(cloned.getProcessId())),
                                    {.toolchain = toolchain_});
  if (!ordered_ || ordered_->job != cloned.getJob()) return;
  deadline_ = nullptr;
  pause_ = kFirstPause;
  Clone clone{std::move(process), kj::mv(std::exchange(ordered_, std::nullopt)->socket)};
  dropWaitersGone();
  if (!waiters_.empty()) {
    waiters_.front().fulfiller->fulfill(std::move(clone));
    waiters_.pop_front();
  } else if (wantsSpare_) {
    clone.process.setRole(CompilerRole::spare);
    wantsSpare_ = false;
    spare_.emplace(std::move(clone));
    spareEnds_ =
        spare_->process.onExit().then([this](ExitStatus) { spare_.reset(); }).eagerlyEvaluate(nullptr);
  }
  orderNext();
}

void Zygote::handleCloneFailed(schema::ZygoteReport::CloneFailed::Reader report) {
  if (!ordered_ || ordered_->job != report.getJob()) return;
  deadline_ = nullptr;
  auto message = whatFailed() + " cannot clone a child: " + std::string(convert::text(report.getMessage()));
  ordered_.reset();
  failNext({FailureKind::toolchainUnavailable, std::move(message)});
  orderNext();
}

void Zygote::orderNext() {
  if (state_ != State::ready || ordered_) return;
  dropWaitersGone();
  if (waiters_.empty() && !wantsSpare_) return;
  auto sockets = socketPair(SOCK_STREAM);
  if (!sockets) {
    do {
      failNext(cannotConnect(sockets.error()));
    } while (!waiters_.empty());
    return;
  }
  ordered_ = Order{++lastJob_, kj::mv(sockets->ours)};
  expectAnswer("did not clone a child");
  if (!control_->order(ordered_->job, sockets->theirs)) giveUp("does not take orders any more");
}

// Only one order is under way at a time, so there is one thing at most that a zygote owes.
void Zygote::expectAnswer(std::string otherwise) {
  auto limit = context_.options.zygoteStartTimeout;
  deadline_ = context_.timer.afterDelay(toKj(limit))
                  .then([this, limit, otherwise = std::move(otherwise)] {
                    giveUp(otherwise + " within " + describeDuration(limit));
                  })
                  .eagerlyEvaluate(nullptr);
}

void Zygote::giveUp(std::string why) {
  if (problem_.empty()) problem_ = std::move(why);
  process_->kill();
}

void Zygote::finish(ExitStatus status) {
  auto before = std::exchange(state_, State::absent);
  deadline_ = nullptr;
  // A child reported at the last moment is there, and its job need not start again.
  while (auto packet = control_->tryReceive()) handle(kj::mv(*packet));
  control_ = nullptr;
  spare_.reset();
  wantsSpare_ = false;
  context_.table.buryStrays(process_->id(), toolchain_);
  process_.reset();

  auto what = whatFailed() + " " + (problem_.empty() ? describe(status) : problem_);
  if (before == State::starting && !problem_.empty()) {
    refuse({FailureKind::toolchainUnavailable, what});
  } else if (before == State::starting) {
    countDeath({FailureKind::toolchainUnavailable,
                what + " before it was ready, " + std::to_string(kDeathsToGiveUp) +
                    " times in a row; its own messages are in kilnd's log"});
  } else {
    countDeath({FailureKind::compilerCrash, what + " instead of cloning a child, " +
                                                std::to_string(kDeathsToGiveUp) + " times in a row"});
  }
  // One that was good is kept warm; one that never got ready is tried again when somebody asks.
  wanted_ = before == State::ready || !waiters_.empty();
}

void Zygote::dropWaitersGone() {
  while (!waiters_.empty() && !waiters_.front().fulfiller->isWaiting()) waiters_.pop_front();
}

void Zygote::failNext(Failure failure) {
  wantsSpare_ = false;
  dropWaitersGone();
  if (waiters_.empty()) return;
  waiters_.front().fulfiller->fulfill(std::unexpected(std::move(failure)));
  waiters_.pop_front();
}

void Zygote::refuse(Failure failure) {
  for (auto& waiter : std::exchange(waiters_, {})) waiter.fulfiller->fulfill(std::unexpected(failure));
  refusal_ = std::move(failure);
}

void Zygote::countDeath(const Failure& failure) {
  ordered_.reset();
  for (auto& waiter : std::exchange(waiters_, {})) {
    if (++waiter.deaths < kDeathsToGiveUp) {
      waiters_.push_back(kj::mv(waiter));
    } else {
      waiter.fulfiller->fulfill(std::unexpected(failure));
    }
  }
}

std::string Zygote::whatFailed() const {
  return "the compiler process of " + toolchain_ + " ('" + program_.string() + " --zygote " + frontend_ +
         " " + library_ + "')";
}

}  // namespace kiln
