#include "frontends/pool/job.h"

#include <capnp/serialize-async.h>

#include <csignal>
#include <utility>

#include "frontends/pool/amounts.h"
#include "frontends/pool/memory.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

// The largest message that is taken from a child. Memory for it is set aside as it comes in.
constexpr std::uint64_t kMaximumMessage = 512ull << 20;

capnp::ReaderOptions readerOptions() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kMaximumMessage / sizeof(capnp::word);
  return options;
}

kj::Promise<void> write(kj::AsyncIoStream& stream, kj::Own<capnp::MallocMessageBuilder> message) {
  auto written = capnp::writeMessage(stream, *message);
  return written.attach(kj::mv(message));
}

}  // namespace

Job::Job(PoolContext& context, const Toolchain& toolchain, const Request& request,
         std::chrono::milliseconds timeout, FileAnswerer& files)
    : context_(context),
      toolchain_(toolchain.name),
      request_(request),
      timeout_(timeout),
      files_(files),
      started_(context.timer.now()) {}

kj::Promise<Compiled> Job::run(Zygote& zygote) {
  return zygote.clone().then([this](Zygote::Result clone) -> kj::Promise<Compiled> {
    if (clone) return compile(std::move(*clone));
    auto& failure = clone.error();
    return Compiled{.result = failure, .dependencies = {}, .unclean = failure.message};
  });
}

kj::Promise<Compiled> Job::compile(Clone clone) {
  started_ = context_.timer.now();
  process_.emplace(std::move(clone.process));
  stream_ = context_.io.wrapSocketFd(kj::mv(clone.socket), kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC);
  return converse().exclusiveJoin(watchChild()).exclusiveJoin(watchTime()).exclusiveJoin(watchMemory());
}

kj::Promise<Compiled> Job::converse() {
  return sendJob().catch_([this](kj::Exception&& exception) -> kj::Promise<Compiled> {
    if (exception.getType() == kj::Exception::Type::DISCONNECTED) return died();
    return malformed(exception.getDescription().cStr());
  });
}

kj::Promise<Compiled> Job::sendJob() {
  auto message = kj::heap<capnp::MallocMessageBuilder>();
  convert::write(message->initRoot<schema::Job>().initRequest(), request_);
  return write(*stream_, kj::mv(message)).then([this] { return readMessage(); });
}

kj::Promise<Compiled> Job::readMessage() {
  return capnp::tryReadMessage(*stream_, readerOptions())
      .then([this](kj::Maybe<kj::Own<capnp::MessageReader>> message) -> kj::Promise<Compiled> {
        KJ_IF_MAYBE (some, message) return handle((*some)->getRoot<schema::ChildMessage>());
        return died();
      });
}

kj::Promise<Compiled> Job::handle(schema::ChildMessage::Reader message) {
  switch (message.which()) {
    case schema::ChildMessage::QUESTION: {
      auto question = readQuestion(message.getQuestion());
      if (!question) return malformed(question.error().what);
      if (phase_ == Phase::over) return died();
      return answer(std::move(*question));
    }
    case schema::ChildMessage::FINISHED: {
      auto compiled = readFinished(message.getFinished(), request_);
      if (!compiled) return malformed(compiled.error().what);
      return std::move(*compiled);
    }
  }
  return malformed("it is neither a question nor a result");
}

kj::Promise<Compiled> Job::answer(FileQuestion question) {
  phase_ = Phase::answering;
  asked_ = question.path;
  return kj::evalNow([&] { return files_.answer(std::move(question)); })
      .then(
          [this](FileReply reply) {
            phase_ = Phase::talking;
            return send(reply);
          },
          [this](kj::Exception&& exception) -> kj::Promise<Compiled> {
            return failed(FailureKind::fileUnavailable, "could not go on, since '" + asked_ +
                                                            "' cannot be asked of the client any more: " +
                                                            exception.getDescription().cStr());
          });
}

kj::Promise<Compiled> Job::send(const FileReply& reply) {
  auto message = kj::heap<capnp::MallocMessageBuilder>();
  auto builder = message->initRoot<schema::FileReply>();
  convert::write(builder.initAnswer(), reply.answer);
  convert::write(builder.initAhead(static_cast<unsigned>(reply.ahead.size())), reply.ahead);
  return write(*stream_, kj::mv(message)).then([this] { return readMessage(); });
}

kj::Promise<Compiled> Job::watchChild() {
  return process_->onExit().then([this](ExitStatus status) -> kj::Promise<Compiled> {
    if (phase_ == Phase::answering) return crashed(status);
    phase_ = Phase::over;
    stream_->abortRead();
    return kj::NEVER_DONE;
  });
}

kj::Promise<Compiled> Job::watchTime() {
  return context_.timer.afterDelay(toKj(timeout_)).then([this] {
    auto when = phase_ == Phase::answering ? ", while the client was asked for '" + asked_ + "'" : "";
    return failed(FailureKind::timeout,
                  "was stopped at its time limit of " + describeDuration(timeout_) + when +
                      "; ask for more time, or raise compile_timeout_seconds in kilnd's configuration");
  });
}

kj::Promise<Compiled> Job::watchMemory() {
  return context_.timer.afterDelay(toKj(context_.options.memoryInterval))
      .then([this]() -> kj::Promise<Compiled> {
        auto used = privateMemory(process_->id());
        auto limit = context_.options.memoryLimit;
        if (used <= limit) return watchMemory();
        return failed(FailureKind::memoryLimit,
                      "was stopped at its memory limit of " + describeBytes(limit) + ", with " +
                          describeBytes(used) + " in use; raise memory_limit_mb in kilnd's configuration");
      });
}

// The child has closed its socket: it is about to end, or else it is made to.
kj::Promise<Compiled> Job::died() {
  process_->kill();
  return process_->onExit().then([this](ExitStatus status) { return crashed(status); });
}

Compiled Job::crashed(ExitStatus status) const {
  auto hint = status == ExitStatus{ExitStatus::How::killed, SIGKILL}
                  ? "; perhaps the node is short of memory: the kernel's log would tell"
                  : "; kilnd's log has what it wrote. Another toolchain may compile this";
  return failed(FailureKind::compilerCrash,
                "ended without a result: the compiler process " + describe(status) + hint);
}

Compiled Job::malformed(const std::string& what) const {
  return failed(FailureKind::compilerCrash,
                "ended without a result: kilnd cannot read a message of the compiler process: " + what);
}

Compiled Job::failed(FailureKind kind, const std::string& whatHappened) const {
  auto message = "compiling '" + request_.names.source + "' for " + request_.target.name + " with " +
                 toolchain_ + " " + whatHappened;
  auto milliseconds = static_cast<double>((context_.timer.now() - started_) / kj::MICROSECONDS) / 1000;
  return {.result = Failure{kind, message},
          .dependencies = {},
          .compileMilliseconds = milliseconds,
          .unclean = message};
}

}  // namespace kiln
