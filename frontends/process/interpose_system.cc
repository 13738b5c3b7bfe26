// Process id, time and random bytes, which reach outputs as parts of names that are to be unique.
//
// Clocks that tell no date (monotonic, boot, CPU time) stay real: compilers print them only in time reports,
// whose options are refused, and wait and give up by them.
#undef _FORTIFY_SOURCE
#include <stdlib.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

bool tellsTheDate(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI ||
         clock == CLOCK_REALTIME_ALARM;
}

int clockTime(clockid_t clock, struct timespec& result) {
  if (tellsTheDate(clock)) {
    if (Answering answering; answering) {
      result = {answering.system().time(), 0};
      return 0;
    }
  }
  return withErrno(raw::clockTime(clock, result));
}

ssize_t randomBytes(void* buffer, std::size_t size, unsigned flags) {
  if (Answering answering; answering) {
    answering.system().random(buffer, size);
    return static_cast<ssize_t>(size);
  }
  return withErrno(raw::call(SYS_getrandom, buffer, size, flags));
}

// All of `size` bytes, in the pieces that the system gives.
void fillRandomly(void* buffer, std::size_t size) {
  auto* bytes = static_cast<char*>(buffer);
  while (size > 0) {
    ssize_t got = randomBytes(bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ::abort();
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace
}  // namespace kiln

#pragma GCC visibility push(default)
extern "C" {

pid_t getpid() noexcept {
  if (kiln::Answering answering; answering) return answering.system().processId();
  return static_cast<pid_t>(kiln::raw::call(SYS_getpid));
}

time_t time(time_t* result) noexcept {
  struct timespec now{};
  kiln::clockTime(CLOCK_REALTIME, now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval* result, void* zone) noexcept {
  struct timespec now{};
  kiln::clockTime(CLOCK_REALTIME, now);
  *result = {now.tv_sec, now.tv_nsec / 1000};
  if (zone != nullptr) *static_cast<struct timezone*>(zone) = {};
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec* result) noexcept {
  return kiln::clockTime(clock, *result);
}

int timespec_get(struct timespec* result, int base) noexcept {
  if (base != TIME_UTC || kiln::clockTime(CLOCK_REALTIME, *result) < 0) return 0;
  return base;
}

ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  return kiln::randomBytes(buffer, size, flags);
}

int getentropy(void* buffer, size_t size) {
  constexpr size_t kMaximum = 256;
  if (size > kMaximum) return kiln::withErrno(-EIO);
  kiln::fillRandomly(buffer, size);
  return 0;
}

uint32_t arc4random() noexcept {
  uint32_t value;
  kiln::fillRandomly(&value, sizeof value);
  return value;
}

void arc4random_buf(void* buffer, size_t size) noexcept { kiln::fillRandomly(buffer, size); }

uint32_t arc4random_uniform(uint32_t bound) noexcept {
  if (bound < 2) return 0;
  // Values below this would favour the small results; they are drawn again.
  uint32_t minimum = -bound % bound;
  uint32_t value = arc4random();
  while (value < minimum) value = arc4random();
  return value % bound;
}

}  // extern "C"
#pragma GCC visibility pop
