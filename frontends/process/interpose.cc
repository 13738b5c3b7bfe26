#include "frontends/process/interpose.h"

#include <dlfcn.h>

#include <utility>

namespace kiln {
namespace {

// The only way from a C function, which has no other argument, to the compile that runs; null when none does.
// A plain pointer without a constructor, since the C library's start-up code already calls these functions.
Interposition* active = nullptr;

}  // namespace

Interposition::Interposition(CompileFiles& files, SystemAnswers& system) : files_(files), system_(system) {
  active = this;
}

Interposition::~Interposition() { active = nullptr; }

Answering::Answering() : interposition_(std::exchange(active, nullptr)), errno_(errno) {}

Answering::~Answering() {
  if (interposition_ == nullptr) return;
  active = interposition_;
  errno = errno_;
}

void* realFunction(const char* name) { return ::dlsym(RTLD_NEXT, name); }

}  // namespace kiln
