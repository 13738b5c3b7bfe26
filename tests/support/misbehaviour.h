// What a stand-in for a vendor's compiler library does when the text that it compiles says so: the same lines
// for every such library, each of which says in its name that it misbehaves.
//
//   misbehave: crash      calls abort()
//   misbehave: segv       writes to address 0
//   misbehave: exit       ends the process with status 7
//   misbehave: hang       sleeps until it is killed; hang BUILD: if it is that build
//   misbehave: spin       computes until it is killed
//   misbehave: grow       takes memory until it is killed
//   misbehave: error      fails as the library does on an error of the text
//   misbehave: memory     fails as the library does where it is refused memory
//   misbehave: error-out-of-memory
//                         fails as the library does where its front end is refused memory: with a compile
//                         error
//   misbehave: print TEXT writes TEXT to standard output and standard error, each \n of it an end of a line
//   misbehave: write PATH tries to write a file; the log says how that went
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

namespace kiln::test {

// How the library's compile is to go on, if it comes back at all.
enum class Misbehaviour : std::uint8_t { none, error, memory, errorOutOfMemory };

[[noreturn]] inline void hang() {
  for (;;) {
    struct timespec second{1, 0};
    ::nanosleep(&second, nullptr);
  }
}

[[noreturn]] inline void spin() {
  for (volatile std::uint64_t count = 0;;) count = count + 1;
}

// Until someone ends the process: where memory is refused it waits.
[[noreturn]] inline void grow() {
  constexpr std::size_t kStep = 16 << 20;
  for (;;) {
    void* memory = ::mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) hang();
    std::memset(memory, 1, kStep);
  }
}

// No defect for a sanitizer to report.
[[gnu::no_sanitize("undefined", "address")]] inline void writeToNull() {
  *static_cast<volatile int*>(nullptr) = 1;
}

inline std::string tryToWrite(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  if (descriptor < 0) return "write: error: " + std::string(strerrorname_np(errno)) + "\n";
  ::close(descriptor);
  return "write: opened\n";
}

inline void print(std::string text) {
  for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos;) text.replace(at, 2, "\n");
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    [[maybe_unused]] const auto written = ::write(descriptor, text.data(), text.size());
  }
}

// Does what a line of the text says, in a library of this `build`; what is to be told is added to `log`.
inline Misbehaviour obey(const std::string& line, const std::string& build, std::string& log) {
  std::istringstream words(line);
  std::string verb, how, argument;
  words >> verb >> how >> argument;
  if (verb != "misbehave:") return Misbehaviour::none;
  if (how == "crash") std::abort();
  if (how == "segv") writeToNull();
  if (how == "exit") ::_exit(7);
  if (how == "hang" && (argument.empty() || argument == build)) hang();
  if (how == "spin") spin();
  if (how == "grow") grow();
  if (how == "write") log += tryToWrite(argument);
  if (how == "print") {
    std::string rest;
    std::getline(words, rest);
    print(argument + rest);
  }
  if (how == "error") return Misbehaviour::error;
  if (how == "memory") return Misbehaviour::memory;
  if (how == "error-out-of-memory") return Misbehaviour::errorOutOfMemory;
  return Misbehaviour::none;
}

}  // namespace kiln::test
