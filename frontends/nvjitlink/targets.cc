#include "frontends/nvjitlink/targets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <new>
#include <utility>

#include "frontends/nvjitlink/link.h"

namespace kiln::nvjitlink {

const char* const kSmallKernel =
    ".version 7.0\n.target sm_50\n.address_size 64\n"
    ".visible .entry scale(.param .u64 data)\n{\n  .reg .b64 %rd<3>;\n  .reg .f32 %f<3>;\n"
    "  ld.param.u64 %rd1, [data];\n  cvta.to.global.u64 %rd2, %rd1;\n  ld.global.f32 %f1, [%rd2];\n"
    "  mul.f32 %f2, %f1, 0f40000000;\n  st.global.f32 [%rd2], %f2;\n  ret;\n}\n";

namespace {

constexpr int kFirst = 50;
constexpr int kLast = 199;
constexpr std::array kForms = {"", "a", "f"};
constexpr std::size_t kCandidates = (kLast - kFirst + 1) * kForms.size();

// Of all names that there may be, in order.
std::string candidate(std::size_t index) {
  return "sm_" + std::to_string(kFirst + index / kForms.size()) + kForms.at(index % kForms.size());
}

// What is known so far, in memory that children share with this process.
struct Trials {
  std::size_t decided = 0;  // candidates, from the first on
  std::array<bool, kCandidates> compiles = {};
};

class SharedTrials {
 public:
  SharedTrials()
      : memory_(::mmap(nullptr, sizeof(Trials), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ != MAP_FAILED) new (memory_) Trials;
  }
  ~SharedTrials() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, sizeof(Trials));
  }
  SharedTrials(const SharedTrials&) = delete;
  SharedTrials& operator=(const SharedTrials&) = delete;

  // Null if the system gave no memory.
  [[nodiscard]] Trials* get() const {
    return memory_ == MAP_FAILED ? nullptr : static_cast<Trials*>(memory_);
  }

 private:
  void* memory_;
};

bool hasPlainForm(const Trials& trials, std::size_t index) {
  const auto form = index % kForms.size();
  return form == 0 || trials.compiles.at(index - form);
}

void decide(Trials& trials, bool compiles) {
  trials.compiles.at(trials.decided) = compiles;
  ++trials.decided;
}

bool isTaken(const Library& library, const std::string& target) {
  return Link::create(library, {}, {"-arch=" + target}).has_value();
}

bool compilesFor(const Library& library, const std::string& target) {
  auto link = Link::create(library, {}, {"-arch=" + target});
  return link && link->add({{}, kSmallKernel}) && link->run();
}

// Decides as many as one process can: where one was refused, those that are refused too, and no other.
void decideSome(const Library& library, Trials& trials) {
  constexpr unsigned kMostSeconds = 20;
  bool hasRefused = false;
  while (trials.decided < kCandidates) {
    ::alarm(kMostSeconds);
    const auto name = candidate(trials.decided);
    // What has no plain form has no specific one.
    const bool mayBe = hasPlainForm(trials, trials.decided);
    if (mayBe && hasRefused && isTaken(library, name)) return;
    const bool compiles = mayBe && !hasRefused && compilesFor(library, name);
    decide(trials, compiles);
    hasRefused = hasRefused || (mayBe && !compiles);
  }
}

// decideSome() in a process of its own; false if it could not be started, or was killed. What the library
// prints there of an architecture that it refuses is of no use to anybody.
bool decideInChild(const Library& library, Trials& trials) {
  const auto before = trials.decided;
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    decideSome(library, trials);
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGALRM)) return false;
  // A crash at the first that it tried is a refusal.
  if (trials.decided == before) decide(trials, false);
  return true;
}

std::unexpected<Failure> unavailable(const std::string& problem) {
  return std::unexpected(
      Failure{FailureKind::toolchainUnavailable, "cannot tell what nvJitLink compiles for: " + problem});
}

// At least `enough` of them, in order, if there are as many.
std::expected<std::vector<std::string>, Failure> find(const Library& library, std::size_t enough) {
  const SharedTrials shared;
  auto* trials = shared.get();
  if (trials == nullptr) return unavailable("the system gives no memory");
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < kCandidates && targets.size() < enough; ++i) {
    if (i == trials->decided && !decideInChild(library, *trials)) {
      return unavailable("the process that tries " + candidate(trials->decided) +
                         " could not be started, or was killed; is the node short of memory?");
    }
    if (trials->compiles.at(i)) targets.push_back(candidate(i));
  }
  if (!targets.empty()) return targets;
  return unavailable("it takes none of the architectures from " + candidate(0) + " on; install it anew");
}

}  // namespace

std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  return find(library, kCandidates);
}

std::expected<std::string, Failure> firstTargetOf(const Library& library) {
  auto targets = find(library, 1);
  if (!targets) return std::unexpected(std::move(targets.error()));
  return std::move(targets->front());
}

}  // namespace kiln::nvjitlink
