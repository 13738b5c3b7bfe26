// One link: what nvJitLink calls a handle.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvjitlink/failures.h"
#include "frontends/nvjitlink/library.h"
#include "jit/artifact.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

class Link {
 public:
  // `library` outlives this. `source` is what the input is called. Failures, here and below: failures.h.
  static std::expected<Link, Failure> create(const Library& library, const std::string& source,
                                             const std::vector<std::string>& options);
  Link(Link&& other) noexcept;
  Link& operator=(Link&&) = delete;
  ~Link();

  // Compiles it.
  std::expected<void, Failure> addPtx(const std::string& ptx);
  // Links. Once, behind the last input.
  std::expected<Artifact, Failure> run();

 private:
  Link(const Library& library, std::string source, LinkHandle handle);

  std::expected<void, Failure> check(Result result, Step step = Step::compile);
  [[nodiscard]] std::string errors() const;
  [[nodiscard]] std::string warnings() const;

  const Library* library_;
  std::string source_;
  LinkHandle handle_;
};

}  // namespace kiln::nvjitlink
