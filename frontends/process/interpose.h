// The C functions that kiln-compiler defines in place of the C library's.
//
// A program that defines and exports a C function by name gets every call that a library loaded into it makes
// by that name: the compiler's open() is the one in interpose_files.cc. (Calls within the C library and the
// dynamic loader stay there.) While a compile runs these functions answer from its CompileFiles and
// SystemAnswers; at all other times, and for kiln's own code at any time, they make the real call.
// interposed_symbols.txt lists what the linker exports.
#pragma once

#include <cerrno>

#include "frontends/process/compile_files.h"
#include "frontends/process/system_answers.h"

namespace kiln {

// While one is alive, the compiler's calls are answered from `files` and `system`. At most one at a time.
class Interposition {
 public:
  Interposition(CompileFiles& files, SystemAnswers& system);
  ~Interposition();
  Interposition(const Interposition&) = delete;
  Interposition& operator=(const Interposition&) = delete;

 private:
  friend class Answering;
  CompileFiles& files_;
  SystemAnswers& system_;
};

// Held by an interposed function while it answers. What is called meanwhile (OpenSSL, say, by way of the
// recorder) makes real calls. Leaves errno as it was unless it is told an error.
class Answering {
 public:
  Answering();
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  // Whether a compile runs, so that an answer is due.
  explicit operator bool() const { return interposition_ != nullptr; }
  CompileFiles& files() { return interposition_->files_; }
  SystemAnswers& system() { return interposition_->system_; }

  // From the kernel's way of telling errors (negative errno) to that of C functions: -1 and errno.
  template <typename Number>
  Number result(Number value) {
    if (value >= 0) return value;
    errno_ = static_cast<int>(-value);
    return -1;
  }

 private:
  Interposition* interposition_;
  int errno_;
};

// `value` in the same two ways, for the real calls made directly.
template <typename Number>
Number withErrno(Number value) {
  if (value >= 0) return value;
  errno = static_cast<int>(-value);
  return -1;
}

// The C library's own function of this name, for calls that are more than one system call.
void* realFunction(const char* name);

}  // namespace kiln

#define KILN_REAL(function) reinterpret_cast<decltype(&function)>(kiln::realFunction(#function))
