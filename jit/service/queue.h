// Who compiles next: a fixed number of slots, and a queue in front of them.
#pragma once

#include <kj/async.h>
#include <kj/memory.h>

#include <cstdint>
#include <set>

#include "jit/request.h"

namespace kiln {

// Gives slots by priority, within a priority in order of arrival. A slot whose compile cannot go on is lent
// to the next one meanwhile, so that up to kUnderWayPerSlot times `slots` may be under way, and all run once
// they can go on. Belongs to one event loop's thread and
// outlives its places.
class JobQueue {
 public:
  static constexpr unsigned kUnderWayPerSlot = 4;

  // Whether a full queue turns the newcomer away. One who was let in before, and has to start over, is not.
  enum class Admission { ifRoom, always };

  // A place in the queue, later a slot; destroying it gives either up.
  class Place {
   public:
    Place(JobQueue& queue, Priority priority, std::uint64_t number);
    ~Place() noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // Resolves once the place has become a slot. To be called once.
    kj::Promise<void> whenGranted() { return kj::mv(granted_.promise); }
    // Moves forward to where `priority` belongs, if that is further forward.
    void raise(Priority priority);
    // Lets another run in its stead, as soon as few enough do so, until it takes its slot back, which it gets
    // at once. Both have no effect where there is nothing to do. Of a place that is a slot.
    void lend();
    void takeBack();

   private:
    friend class JobQueue;

    JobQueue& queue_;
    Priority priority_;
    std::uint64_t number_;
    enum class State { waiting, running, lent };
    State state_ = State::waiting;
    kj::PromiseFulfillerPair<void> granted_ = kj::newPromiseAndFulfiller<void>();
  };

  JobQueue(unsigned slots, unsigned capacity);
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // Whether a newcomer would be let in.
  [[nodiscard]] bool hasRoom() const { return running_ < slots_ || waiting_.size() < capacity_; }
  // Null if there is no room and `admission` asks for it.
  kj::Maybe<kj::Own<Place>> enter(Priority priority, Admission admission);

  // Places that are slots, lent ones included.
  [[nodiscard]] unsigned running() const { return running_ + lent_; }
  [[nodiscard]] unsigned waiting() const { return static_cast<unsigned>(waiting_.size()); }

 private:
  struct RunsBefore {
    bool operator()(const Place* a, const Place* b) const;
  };

  void grantSlots();
  void lendSlots();

  unsigned slots_;
  unsigned capacity_;
  unsigned running_ = 0;
  unsigned lent_ = 0;
  std::uint64_t nextNumber_ = 0;
  std::set<Place*, RunsBefore> waiting_;
  std::set<Place*, RunsBefore> lenders_;  // slots that are to be lent, once few enough are
};

}  // namespace kiln
