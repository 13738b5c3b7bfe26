// What the system tells a compiler beside files: its process id, the time, random bytes. All of it follows
// from the request, so that the same request gives the same bytes on every machine and every day.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>

#include "jit/request.h"

namespace kiln {

class SystemAnswers {
 public:
  explicit SystemAnswers(const Request& request);

  // Compilers make names that are to be unique out of it, so requests differ in it.
  [[nodiscard]] pid_t processId() const { return processId_; }
  // Stands still for the whole compile.
  [[nodiscard]] std::time_t time() const { return time_; }
  // The next bytes of a stream that the request decides.
  void random(void* buffer, std::size_t size);

 private:
  std::uint64_t nextRandom();

  pid_t processId_;
  std::time_t time_;
  std::uint64_t randomState_;
};

}  // namespace kiln
