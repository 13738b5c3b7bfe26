// Blocking work away from the event loop: a mutex, a queue, an eventfd. kj::Executor would do, but reports
// false races under the thread sanitizer.
#pragma once

#include <kj/async-unix.h>
#include <kj/async.h>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace kiln {

// Runs jobs on a few threads of its own and completes promises on the event loop that made it. All methods
// belong to that loop's thread. Destroying it waits for running jobs and drops queued ones.
class Executor {
 public:
  Executor(kj::UnixEventPort& port, unsigned threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Runs `job` on some thread. What it returns, or throws, the promise gives. Dropping the promise does not
  // stop the job; its result is thrown away. The job is destroyed on the loop's thread, so that it may own
  // what belongs to that thread as long as it does not touch it.
  template <typename Job>
  auto run(Job job) -> kj::Promise<std::invoke_result_t<Job&>> {
    auto promise = kj::newPromiseAndFulfiller<std::invoke_result_t<Job&>>();
    post(std::make_unique<JobTask<Job>>(std::move(job), kj::mv(promise.fulfiller)));
    return kj::mv(promise.promise);
  }

 private:
  class Impl;

  // A job on its way: to a thread, and with its result back to the loop.
  class Task {
   public:
    virtual ~Task() = default;
    virtual void work() = 0;      // on some thread
    virtual void complete() = 0;  // on the loop's thread
  };

  template <typename Job>
  class JobTask final : public Task {
   public:
    using Result = std::invoke_result_t<Job&>;

    JobTask(Job job, kj::Own<kj::PromiseFulfiller<Result>> fulfiller)
        : job_(std::move(job)), fulfiller_(kj::mv(fulfiller)) {}
    ~JobTask() noexcept override {}

    void work() override {
      exception_ = kj::runCatchingExceptions([this] {
        if constexpr (std::is_void_v<Result>) {
          job_();
        } else {
          result_.emplace(job_());
        }
      });
    }

    void complete() override {
      KJ_IF_MAYBE (exception, exception_) {
        fulfiller_->reject(kj::mv(*exception));
      } else if constexpr (std::is_void_v<Result>) {
        fulfiller_->fulfill();
      } else {
        fulfiller_->fulfill(std::move(*result_));
      }
    }

   private:
    struct Nothing {};

    Job job_;
    kj::Own<kj::PromiseFulfiller<Result>> fulfiller_;
    std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
    kj::Maybe<kj::Exception> exception_;
  };

  void post(std::unique_ptr<Task> task);

  std::unique_ptr<Impl> impl_;
};

}  // namespace kiln
