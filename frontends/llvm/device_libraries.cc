#include "frontends/llvm/device_libraries.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Constants.h>
#include <llvm/Linker/Linker.h>
#include <llvm/TargetParser/TargetParser.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "frontends/llvm/device_library_search.h"

namespace kiln::llvmir {
namespace {

// A library, and how the names of its functions begin.
struct Library {
  std::string_view file;
  std::string_view prefix;
  std::string_view package;  // that brings it
  Target::Kind kind;
};

// ockl calls nothing of ocml, nor the other way round.
constexpr std::array kLibraries = {
    Library{kLibdevice, "__nv_", "the CUDA toolkit (nvvm/libdevice)", Target::Kind::nvidiaReal},
    Library{kOcml, "__ocml_", "ROCm's device libraries (rocm-device-libs)", Target::Kind::amd},
    Library{kOckl, "__ockl_", "ROCm's device libraries (rocm-device-libs)", Target::Kind::amd},
};

// A function that the module calls and does not have; null if there is none.
const llvm::Function* missingFunction(const llvm::Module& module, std::string_view prefix) {
  for (const auto& function : module) {
    if (function.isDeclaration() && !function.use_empty() && function.getName().starts_with(prefix)) {
      return &function;
    }
  }
  return nullptr;
}

// Wavefronts of the processors from gfx10 on have 32 threads, unless the module is for 64.
bool isWave64(const llvm::Module& module, unsigned major) {
  const bool asksFor64 = std::any_of(module.begin(), module.end(), [](const llvm::Function& function) {
    return function.getFnAttribute("target-features").getValueAsString().contains("+wavefrontsize64");
  });
  return major < 10 || asksFor64;
}

unsigned codeObjectVersion(const llvm::Module& module) {
  constexpr unsigned kUsual = 500;
  auto* flag = module.getModuleFlag("amdhsa_code_object_version");
  const auto* version = llvm::mdconst::dyn_extract_or_null<llvm::ConstantInt>(flag);
  return version == nullptr ? kUsual : static_cast<unsigned>(version->getZExtValue());
}

// What ROCm's libraries ask of the target, as clang sets it for HIP: exact division and square roots,
// denormals kept.
void addConstants(llvm::Module& module, const Target& target) {
  constexpr unsigned kConstantMemory = 4;
  const auto isa = llvm::AMDGPU::getIsaVersion(llvm::StringRef(partsOf(target).processor));
  const auto add = [&](const char* name, unsigned bits, std::uint64_t value) {
    const auto* declared = module.getNamedGlobal(name);
    if (declared == nullptr || !declared->isDeclaration()) return;
    auto* type = llvm::IntegerType::get(module.getContext(), bits);
    auto* constant = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::InternalLinkage,
                                              llvm::ConstantInt::get(type, value), "", nullptr,
                                              llvm::GlobalValue::NotThreadLocal, kConstantMemory);
    auto* old = module.getNamedGlobal(name);
    old->replaceAllUsesWith(constant);
    old->eraseFromParent();
    constant->setName(name);
  };
  add("__oclc_ISA_version", 32, isa.Major * 1000 + isa.Minor * 100 + isa.Stepping);
  add("__oclc_ABI_version", 32, codeObjectVersion(module));
  add("__oclc_wavefrontsize64", 8, isWave64(module, isa.Major) ? 1 : 0);
  add("__oclc_correctly_rounded_sqrt32", 8, 1);
  add("__oclc_unsafe_math_opt", 8, 0);
  add("__oclc_finite_only_opt", 8, 0);
  add("__oclc_daz_opt", 8, 0);
}

void internalise(llvm::Module& module, const llvm::StringSet<>& linked) {
  llvm::internalizeModule(module, [&](const llvm::GlobalValue& value) {
    return !value.hasName() || !linked.contains(value.getName());
  });
}

}  // namespace

std::expected<DeviceLibraries, Failure> DeviceLibraries::read(
    const std::vector<std::filesystem::path>& files) {
  DeviceLibraries libraries;
  for (const auto& path : files) {
    auto buffer = llvm::MemoryBuffer::getFile(path.string(), false, false);
    if (!buffer) {
      return std::unexpected(
          Failure{FailureKind::toolchainUnavailable,
                  "cannot read the device library '" + path.string() + "': " + buffer.getError().message()});
    }
    libraries.libraries_[path.filename().string()] = std::move(*buffer);
  }
  return libraries;
}

std::expected<void, Failure> DeviceLibraries::linkOne(llvm::Module& module, std::string_view library,
                                                      const std::string& name) const {
  const auto failure = [&](llvm::Error error) {
    return std::unexpected(Failure{FailureKind::compileError,
                                   "compiling '" + name + "': " + std::string(library) +
                                       " cannot be linked into it: " + llvm::toString(std::move(error))});
  };
  const auto& buffer = libraries_.find(std::string(library))->second;
  auto read = llvm::getLazyBitcodeModule(buffer->getMemBufferRef(), module.getContext());
  if (!read) return failure(read.takeError());
  // They are for any target of the vendor, and say so in ways that differ from LLVM to LLVM.
  (*read)->setTargetTriple(module.getTargetTriple());
  (*read)->setDataLayout(module.getDataLayout());
  if (llvm::Linker::linkModules(module, std::move(*read), llvm::Linker::LinkOnlyNeeded, internalise)) {
    return failure(llvm::createStringError("its log shows why"));
  }
  return {};
}

std::expected<void, Failure> DeviceLibraries::link(llvm::Module& module, const Target& target,
                                                   const std::string& name) const {
  for (const auto& library : kLibraries) {
    if (library.kind != target.kind) continue;
    const auto* missing = missingFunction(module, library.prefix);
    if (missing == nullptr) continue;
    if (!libraries_.contains(std::string(library.file))) {
      return std::unexpected(
          Failure{FailureKind::toolchainUnavailable,
                  "'" + name + "' calls " + missing->getName().str() + " of " + std::string(library.file) +
                      ", which kilnd did not find; install " + std::string(library.package) +
                      " or name its folder under toolchains.paths, and run kiln toolchains --rescan"});
    }
    if (auto linked = linkOne(module, library.file, name); !linked) return linked;
  }
  if (target.kind == Target::Kind::amd) addConstants(module, target);
  return {};
}

}  // namespace kiln::llvmir
