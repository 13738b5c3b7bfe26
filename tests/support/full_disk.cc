// Preloaded into kilnd: while the file that KILN_TEST_FULL_DISK names is there, no file can be written to.
// Output and log go on.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

bool isFull(int descriptor) {
  const char* sign = std::getenv("KILN_TEST_FULL_DISK");
  struct stat status{};
  return descriptor > STDERR_FILENO && sign != nullptr && access(sign, F_OK) == 0 &&
         fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" ssize_t write(int descriptor, const void* bytes, size_t size) {
  static const auto real = reinterpret_cast<ssize_t (*)(int, const void*, size_t)>(dlsym(RTLD_NEXT, "write"));
  if (!isFull(descriptor)) return real(descriptor, bytes, size);
  errno = ENOSPC;
  return -1;
}
#pragma GCC visibility pop
