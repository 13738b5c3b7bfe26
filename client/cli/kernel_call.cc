#include "client/cli/kernel_call.h"

#include <ffi.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "jit/hash.h"

namespace kiln::cli {
namespace {

constexpr std::size_t kShown = 4;

// Memory that a forked child shares.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t size) : size_(size) {
    memory_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~SharedMemory() { ::munmap(memory_, size_); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  [[nodiscard]] void* data() const { return memory_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t checksum() const {
    return xxh3Checksum({static_cast<const std::byte*>(memory_), size_});
  }

 private:
  std::size_t size_;
  void* memory_;
};

// A number that follows from `seed` and nothing else (splitmix64).
std::uint64_t mixed(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
  return seed ^ seed >> 31;
}

template <typename Element>
void fill(const SharedMemory& memory, std::uint64_t seed) {
  const std::span elements(static_cast<Element*>(memory.data()), memory.size() / sizeof(Element));
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto random = mixed(seed << 40 | i);
    if constexpr (std::is_floating_point_v<Element>) {
      constexpr double kHalf = 1 << 23;
      elements[i] = static_cast<Element>(static_cast<double>(random >> 40) / kHalf - 1);
    } else {
      elements[i] = static_cast<Element>(random % 100);
    }
  }
}

template <typename Element>
std::vector<std::string> firstOf(const SharedMemory& memory) {
  const std::span elements(static_cast<const Element*>(memory.data()), memory.size() / sizeof(Element));
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kShown, elements.size()); ++i) {
    std::array<char, 32> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), elements[i]);
    shown.emplace_back(digits.data(), written.ptr);
  }
  return shown;
}

// Calls `work` with a value of the element's type.
template <typename Work>
auto withType(ElementType type, Work work) {
  switch (type) {
    case ElementType::i8:
      return work(std::int8_t{});
    case ElementType::i16:
      return work(std::int16_t{});
    case ElementType::i32:
      return work(std::int32_t{});
    case ElementType::i64:
      return work(std::int64_t{});
    case ElementType::f32:
      return work(float{});
    case ElementType::f64:
      break;
  }
  return work(double{});
}

ffi_type* typeOf(const KernelArgument& argument) {
  if (argument.isBuffer()) return &ffi_type_pointer;
  switch (argument.type) {
    case ElementType::i8:
      return &ffi_type_sint8;
    case ElementType::i16:
      return &ffi_type_sint16;
    case ElementType::i32:
      return &ffi_type_sint32;
    case ElementType::i64:
      return &ffi_type_sint64;
    case ElementType::f32:
      return &ffi_type_float;
    case ElementType::f64:
      break;
  }
  return &ffi_type_double;
}

// The arguments where the call takes them from.
class Frame {
 public:
  explicit Frame(const std::vector<KernelArgument>& arguments) : slots_(arguments.size()) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      types_.push_back(typeOf(arguments[i]));
      values_.push_back(&slots_[i]);
      withType(arguments[i].type, [&](auto element) { place(arguments[i], i, element); });
    }
  }

  void call(void* function) {
    ffi_cif interface;
    ffi_prep_cif(&interface, FFI_DEFAULT_ABI, static_cast<unsigned>(types_.size()), &ffi_type_void,
                 types_.data());
    ffi_call(&interface, FFI_FN(function), nullptr, values_.data());
  }

  [[nodiscard]] const std::vector<std::unique_ptr<SharedMemory>>& buffers() const { return buffers_; }

 private:
  using Slot = std::array<std::byte, 8>;

  template <typename Element>
  void place(const KernelArgument& argument, std::size_t index, Element) {
    if (argument.isBuffer()) {
      buffers_.push_back(std::make_unique<SharedMemory>(argument.elements() * sizeof(Element)));
      fill<Element>(*buffers_.back(), index);
      void* address = buffers_.back()->data();
      std::memcpy(slots_[index].data(), &address, sizeof address);
      return;
    }
    const auto* whole = std::get_if<std::int64_t>(&argument.content);
    const auto value = whole != nullptr ? static_cast<Element>(*whole)
                                        : static_cast<Element>(std::get<double>(argument.content));
    std::memcpy(slots_[index].data(), &value, sizeof value);
  }

  std::vector<std::unique_ptr<SharedMemory>> buffers_;
  std::vector<Slot> slots_;
  std::vector<void*> values_;
  std::vector<ffi_type*> types_;
};

// In the child. Says how long the call took.
[[noreturn]] void callAndEnd(Frame& frame, void* function, double* milliseconds) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto start = std::chrono::steady_clock::now();
  frame.call(function);
  *milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  std::fflush(nullptr);
  ::_exit(0);
}

// How the process ended; empty if in order.
std::string endOf(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return std::string("it cannot be waited for: ") + std::strerror(errno);
  }
  if (WIFSIGNALED(status)) {
    return std::string("it was ended by ") + ::sigdescr_np(WTERMSIG(status)) + " (signal " +
           std::to_string(WTERMSIG(status)) + "); see whether " +
           (WTERMSIG(status) == SIGILL ? "this processor has all that the target has"
                                       : "the arguments are those that it takes");
  }
  if (WEXITSTATUS(status) != 0)
    return "it ended its process with status " + std::to_string(WEXITSTATUS(status));
  return {};
}

}  // namespace

std::expected<CallResult, std::string> callKernel(void* function,
                                                  const std::vector<KernelArgument>& arguments) {
  Frame frame(arguments);
  CallResult result;
  for (const auto& buffer : frame.buffers()) result.buffers.push_back({buffer->checksum(), 0, {}});
  const SharedMemory time(sizeof(double));
  auto* milliseconds = static_cast<double*>(time.data());
  const pid_t process = ::fork();
  if (process < 0) return std::unexpected(std::string("no process for it: ") + std::strerror(errno));
  if (process == 0) callAndEnd(frame, function, milliseconds);
  if (auto ended = endOf(process); !ended.empty()) return std::unexpected(std::move(ended));
  result.milliseconds = *milliseconds;
  std::size_t at = 0;
  for (const auto& argument : arguments) {
    if (!argument.isBuffer()) continue;
    const auto& buffer = *frame.buffers()[at];
    result.buffers[at].after = buffer.checksum();
    result.buffers[at].first =
        withType(argument.type, [&](auto element) { return firstOf<decltype(element)>(buffer); });
    ++at;
  }
  return result;
}

}  // namespace kiln::cli
