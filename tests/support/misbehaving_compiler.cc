// A stand-in for kiln-compiler-llvm and its like (KILN_PROGRAM) that misbehaves when the module says so:
// version 13.99, without the compiler. A compile yields a "code object" that spells out what it was given, so
// that equal requests give equal bytes. Lines of the module that it obeys are those of misbehaviour.h, in
// order.
#include <new>
#include <sstream>

#include "frontends/process/own_frontends.h"
#include "tests/support/misbehaviour.h"

namespace kiln {
namespace {

using test::Misbehaviour;

class MisbehavingCompiler final : public Compiler {
 public:
  [[nodiscard]] std::string version() const override { return "13.99"; }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return std::vector<std::string>{"gfx90a", "sm_90", "x86-64-v3"};
  }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override { return {}; }
};

std::expected<Artifact, Failure> MisbehavingCompiler::compile(const Request& request) {
  Artifact artifact;
  std::istringstream lines(request.source);
  for (std::string line; std::getline(lines, line);) {
    switch (test::obey(line, "1000", artifact.log)) {
      case Misbehaviour::none:
        break;
      case Misbehaviour::memory:
      case Misbehaviour::errorOutOfMemory:
        throw std::bad_alloc();
      case Misbehaviour::error:
        return std::unexpected(Failure{FailureKind::compileError, "misbehaving as told", artifact.log});
    }
  }
  artifact.outputs.push_back(
      {request.outputs.front(), "misbehaving " KILN_PROGRAM "\n" + request.source, {}});
  return artifact;
}

}  // namespace

std::expected<std::unique_ptr<Compiler>, Failure> loadOwn(const Frontend&, const std::filesystem::path&,
                                                          const std::vector<std::filesystem::path>&) {
  return std::make_unique<MisbehavingCompiler>();
}

}  // namespace kiln
