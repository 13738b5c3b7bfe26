// One link: what nvJitLink calls a handle.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvjitlink/library.h"
#include "jit/artifact.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

class Link {
 public:
  // `library` outlives this. `source` is what the link is called in failures. Failure: as run() has them.
  static std::expected<Link, Failure> create(const Library& library, const std::string& source,
                                             const std::vector<std::string>& options);
  Link(Link&& other) noexcept;
  Link& operator=(Link&&) = delete;
  ~Link();

  std::expected<void, Failure> addPtx(const std::string& ptx);
  // Once, behind the last input. Failure: compileError, invalidRequest, memoryLimit or internal, with
  // nvJitLink's log.
  std::expected<Artifact, Failure> run();

 private:
  Link(const Library& library, std::string source, LinkHandle handle);

  std::expected<void, Failure> check(Result result);
  [[nodiscard]] std::string log() const;

  const Library* library_;
  std::string source_;
  LinkHandle handle_;
};

}  // namespace kiln::nvjitlink
