#include "frontends/llvm/host_libraries.h"

#include <llvm/BinaryFormat/ELF.h>
#include <llvm/InterfaceStub/ELFObjHandler.h>
#include <llvm/InterfaceStub/IFSStub.h>

#include <algorithm>
#include <span>

namespace kiln::llvmir {
namespace {

using Names = std::span<const std::string_view>;

// Of double; those of float and long double end with f and l.
constexpr std::string_view kMath[] = {
    "acos",     "acosh", "asin",   "asinh",     "atan",    "atan2",     "atanh",     "cbrt",   "ceil",
    "copysign", "cos",   "cosh",   "erf",       "erfc",    "exp",       "exp10",     "exp2",   "expm1",
    "fabs",     "fdim",  "floor",  "fma",       "fmax",    "fmin",      "fmod",      "frexp",  "hypot",
    "ilogb",    "ldexp", "lgamma", "llrint",    "llround", "log",       "log10",     "log1p",  "log2",
    "logb",     "lrint", "lround", "modf",      "nan",     "nearbyint", "nextafter", "pow",    "remainder",
    "remquo",   "rint",  "round",  "roundeven", "scalbln", "scalbn",    "sin",       "sincos", "sinh",
    "sqrt",     "tan",   "tanh",   "tgamma",    "trunc"};

constexpr std::string_view kC[] = {"abort",   "bcmp",    "aligned_alloc",  "calloc", "free",
                                   "fwrite",  "malloc",  "memchr",         "memcmp", "memcpy",
                                   "memmove", "memset",  "posix_memalign", "printf", "putchar",
                                   "puts",    "realloc", "strlen"};

// Arithmetic that the processor lacks: 128-bit integers, half and quadruple precision.
constexpr std::string_view kSupport[] = {
    "__addtf3",      "__divtf3",      "__divti3",      "__eqtf2",       "__extenddftf2", "__extendhfdf2",
    "__extendhfsf2", "__extendhftf2", "__extendsftf2", "__fixdfti",     "__fixsfti",     "__fixunsdfti",
    "__fixunssfti",  "__floattidf",   "__floattisf",   "__floatuntidf", "__floatuntisf", "__getf2",
    "__gttf2",       "__letf2",       "__lttf2",       "__modti3",      "__multf3",      "__netf2",
    "__powidf2",     "__powisf2",     "__subtf3",      "__truncdfhf2",  "__truncdfbf2",  "__truncsfbf2",
    "__truncsfhf2",  "__trunctfdf2",  "__trunctfhf2",  "__trunctfsf2",  "__udivti3",     "__umodti3"};

bool isOf(Names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

bool isMath(std::string_view name) {
  if (isOf(kMath, name)) return true;
  if (name.size() < 2 || (name.back() != 'f' && name.back() != 'l')) return false;
  return isOf(kMath, name.substr(0, name.size() - 1));
}

struct Library {
  std::string_view name;
  bool (*has)(std::string_view function);
};

constexpr Library kLibraries[] = {
    {"libm.so.6", isMath},
    {"libc.so.6", [](std::string_view name) { return isOf(kC, name); }},
    {"libgcc_s.so.1", [](std::string_view name) { return isOf(kSupport, name); }},
};

// The functions that `object` calls and does not have.
std::expected<std::vector<std::string>, std::string> missingFrom(const std::string& object) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "kernels.o"));
  if (!file) return std::unexpected(llvm::toString(file.takeError()));
  std::vector<std::string> missing;
  for (const auto& symbol : (*file)->symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name) return std::unexpected<std::string>("its symbols cannot be read");
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) != 0) missing.push_back(name->str());
  }
  return missing;
}

llvm::ifs::IFSStub standIn(std::string_view library, const std::vector<std::string>& functions) {
  llvm::ifs::IFSStub stub;
  stub.IfsVersion = llvm::VersionTuple(3, 0);
  stub.SoName = std::string(library);
  stub.Target.Arch = static_cast<llvm::ifs::IFSArch>(llvm::ELF::EM_X86_64);
  stub.Target.BitWidth = llvm::ifs::IFSBitWidthType::IFS64;
  stub.Target.Endianness = llvm::ifs::IFSEndiannessType::Little;
  stub.Target.ObjectFormat = "ELF";
  for (const auto& function : functions) {
    llvm::ifs::IFSSymbol symbol(function);
    symbol.Type = llvm::ifs::IFSSymbolType::Func;
    stub.Symbols.push_back(std::move(symbol));
  }
  return stub;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> writeStandIns(const std::string& object,
                                                                   const std::string& directory) {
  const auto missing = missingFrom(object);
  if (!missing) return std::unexpected(missing.error());
  std::vector<std::string> paths;
  for (const auto& library : kLibraries) {
    std::vector<std::string> called;
    std::ranges::copy_if(*missing, std::back_inserter(called), library.has);
    if (called.empty()) continue;
    paths.push_back(directory + "/" + std::string(library.name));
    if (auto error = llvm::ifs::writeBinaryStub(paths.back(), standIn(library.name, called))) {
      return std::unexpected(llvm::toString(std::move(error)));
    }
  }
  return paths;
}

}  // namespace kiln::llvmir
