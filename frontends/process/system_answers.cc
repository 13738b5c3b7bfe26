#include "frontends/process/system_answers.h"

#include <algorithm>
#include <cstring>

#include "jit/request_hash.h"

namespace kiln {
namespace {

std::uint64_t seedOf(const Request& request) {
  std::uint64_t seed;
  auto hash = requestHash(request);
  std::memcpy(&seed, hash.bytes.data(), sizeof seed);
  return seed;
}

}  // namespace

SystemAnswers::SystemAnswers(const Request& request)
    : time_(static_cast<std::time_t>(request.timestamp)), randomState_(seedOf(request)) {
  constexpr std::uint64_t kProcessIds = 1 << 22;  // as Linux bounds them; 0 and 1 are no ordinary process's
  processId_ = static_cast<pid_t>(2 + randomState_ % (kProcessIds - 2));
}

void SystemAnswers::random(void* buffer, std::size_t size) {
  auto* bytes = static_cast<char*>(buffer);
  while (size > 0) {
    auto value = nextRandom();
    auto count = std::min(size, sizeof value);
    std::memcpy(bytes, &value, count);
    bytes += count;
    size -= count;
  }
}

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t SystemAnswers::nextRandom() {
  auto value = randomState_ += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

}  // namespace kiln
