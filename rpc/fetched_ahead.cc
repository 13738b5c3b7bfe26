#include "rpc/fetched_ahead.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "rpc/schema/convert.h"

namespace kiln {
namespace {

constexpr std::uint32_t kBatchBytes = 512 << 10;
// Nothing more is fetched while so much is here.
constexpr std::size_t kEnoughBytes = 4 << 20;

}  // namespace

kj::Promise<kj::Maybe<FileReply>> FetchedAhead::find(std::string path) {
  auto found = take(path);
  if (found != nullptr || !isFetching_) return kj::mv(found);
  auto batch = kj::newPromiseAndFulfiller<void>();
  waiting_.push_back(kj::mv(batch.fulfiller));
  return batch.promise.then([this, path = std::move(path)] { return take(path); });
}

kj::Maybe<FileReply> FetchedAhead::take(const std::string& path) {
  auto known = std::find_if(kept_.begin(), kept_.end(), [&](const auto& one) { return one.path == path; });
  if (known == kept_.end()) return nullptr;
  FileReply reply{std::move(known->answer)};
  kept_.erase(known);
  addTo(reply);
  return reply;
}

void FetchedAhead::addTo(FileReply& reply) {
  bool expectsMore = isFetching_ || !kept_.empty() || !reply.ahead.empty();
  std::move(kept_.begin(), kept_.end(), std::back_inserter(reply.ahead));
  kept_.clear();
  keptBytes_ = 0;
  if (expectsMore) fetch();
}

void FetchedAhead::fetch() {
  if (std::exchange(isFetching_, true)) return;
  fetching_ = fetchBatches().eagerlyEvaluate(nullptr);
}

// What goes wrong here comes up again with the compiler's next question.
kj::Promise<void> FetchedAhead::fetchBatches() {
  auto call = source_.lookRequest();
  call.setAheadLimit(kBatchBytes);
  return call.send()
      .then([](auto&& response) { return convert::read(response.getAhead()); },
            [](kj::Exception&&) { return std::vector<AheadAnswer>(); })
      .then([this](std::vector<AheadAnswer>&& batch) -> kj::Promise<void> {
        isFetching_ = !batch.empty();
        keep(std::move(batch));
        isFetching_ = isFetching_ && keptBytes_ < kEnoughBytes;
        if (isFetching_) return fetchBatches();
        return kj::READY_NOW;
      });
}

void FetchedAhead::keep(std::vector<AheadAnswer> batch) {
  for (auto& one : batch) {
    keptBytes_ += sizeof one + one.path.size() + one.answer.text.size();
    kept_.push_back(std::move(one));
  }
  for (auto& waiter : std::exchange(waiting_, {})) waiter->fulfill();
}

}  // namespace kiln
