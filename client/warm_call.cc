#include "client/warm_call.h"

#include <expected>
#include <optional>
#include <utility>
#include <vector>

#include "client/replies.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

constexpr unsigned kPortionsAtOnce = 3;

// The portions of one bundle, sent one behind the other by each of a few chains.
class Sender {
 public:
  Sender(schema::Warming::Client warming, WorkerPool& workers, std::shared_ptr<BundleSource> source)
      : warming_(kj::mv(warming)), workers_(workers), source_(std::move(source)) {}

  kj::Promise<WarmReply> run() {
    auto chains = kj::heapArrayBuilder<kj::Promise<void>>(kPortionsAtOnce);
    for (unsigned i = 0; i < kPortionsAtOnce; ++i) chains.add(sendNext());
    return kj::joinPromises(chains.finish()).then([this] { return finish(); });
  }

 private:
  kj::Promise<void> sendNext() {
    if (failed_ || next_ == source_->portions()) return kj::READY_NOW;
    const auto portion = next_++;
    return workers_.run([source = source_, portion] { return source->read(portion); })
        .then([this,
               portion](std::expected<std::vector<std::string>, std::string>&& layers) -> kj::Promise<void> {
          if (!layers) return fail({.problem = std::move(layers.error()), .isUnreadable = true});
          return send(portion, std::move(*layers));
        });
  }

  kj::Promise<void> send(std::size_t portion, std::vector<std::string> layers) {
    auto call = warming_.addRequest();
    auto list = call.initLayers(layers.size());
    for (unsigned i = 0; i < layers.size(); ++i) list.set(i, convert::toData(layers[i]));
    return call.send().then([this, portion](auto&& response) -> kj::Promise<void> {
      if (response.getProblem().size() != 0)
        return fail({.problem = std::string(convert::text(response.getProblem())), .refused = portion});
      source_->onTaken(portion);
      return sendNext();
    });
  }

  // The first word counts.
  kj::Promise<void> fail(WarmReply reply) {
    if (!failed_) failed_ = std::move(reply);
    return kj::READY_NOW;
  }

  kj::Promise<WarmReply> finish() {
    if (failed_) return std::move(*failed_);
    source_->onCommit();
    return warming_.commitRequest().send().then([](auto&& response) {
      WarmReply reply{.problem = std::string(convert::text(response.getProblem()))};
      if (reply.problem.empty()) reply.bundle = readBundle(response.getBundle());
      return reply;
    });
  }

  schema::Warming::Client warming_;
  WorkerPool& workers_;
  const std::shared_ptr<BundleSource> source_;
  std::size_t next_ = 0;
  std::optional<WarmReply> failed_;
};

}  // namespace

kj::Promise<WarmReply> warm(schema::Session::Client session, WorkerPool& workers,
                            std::shared_ptr<BundleSource> source) {
  auto call = session.warmRequest();
  call.setName(convert::toText(source->name()));
  call.setManifest(convert::toData(source->manifest()));
  call.setIndex(convert::toData(source->index()));
  return call.send().then([&workers, source](auto&& response) -> kj::Promise<WarmReply> {
    if (response.getProblem().size() != 0) {
      return WarmReply{.problem = std::string(convert::text(response.getProblem()))};
    }
    if (response.getIsThere()) return WarmReply{.wasThere = true, .bundle = readBundle(response.getBundle())};
    auto sender = kj::heap<Sender>(response.getWarming(), workers, source);
    auto sent = sender->run();
    return sent.attach(kj::mv(sender));
  });
}

}  // namespace kiln::client
