#include "jit/service/flight.h"

#include <kj/debug.h>

#include <algorithm>
#include <utility>

namespace kiln {
namespace {

// How long a client may take over a question before another compile runs meanwhile.
constexpr auto kPatience = 1 * kj::SECONDS;

// Whether the result comes of something that the files of one client did and that no dependency tells of: a
// file that could not be read, or whose answer the time limit did not wait for.
bool isForLeaderOnly(const Compiled& compiled, bool awaitsAnswer) {
  const auto* failure = std::get_if<Failure>(&compiled.result);
  if (failure != nullptr && failure->kind == FailureKind::fileUnavailable) return true;
  if (failure != nullptr && failure->kind == FailureKind::timeout && awaitsAnswer) return true;
  return !compiled.unclean.empty() && (failure == nullptr || isDeterministic(failure->kind));
}

// Failures that other files may not lead to, and that come without the files that led to them.
bool mayComeOfFiles(const Failure* failure) {
  return failure != nullptr &&
         (failure->kind == FailureKind::timeout || failure->kind == FailureKind::memoryLimit ||
          failure->kind == FailureKind::compilerCrash);
}

Compiled internalFailure(const kj::Exception& exception) {
  Compiled compiled;
  compiled.unclean = "the compile broke off: " + std::string(exception.getDescription().cStr());
  compiled.result = Failure{FailureKind::internal, compiled.unclean};
  return compiled;
}

}  // namespace

// One waiter's place in the flight: as long as it lives, so does the flight.
class Flight::Seat {
 public:
  Seat(kj::Own<Flight> flight, Waiter who, kj::Own<kj::PromiseFulfiller<Landing>> landing)
      : waiter(std::move(who)), fulfiller(kj::mv(landing)), flight_(kj::mv(flight)) {
    flight_->seats_.push_back(this);
  }
  ~Seat() noexcept { flight_->leave(*this); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  Waiter waiter;
  kj::Own<kj::PromiseFulfiller<Landing>> fulfiller;

 private:
  kj::Own<Flight> flight_;
};

Flight::Flight(FlightKey key, std::shared_ptr<const Toolchain> toolchain,
               std::shared_ptr<const Request> request, kj::Own<JobQueue::Place> place, Compilers& compilers,
               Executor& executor, Store& store, kj::Timer& timer, FlightObserver& observer)
    : key_(std::move(key)),
      toolchain_(std::move(toolchain)),
      request_(std::move(request)),
      compilers_(compilers),
      executor_(executor),
      store_(store),
      timer_(timer),
      observer_(observer),
      place_(kj::mv(place)) {
  run_ = run().eagerlyEvaluate([this](kj::Exception&& exception) {
    close();
    for (auto* seat : seats_) seat->fulfiller->reject(kj::cp(exception));
  });
}

Flight::~Flight() noexcept = default;

kj::Promise<Landing> Flight::join(Waiter waiter) {
  KJ_IREQUIRE(!closed_, "a flight that is closed takes nobody");
  KJ_IF_MAYBE (place, place_) {
    (*place)->raise(waiter.priority);
  }
  auto landing = kj::newPromiseAndFulfiller<Landing>();
  auto seat = kj::heap<Seat>(kj::addRef(*this), std::move(waiter), kj::mv(landing.fulfiller));
  if (seats_.size() == 1) leader_ = seat.get();
  return landing.promise.attach(kj::mv(seat));
}

kj::Promise<void> Flight::run() {
  return KJ_ASSERT_NONNULL(place_)->whenGranted().then([this]() -> kj::Promise<void> {
    if (holds(toolchain_->footprint)) return compileAndLand();
    place_ = nullptr;
    dismissAll(Landing::Kind::outdated);
    return kj::READY_NOW;
  });
}

kj::Promise<void> Flight::compileAndLand() {
  return compile().then([this](Compiled&& compiled) -> kj::Promise<void> {
    place_ = nullptr;
    if (!holds(toolchain_->footprint)) {
      dismissAll(Landing::Kind::outdated);
      return kj::READY_NOW;
    }
    return publishCompiled(std::move(compiled)).then([this](Published&& published) { land(published); });
  });
}

kj::Promise<Compiled> Flight::compile() {
  state_ = State::compiling;
  timeout_ = leader_->waiter.timeout;
  if (request_->names != leader_->waiter.names) {
    auto renamed = std::make_shared<Request>(*request_);
    renamed->names = leader_->waiter.names;
    request_ = std::move(renamed);
  }
  observer_.compileStarted(*this);
  return compilers_.compile(*toolchain_, *request_, timeout_, *this)
      .then([](Compiled&& compiled) { return std::move(compiled); },
            [](kj::Exception&& exception) { return internalFailure(exception); });
}

kj::Promise<Published> Flight::publishCompiled(Compiled compiled) {
  state_ = State::publishing;
  isForLeaderOnly_ = isForLeaderOnly(compiled, awaitsAnswer_);
  observer_.compileEnded(*this, compiled);
  return executor_.run(
      [&store = store_, job = CompileJob{key_.domain, key_.requestHash, request_, toolchain_},
       compiled = std::move(compiled)]() mutable { return publish(store, job, std::move(compiled)); });
}

void Flight::land(const Published& published) {
  if (published.error) observer_.storeFailed(*published.error);
  close();
  for (auto* seat : seats_) seat->fulfiller->fulfill(landingFor(*seat, published));
}

Landing Flight::landingFor(const Seat& seat, const Published& published) const {
  const bool isOwn = &seat == leader_ && isOfOneClient_;
  if (isOwn) return {Landing::Kind::own, published.entry, published.notRemembered};
  const auto* failure = std::get_if<Failure>(&published.entry->result);
  const bool wasTooShort =
      failure != nullptr && failure->kind == FailureKind::timeout && timeout_ < seat.waiter.timeout;
  const bool isForOthersToTry =
      asksForFiles_ && mayComeOfFiles(failure) && !seat.waiter.takesFailuresOfOthers;
  if (isForLeaderOnly_ || wasTooShort || isForOthersToTry) return {};
  return {Landing::Kind::shared, published.entry, published.notRemembered};
}

kj::Promise<FileReply> Flight::answer(FileQuestion question) {
  asksForFiles_ = true;
  auto lending = timer_.afterDelay(kPatience).then([this] {
    KJ_IF_MAYBE (place, place_) {
      (*place)->lend();
    }
  });
  return askLeader(std::move(question))
      .attach(lending.eagerlyEvaluate(nullptr))
      .then([this](FileReply&& reply) {
        KJ_IF_MAYBE (place, place_) {
          (*place)->takeBack();
        }
        return std::move(reply);
      });
}

// A question belongs to the compile, not to the client it was put to: when the leader changes, it is asked
// again.
kj::Promise<FileReply> Flight::askLeader(FileQuestion question) {
  awaitsAnswer_ = true;
  if (leader_ == nullptr) return kj::NEVER_DONE;
  auto* asked = leader_;
  auto files = asked->waiter.files->addRef();
  auto answered = files->answer(question).then(
      [](FileReply&& given) -> std::optional<FileReply> { return std::move(given); },
      [this, asked](kj::Exception&& exception) -> std::optional<FileReply> {
        if (asked == leader_) clientGone(*asked, kj::mv(exception));
        return std::nullopt;
      });
  auto changed = changed_.addBranch().then([]() -> std::optional<FileReply> { return std::nullopt; });
  return answered.attach(kj::mv(files))
      .exclusiveJoin(kj::mv(changed))
      .then([this, question = std::move(question)](
                std::optional<FileReply>&& given) mutable -> kj::Promise<FileReply> {
        awaitsAnswer_ = !given;
        if (given) return std::move(*given);
        return askLeader(std::move(question));
      });
}

void Flight::clientGone(Seat& seat, kj::Exception&& exception) {
  seat.fulfiller->reject(kj::mv(exception));
  leave(seat);
}

// Called again, to no effect, when a seat that was given up earlier is destroyed.
void Flight::leave(Seat& seat) {
  if (std::erase(seats_, &seat) == 0) return;
  const bool wasLeader = leader_ == &seat;
  if (wasLeader) leader_ = nullptr;
  if (seats_.empty()) {
    close();
  } else if (wasLeader && !closed_) {
    leaderLost();
  }
}

void Flight::leaderLost() {
  switch (state_) {
    case State::queued:
      leader_ = seats_.front();
      return;
    case State::publishing:
      return;
    case State::compiling:
      break;
  }
  auto next = std::find_if(seats_.begin(), seats_.end(),
                           [&](const Seat* seat) { return seat->waiter.names == request_->names; });
  if (next == seats_.end()) {
    dismissAll(Landing::Kind::startOver);
    return;
  }
  leader_ = *next;
  isOfOneClient_ = false;
  auto before = std::exchange(change_, kj::newPromiseAndFulfiller<void>());
  changed_ = change_.promise.fork();
  before.fulfiller->fulfill();
}

void Flight::dismissAll(Landing::Kind kind) {
  close();
  for (auto* seat : seats_) seat->fulfiller->fulfill({kind, nullptr, {}});
}

void Flight::close() {
  if (std::exchange(closed_, true)) return;
  observer_.closed(*this);
}

}  // namespace kiln
