#include "jit/service/queue.h"

#include <kj/async.h>
#include <kj/debug.h>
#include <kj/vector.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace kiln {
namespace {

// A queue with places that write down who was granted a slot.
class QueueFixture {
 public:
  explicit QueueFixture(unsigned slots = 1, unsigned capacity = 10) : queue(slots, capacity) {}

  // Null if the queue is full.
  kj::Maybe<kj::Own<JobQueue::Place>> enter(const std::string& who, Priority priority = Priority::normal,
                                            JobQueue::Admission admission = JobQueue::Admission::ifRoom) {
    auto entered = queue.enter(priority, admission);
    KJ_IF_MAYBE (place, entered) {
      grants_.add(
          (*place)->whenGranted().then([this, who] { granted.push_back(who); }).eagerlyEvaluate(nullptr));
      scope.poll();
    }
    return entered;
  }

  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  JobQueue queue;
  std::vector<std::string> granted;

 private:
  kj::Vector<kj::Promise<void>> grants_;
};

using Granted = std::vector<std::string>;

}  // namespace

TEST_CASE("slots go by priority, and within one in order of arrival") {
  QueueFixture fixture;
  auto running = fixture.enter("running");
  auto background = fixture.enter("background", Priority::background);
  auto normal = fixture.enter("normal");
  auto second = fixture.enter("second normal");
  auto urgent = fixture.enter("interactive", Priority::interactive);
  for (auto* place : {&running, &urgent, &normal, &second}) {
    *place = nullptr;
    fixture.scope.poll();
  }
  CHECK(fixture.granted == Granted{"running", "interactive", "normal", "second normal", "background"});
}

TEST_CASE("no more run than there are slots") {
  QueueFixture fixture(2);
  auto a = fixture.enter("a");
  auto b = fixture.enter("b");
  auto c = fixture.enter("c");
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"a", "b"});
  CHECK(fixture.queue.running() == 2);
  CHECK(fixture.queue.waiting() == 1);
  b = nullptr;
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"a", "b", "c"});
}

TEST_CASE("a full queue turns newcomers away, but not those who start over") {
  QueueFixture fixture(1, 1);
  auto running = fixture.enter("running");
  auto waiting = fixture.enter("waiting");
  CHECK_FALSE(fixture.queue.hasRoom());
  CHECK(fixture.enter("turned away") == nullptr);
  auto again = fixture.enter("again", Priority::normal, JobQueue::Admission::always);
  CHECK(again != nullptr);
  CHECK(fixture.queue.waiting() == 2);
}

TEST_CASE("a place that is raised overtakes, one that is lowered stays") {
  QueueFixture fixture;
  auto running = fixture.enter("running");
  auto first = fixture.enter("first");
  auto second = fixture.enter("second", Priority::background);
  KJ_ASSERT_NONNULL(first)->raise(Priority::background);
  KJ_ASSERT_NONNULL(second)->raise(Priority::interactive);
  running = nullptr;
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"running", "second"});
}

TEST_CASE("a slot that is lent goes to the next, and comes back at once") {
  QueueFixture fixture;
  auto lender = fixture.enter("lender");
  auto next = fixture.enter("next");
  auto last = fixture.enter("last");
  KJ_ASSERT_NONNULL(lender)->lend();
  KJ_ASSERT_NONNULL(lender)->lend();
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"lender", "next"});
  CHECK(fixture.queue.running() == 2);
  KJ_ASSERT_NONNULL(lender)->takeBack();
  KJ_ASSERT_NONNULL(lender)->takeBack();
  next = nullptr;
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"lender", "next"});
  lender = nullptr;
  fixture.scope.poll();
  CHECK(fixture.granted == Granted{"lender", "next", "last"});
  CHECK(fixture.queue.running() == 1);
}

TEST_CASE("slots are lent up to a number, the next when a lent one is left or taken back") {
  QueueFixture fixture;
  std::vector<kj::Maybe<kj::Own<JobQueue::Place>>> places;
  for (unsigned i = 0; i < JobQueue::kUnderWayPerSlot + 1; ++i) {
    places.push_back(fixture.enter(std::to_string(i)));
    KJ_IF_MAYBE (place, places.back()) {
      (*place)->lend();
    }
  }
  CHECK(fixture.queue.running() == JobQueue::kUnderWayPerSlot);
  CHECK(fixture.queue.waiting() == 1);
  places.front() = nullptr;
  CHECK(fixture.queue.running() == JobQueue::kUnderWayPerSlot);
  CHECK(fixture.queue.waiting() == 0);
  auto next = fixture.enter("next");
  KJ_ASSERT_NONNULL(places.back())->lend();
  CHECK(fixture.queue.waiting() == 1);
  KJ_ASSERT_NONNULL(places[1])->takeBack();
  CHECK(fixture.queue.waiting() == 1);  // the one that goes on has the slot
  places[1] = nullptr;
  CHECK(fixture.queue.waiting() == 0);
}

TEST_CASE("who leaves the queue is not granted a slot") {
  QueueFixture fixture;
  auto running = fixture.enter("running");
  auto leaver = fixture.enter("leaver");
  auto last = fixture.enter("last");
  leaver = nullptr;
  running = nullptr;
  CHECK(fixture.queue.running() == 1);
  CHECK(fixture.queue.waiting() == 0);
}

}  // namespace kiln
