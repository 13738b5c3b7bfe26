#include "frontends/nvjitlink/failures.h"

#include <catch2/catch.hpp>
#include <string>

namespace kiln::nvjitlink {
namespace {

FailureKind kindOf(Step step, Result result, const std::string& errors) {
  return failureOf(step, result, "nvJitLink 13.0", "k.ptx", errors, errors).kind;
}

const std::string kOwnLines =
    "ERROR 3: ptxjit:k.ptx\nERROR NVJITLINK_ERROR_PTX_COMPILE: JIT the PTX (k.ptx)\n";

}  // namespace

TEST_CASE("an error that nothing is said of is a lack of memory") {
  CHECK(kindOf(Step::compile, Result::ptxCompile, "") == FailureKind::memoryLimit);
  CHECK(kindOf(Step::compile, Result::ptxCompile, kOwnLines) == FailureKind::memoryLimit);
  CHECK(kindOf(Step::compile, Result::ptxCompile,
               "ptxas fatal   : Internal compiler error, please report\n" + kOwnLines) ==
        FailureKind::memoryLimit);
}

TEST_CASE("errors of the PTX are compile errors, told by ptxas or by the linker") {
  CHECK(kindOf(Step::compile, Result::ptxCompile,
               "ptxas application ptx input, line 9; error   : Not a name\n" + kOwnLines) ==
        FailureKind::compileError);
  CHECK(kindOf(Step::compile, Result::internal,
               "error   : Undefined reference to 'foo' in 'k.ptx'\nERROR 9: finish\n") ==
        FailureKind::compileError);
  CHECK(kindOf(Step::compile, Result::internal, "ERROR 9: finish\n") == FailureKind::internal);
  CHECK(kindOf(Step::compile, Result::invalidInput, "") == FailureKind::compileError);
}

TEST_CASE("LTO IR that does not go with the request is told as that by both versions") {
  const std::string later = "ERROR 80 in LTOIR arch newer than target arch\n";
  CHECK(kindOf(Step::compile, Result::architectureMismatch, later) == FailureKind::unsupportedTarget);
  CHECK(kindOf(Step::compile, Result::internal, later) == FailureKind::unsupportedTarget);
  CHECK(kindOf(Step::compile, Result::internal,
               "ERROR 4 in nvvmAddNVVMContainerToProgram, may need newer version of nvJitLink library\n") ==
        FailureKind::compileError);
}

TEST_CASE("errors of LTO IR are compile errors, of its options the request's, of neither a lack of memory") {
  const std::string own = "ERROR in nvvmCompileProgram: ";
  CHECK(kindOf(Step::compile, Result::nvvmCompile,
               own + "NVVM_ERROR_COMPILATION\nk.ltoir: parse Malformed block") == FailureKind::compileError);
  CHECK(kindOf(Step::compile, Result::nvvmCompile,
               own + "NVVM_ERROR_INVALID_OPTION\nlibnvvm : error: -ftz=true is an unsupported option") ==
        FailureKind::invalidRequest);
  CHECK(kindOf(Step::compile, Result::nvvmCompile, own + "NVVM_ERROR_OUT_OF_MEMORY\n") ==
        FailureKind::memoryLimit);
}

TEST_CASE("an error of the linker is one where nvJitLink only prints it") {
  CHECK(saysLinkError("@E@error   : Multiple definition of 'f' in 'b.ptx', first defined in 'a.ptx'\n"));
  CHECK(saysLinkError("error   : Undefined reference to 'f' in 'k.ptx'\n"));
  CHECK_FALSE(saysLinkError("@W@warning : no error   : here\n"));
  CHECK_FALSE(saysLinkError(""));
}

TEST_CASE("errors of options are the request's") {
  CHECK(kindOf(Step::create, Result::invalidInput, "") == FailureKind::invalidRequest);
  CHECK(kindOf(Step::create, Result::unrecognizedOption, "unrecognized option: -x\n") ==
        FailureKind::invalidRequest);
  for (const std::string said :
       {"ptxas fatal   : Unknown option 'x'", "ptxas fatal   : '1 -v': expected a number",
        "ptxas fatal   : Invalid value 'abc' for option 'maxrregcount'"}) {
    CHECK(kindOf(Step::compile, Result::ptxCompile, said + "\n" + kOwnLines) == FailureKind::invalidRequest);
  }
}

}  // namespace kiln::nvjitlink
