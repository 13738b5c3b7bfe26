#include "frontends/mlir/passes.h"

#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/GPU/IR/GPUDialect.h>
#include <mlir/Dialect/GPU/Transforms/ParallelLoopMapper.h>
#include <mlir/Dialect/Linalg/IR/Linalg.h>
#include <mlir/Dialect/Linalg/Utils/Utils.h>
#include <mlir/Dialect/MemRef/IR/MemRef.h>
#include <mlir/Dialect/SCF/IR/SCF.h>
#include <mlir/Dialect/SCF/Transforms/Transforms.h>
#include <mlir/Dialect/Utils/StaticValueUtils.h>
#include <mlir/IR/IRMapping.h>
#include <mlir/IR/SymbolTable.h>
#include <mlir/Interfaces/SideEffectInterfaces.h>
#include <mlir/Pass/Pass.h>
#include <mlir/Pass/PassRegistry.h>
#include <mlir/Transforms/RegionUtils.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace kiln::mlirir {
namespace {

using mlir::gpu::Processor;

constexpr std::int64_t kMostThreads = 256;
// Of a function whose kernels are made of it, and were not there before.
constexpr const char* kLaunches = "kiln.launches";

// MLIR takes an argument to be free to be overwritten unless it says that it is not. A result would then
// share its memory.
struct KeepArguments : mlir::PassWrapper<KeepArguments, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KeepArguments)

  [[nodiscard]] llvm::StringRef getArgument() const override { return "kiln-keep-arguments"; }
  [[nodiscard]] llvm::StringRef getDescription() const override {
    return "Mark tensors that functions take as not writable, unless they say what they are";
  }

  void runOnOperation() override {
    constexpr llvm::StringLiteral kWritable = "bufferization.writable";
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      if (function.isExternal()) continue;
      for (unsigned i = 0; i < function.getNumArguments(); ++i) {
        if (!llvm::isa<mlir::TensorType>(function.getArgument(i).getType())) continue;
        if (function.getArgAttr(i, kWritable)) continue;
        function.setArgAttr(i, kWritable, mlir::BoolAttr::get(&getContext(), false));
      }
    }
  }
};

// MLIR's own lowering calls a function of MLIR's runtime for all but contiguous copies, and on a GPU a copy
// is no kernel.
struct GeneralizeCopies : mlir::PassWrapper<GeneralizeCopies, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GeneralizeCopies)

  [[nodiscard]] llvm::StringRef getArgument() const override { return "kiln-generalize-copies"; }
  [[nodiscard]] llvm::StringRef getDescription() const override {
    return "Turn memref.copy into linalg.generic";
  }
  void getDependentDialects(mlir::DialectRegistry& registry) const override {
    registry.insert<mlir::linalg::LinalgDialect>();
  }

  void runOnOperation() override {
    llvm::SmallVector<mlir::memref::CopyOp> copies;
    getOperation().walk([&](mlir::memref::CopyOp copy) {
      const bool isRanked = llvm::isa<mlir::MemRefType>(copy.getSource().getType()) &&
                            llvm::isa<mlir::MemRefType>(copy.getTarget().getType());
      if (isRanked) copies.push_back(copy);
    });
    for (auto copy : copies) {
      mlir::OpBuilder builder(copy);
      mlir::linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
  }
};

// How long a tile of the last dimension is: as the dimension, if that is known and shorter.
std::int64_t tileLength(mlir::scf::ParallelOp loop) {
  const auto last = loop.getNumLoops() - 1;
  const auto lower = mlir::getConstantIntValue(loop.getLowerBound()[last]);
  const auto upper = mlir::getConstantIntValue(loop.getUpperBound()[last]);
  const auto step = mlir::getConstantIntValue(loop.getStep()[last]);
  if (!lower || !upper || !step || *step <= 0) return kMostThreads;
  const auto length = (*upper - *lower + *step - 1) / *step;
  return std::clamp<std::int64_t>(length, 1, kMostThreads);
}

// Maps the dimensions of `loop`, from the last to the first, onto `processors`; what is left is a loop.
void map(mlir::scf::ParallelOp loop, llvm::ArrayRef<Processor> processors) {
  mlir::OpBuilder builder(loop.getContext());
  const auto identity = builder.getDimIdentityMap();
  llvm::SmallVector<mlir::gpu::ParallelLoopDimMappingAttr> mapping;
  const auto dimensions = loop.getNumLoops();
  for (unsigned i = 0; i < dimensions; ++i) {
    const auto fromLast = dimensions - 1 - i;
    const auto processor = fromLast < processors.size() ? processors[fromLast] : Processor::Sequential;
    mapping.push_back(builder.getAttr<mlir::gpu::ParallelLoopDimMappingAttr>(processor, identity, identity));
  }
  (void)mlir::gpu::setMappingAttr(loop, mapping);
}

struct MapParallelLoops : mlir::PassWrapper<MapParallelLoops, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MapParallelLoops)

  [[nodiscard]] llvm::StringRef getArgument() const override { return "kiln-map-parallel-loops"; }
  [[nodiscard]] llvm::StringRef getDescription() const override {
    return "Tile outermost parallel loops and map them onto blocks and threads";
  }
  void getDependentDialects(mlir::DialectRegistry& registry) const override {
    registry.insert<mlir::gpu::GPUDialect, mlir::scf::SCFDialect, mlir::arith::ArithDialect>();
  }

  void runOnOperation() override {
    llvm::SmallVector<mlir::scf::ParallelOp> loops;
    getOperation().walk<mlir::WalkOrder::PreOrder>([&](mlir::scf::ParallelOp loop) {
      if (loop.getInitVals().empty()) loops.push_back(loop);  // else it is a reduction, which no grid makes
      return mlir::WalkResult::skip();
    });
    for (auto loop : loops) {
      llvm::SmallVector<std::int64_t> tile(loop.getNumLoops(), 1);
      tile.back() = tileLength(loop);
      auto [blocks, threads] = mlir::scf::tileParallelLoop(loop, tile, /*noMinMaxBounds=*/true);
      map(blocks, {Processor::BlockX, Processor::BlockY, Processor::BlockZ});
      map(threads, {Processor::ThreadX});
    }
  }
};

struct SinkIntoLaunches : mlir::PassWrapper<SinkIntoLaunches, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SinkIntoLaunches)

  [[nodiscard]] llvm::StringRef getArgument() const override { return "kiln-sink-into-launches"; }
  [[nodiscard]] llvm::StringRef getDescription() const override {
    return "Compute what a gpu.launch uses within it, from the function's arguments";
  }

  void runOnOperation() override {
    bool launches = false;
    const auto result = getOperation().walk([&](mlir::gpu::LaunchOp launch) {
      launches = true;
      return sink(launch, getOperation());
    });
    if (result.wasInterrupted()) signalPassFailure();
    if (launches) getOperation()->setAttr(kLaunches, mlir::UnitAttr::get(&getContext()));
  }

 private:
  static mlir::WalkResult sink(mlir::gpu::LaunchOp launch, mlir::func::FuncOp function) {
    llvm::SetVector<mlir::Value> used;
    mlir::getUsedValuesDefinedAbove(launch.getBody(), used);
    mlir::IRMapping copies;
    auto builder = mlir::OpBuilder::atBlockBegin(&launch.getBody().front());
    for (auto value : used) {
      if (!copy(value, function, builder, copies)) {
        launch.emitError(
            "the kernel uses a value that is computed before it is launched, by an operation that ")
            << "has an effect or reads memory; make it an argument of the function";
        return mlir::WalkResult::interrupt();
      }
      mlir::replaceAllUsesInRegionWith(value, copies.lookupOrDefault(value), launch.getBody());
    }
    return mlir::WalkResult::advance();
  }

  // Copies what computes `value` to where `builder` is; arguments of the function stay what they are.
  static bool copy(mlir::Value value, mlir::func::FuncOp function, mlir::OpBuilder& builder,
                   mlir::IRMapping& copies) {
    if (copies.contains(value)) return true;
    if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(value)) {
      return argument.getOwner() == &function.getBody().front();
    }
    auto* operation = value.getDefiningOp();
    if (!mlir::isPure(operation) || operation->getNumRegions() != 0) return false;
    for (auto operand : operation->getOperands()) {
      if (!copy(operand, function, builder, copies)) return false;
    }
    builder.clone(*operation, copies);
    return true;
  }
};

struct NameKernels : mlir::PassWrapper<NameKernels, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NameKernels)

  [[nodiscard]] llvm::StringRef getArgument() const override { return "kiln-name-kernels"; }
  [[nodiscard]] llvm::StringRef getDescription() const override {
    return "Give a kernel the arguments and the name of the function that launches it";
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!function->removeAttr(kLaunches)) continue;
      if (!isAllKernels(function)) return signalPassFailure();
      llvm::SmallVector<mlir::gpu::LaunchFuncOp> launches;
      function.walk([&](mlir::gpu::LaunchFuncOp launch) { launches.push_back(launch); });
      std::size_t number = 0;
      for (auto launch : launches) {
        auto kernel = llvm::dyn_cast_or_null<mlir::gpu::GPUFuncOp>(
            mlir::SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernelAttr()));
        if (!kernel) continue;
        giveArguments(kernel, launch, function);
        giveName(kernel, launch, nameOf(function, launches.size(), number++));
      }
    }
  }

 private:
  // The function's, with the kernel's number behind it where there are several.
  static std::string nameOf(mlir::func::FuncOp function, std::size_t launches, std::size_t number) {
    auto name = function.getName().str();
    return launches == 1 ? name : name + "_" + std::to_string(number);
  }

  // Whether nothing is left for the host to do: what it would do is no part of the binary.
  static bool isAllKernels(mlir::func::FuncOp function) {
    const auto result = function.walk([&](mlir::Operation* operation) {
      if (operation == function || llvm::isa<mlir::gpu::LaunchFuncOp, mlir::func::ReturnOp>(operation) ||
          (mlir::isPure(operation) && operation->getNumRegions() == 0)) {
        return mlir::WalkResult::advance();
      }
      operation->emitError(
          "the function does this beside its kernels, and it would be left out of a GPU's binary; "
          "make it parallel, or leave it to the caller");
      return mlir::WalkResult::interrupt();
    });
    return !result.wasInterrupted();
  }

  static void giveArguments(mlir::gpu::GPUFuncOp kernel, mlir::gpu::LaunchFuncOp launch,
                            mlir::func::FuncOp function) {
    const llvm::SmallVector<mlir::Value> operands(launch.getKernelOperands());
    const auto arguments = function.getArguments();
    const bool areArguments = llvm::all_of(operands, [&](mlir::Value operand) {
      auto argument = llvm::dyn_cast<mlir::BlockArgument>(operand);
      return argument && argument.getOwner() == &function.getBody().front();
    });
    if (!areArguments) return;
    auto& body = kernel.front();
    for (auto argument : arguments) {
      body.insertArgument(argument.getArgNumber(), argument.getType(), argument.getLoc());
    }
    for (auto operand : operands) {
      const auto old = arguments.size();  // the first that is left of the old ones
      auto argument = llvm::cast<mlir::BlockArgument>(operand);
      body.getArgument(old).replaceAllUsesWith(body.getArgument(argument.getArgNumber()));
      body.eraseArgument(old);
    }
    kernel.setFunctionType(
        mlir::FunctionType::get(kernel.getContext(), function.getFunctionType().getInputs(), {}));
    kernel.removeArgAttrsAttr();
    launch.getKernelOperandsMutable().assign(llvm::SmallVector<mlir::Value>(arguments));
  }

  static void giveName(mlir::gpu::GPUFuncOp kernel, mlir::gpu::LaunchFuncOp launch, llvm::StringRef name) {
    auto module = kernel->getParentOfType<mlir::gpu::GPUModuleOp>();
    if (mlir::SymbolTable::lookupSymbolIn(module, name) != nullptr) return;
    mlir::SymbolTable::setSymbolName(kernel, name);
    launch.setKernelAttr(
        mlir::SymbolRefAttr::get(module.getSymNameAttr(), {mlir::FlatSymbolRefAttr::get(kernel)}));
  }
};

}  // namespace

void registerPasses() {
  mlir::PassRegistration<KeepArguments>();
  mlir::PassRegistration<GeneralizeCopies>();
  mlir::PassRegistration<MapParallelLoops>();
  mlir::PassRegistration<SinkIntoLaunches>();
  mlir::PassRegistration<NameKernels>();
}

}  // namespace kiln::mlirir
