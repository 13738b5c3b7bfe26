// One link: what nvJitLink calls a handle.
#pragma once

#include <expected>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/nvjitlink/failures.h"
#include "frontends/nvjitlink/inputs.h"
#include "frontends/nvjitlink/library.h"
#include "jit/artifact.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

class Link {
 public:
  // `library` outlives this. `source` is what the first input is called. Failures, here and below:
  // failures.h.
  static std::expected<Link, Failure> create(const Library& library, const std::string& source,
                                             const std::vector<std::string>& options);
  Link(Link&& other) noexcept;
  Link& operator=(Link&&) = delete;
  ~Link();

  // PTX is compiled here, LTO IR by run(). What nvJitLink itself says to be wrong is a failure, though it
  // goes on.
  std::expected<void, Failure> add(const Input& input);
  // Links. Once, behind the last input.
  std::expected<Artifact, Failure> run();

 private:
  Link(const Library& library, std::string source, LinkHandle handle);

  template <typename Call>
  std::expected<void, Failure> step(std::string_view name, const Call& call);
  std::expected<void, Failure> check(Result result, std::string_view name, Step step = Step::compile);
  [[nodiscard]] std::string compiler() const;
  [[nodiscard]] std::string errors() const;
  [[nodiscard]] std::string warnings() const;

  const Library* library_;
  std::string source_;
  std::list<std::string> names_;  // of the inputs: nvJitLink keeps no copies of them
  LinkHandle handle_;
};

}  // namespace kiln::nvjitlink
