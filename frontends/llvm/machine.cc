#include "frontends/llvm/machine.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/TargetParser.h>
#include <llvm/TargetParser/X86TargetParser.h>

#include <algorithm>
#include <optional>

namespace kiln::llvmir {
namespace {

constexpr std::string_view kNvidia = "nvptx64-nvidia-cuda";
constexpr std::string_view kAmd = "amdgcn-amd-amdhsa";
constexpr std::string_view kHostTriple = "x86_64-unknown-linux-gnu";

const llvm::Target* lookUp(const llvm::Triple& triple) {
  std::string problem;
  return llvm::TargetRegistry::lookupTarget(triple, problem);
}

std::unique_ptr<llvm::MCSubtargetInfo> subtargetInfo(std::string_view triple) {
  const llvm::Triple parsed{llvm::StringRef(triple)};
  const auto* target = lookUp(parsed);
  if (target == nullptr) return nullptr;
  return std::unique_ptr<llvm::MCSubtargetInfo>(target->createMCSubtargetInfo(parsed, "", ""));
}

std::vector<std::string> nvidiaTargets() {
  std::vector<std::string> names;
  const auto info = subtargetInfo(kNvidia);
  if (info == nullptr) return names;
  for (const auto& processor : info->getAllProcessorDescriptions()) {
    if (std::string_view(processor.Key).starts_with("sm_")) names.emplace_back(processor.Key);
  }
  return names;
}

// Each processor, and behind it what may be said of sramecc and xnack where it has a choice.
std::vector<std::string> amdTargets() {
  llvm::SmallVector<llvm::StringRef, 128> processors;
  llvm::AMDGPU::fillValidArchListAMDGCN(processors);
  std::vector<std::string> names;
  for (const auto processor : processors) {
    if (!processor.starts_with("gfx")) continue;
    const auto attributes = llvm::AMDGPU::getArchAttrAMDGCN(llvm::AMDGPU::parseArchAMDGCN(processor));
    std::vector<std::string> choices = {processor.str()};
    auto choose = [&](unsigned feature, const std::string& name) {
      if ((attributes & feature) == 0) return;
      const auto without = choices;
      for (const auto& choice : without) {
        for (const char* state : {"+", "-"}) choices.push_back(choice + ":" + name + state);
      }
    };
    choose(llvm::AMDGPU::FEATURE_SRAMECC, "sramecc");
    choose(llvm::AMDGPU::FEATURE_XNACK, "xnack");
    names.insert(names.end(), choices.begin(), choices.end());
  }
  return names;
}

std::vector<std::string> hostTargets() {
  std::vector<std::string> names;
  if (lookUp(llvm::Triple{llvm::StringRef(kHostTriple)}) == nullptr) return names;
  llvm::SmallVector<llvm::StringRef, 128> processors;
  llvm::X86::fillValidCPUArchList(processors, /*Only64Bit=*/true);
  for (const auto processor : processors) {
    // LLVM has several names for some.
    if (parseTarget(std::string_view(processor))) names.push_back(processor.str());
  }
  return names;
}

std::expected<void, Failure> checkFeatures(const Target& target) {
  if (target.kind != Target::Kind::host) return {};  // those of the others are in the list of targets
  const auto info = subtargetInfo(kHostTriple);
  for (auto feature : partsOf(target).features) {
    feature.remove_suffix(1);
    const auto known = info->getAllProcessorFeatures();
    if (std::any_of(known.begin(), known.end(), [&](const auto& one) { return feature == one.Key; }))
      continue;
    return std::unexpected(Failure{FailureKind::unsupportedTarget,
                                   "LLVM " + llvmVersion() + " knows no feature '" + std::string(feature) +
                                       "' of a processor; llc-22 -mtriple=x86_64 -mattr=help lists those it "
                                       "knows"});
  }
  return {};
}

}  // namespace

Machine machineOf(const Target& target) {
  const auto parts = partsOf(target);
  Machine machine{std::string(kNvidia), std::string(parts.processor), {}};
  if (target.kind == Target::Kind::amd) machine.triple = kAmd;
  if (target.kind == Target::Kind::host) machine.triple = kHostTriple;
  // What is not there comes last: LLVM takes a feature to bring those that it stands on, and to take along
  // those that stand on it.
  auto features = parts.features;
  std::ranges::stable_sort(features, {}, [](std::string_view feature) { return feature.back() == '-'; });
  for (const auto feature : features) {
    if (!machine.features.empty()) machine.features += ",";
    machine.features += feature.back();
    machine.features += feature.substr(0, feature.size() - 1);
  }
  return machine;
}

void initialiseTargets() {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  LLVMInitializeAMDGPUTargetInfo();
  LLVMInitializeAMDGPUTarget();
  LLVMInitializeAMDGPUTargetMC();
  LLVMInitializeAMDGPUAsmPrinter();
  LLVMInitializeAMDGPUAsmParser();  // for inline assembly
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

std::vector<std::string> allTargets() {
  auto targets = nvidiaTargets();
  for (auto& name : amdTargets()) targets.push_back(std::move(name));
  for (auto& name : hostTargets()) targets.push_back(std::move(name));
  return targets;
}

std::expected<std::unique_ptr<llvm::TargetMachine>, Failure> targetMachine(const Target& target,
                                                                           llvm::CodeGenOptLevel level) {
  const auto machine = machineOf(target);
  const llvm::Triple triple(machine.triple);
  const auto* backend = lookUp(triple);
  if (backend == nullptr) {
    return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                   "LLVM " + llvmVersion() + " has no backend for " + machine.triple});
  }
  if (auto checked = checkFeatures(target); !checked) return std::unexpected(std::move(checked.error()));
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, machine.processor, machine.features, {}, llvm::Reloc::PIC_, std::nullopt, level));
}

std::string llvmVersion() {
  return std::to_string(LLVM_VERSION_MAJOR) + "." + std::to_string(LLVM_VERSION_MINOR);
}

}  // namespace kiln::llvmir
