// What nvJitLink prints where it should have said it.
#pragma once

#include <string>

namespace kiln::nvjitlink {

// Keeps what this process writes to its standard error while it lives, and passes it on when it ends.
class PrintedErrors {
 public:
  PrintedErrors();
  ~PrintedErrors();
  PrintedErrors(const PrintedErrors&) = delete;
  PrintedErrors& operator=(const PrintedErrors&) = delete;

  // False where the system gives no descriptors for it: what is printed is then not known.
  [[nodiscard]] bool areKept() const { return memory_ >= 0 && outer_ >= 0; }
  [[nodiscard]] std::string text() const;

 private:
  const int memory_;
  const int outer_;  // standard error as it was
};

}  // namespace kiln::nvjitlink
