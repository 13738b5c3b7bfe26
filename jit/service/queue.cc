#include "jit/service/queue.h"

#include <algorithm>

namespace kiln {

JobQueue::Place::Place(JobQueue& queue, Priority priority, std::uint64_t number)
    : queue_(queue), priority_(priority), number_(number) {
  queue_.waiting_.insert(this);
}

JobQueue::Place::~Place() noexcept {
  switch (state_) {
    case State::waiting:
      queue_.waiting_.erase(this);
      break;
    case State::running:
      queue_.lenders_.erase(this);
      --queue_.running_;
      queue_.grantSlots();
      break;
    case State::lent:
      --queue_.lent_;
      queue_.lendSlots();
      break;
  }
}

void JobQueue::Place::lend() {
  if (state_ != State::running) return;
  queue_.lenders_.insert(this);
  queue_.lendSlots();
}

void JobQueue::Place::takeBack() {
  queue_.lenders_.erase(this);
  if (state_ != State::lent) return;
  state_ = State::running;
  --queue_.lent_;
  ++queue_.running_;
  queue_.lendSlots();
}

void JobQueue::Place::raise(Priority priority) {
  if (state_ != State::waiting || priority <= priority_) return;
  queue_.waiting_.erase(this);
  priority_ = priority;
  queue_.waiting_.insert(this);
}

JobQueue::JobQueue(unsigned slots, unsigned capacity) : slots_(std::max(slots, 1U)), capacity_(capacity) {}

bool JobQueue::RunsBefore::operator()(const Place* a, const Place* b) const {
  if (a->priority_ != b->priority_) return a->priority_ > b->priority_;
  return a->number_ < b->number_;
}

kj::Maybe<kj::Own<JobQueue::Place>> JobQueue::enter(Priority priority, Admission admission) {
  if (admission == Admission::ifRoom && !hasRoom()) return nullptr;
  auto place = kj::heap<Place>(*this, priority, nextNumber_++);
  grantSlots();
  return kj::mv(place);
}

void JobQueue::lendSlots() {
  while (!lenders_.empty() && lent_ < slots_ * (kUnderWayPerSlot - 1)) {
    Place& lender = **lenders_.begin();
    lenders_.erase(lenders_.begin());
    lender.state_ = Place::State::lent;
    --running_;
    ++lent_;
  }
  grantSlots();
}

void JobQueue::grantSlots() {
  while (running_ < slots_ && !waiting_.empty()) {
    Place& next = **waiting_.begin();
    waiting_.erase(waiting_.begin());
    next.state_ = Place::State::running;
    ++running_;
    next.granted_.fulfiller->fulfill();
  }
}

}  // namespace kiln
