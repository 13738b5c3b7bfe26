#include "client/loaders/driver_loader.h"

#include <dlfcn.h>

#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln::client {
namespace {

// CUresult and hipError_t: what matters here has one number in both (cuda.h, hip_runtime_api.h).
enum Result : int {
  success = 0,
  stubLibrary = 34,  // CUDA's
  invalidContext = 201,
  invalidImage = 200,
  noBinaryForGpu = 209,
  invalidPtx = 218,
  unsupportedPtxVersion = 222,
  invalidSource = 300,
  notFound = 500,
};

std::unexpected<LoadProblem> problem(LoadProblem::Kind kind, std::string message) {
  return std::unexpected(LoadProblem{kind, std::move(message)});
}

LoadProblem::Kind kindOf(int result) {
  switch (result) {
    case invalidImage:
    case invalidPtx:
    case unsupportedPtxVersion:
    case invalidSource:
      return LoadProblem::Kind::refused;
    case noBinaryForGpu:
      return LoadProblem::Kind::unfit;
    case notFound:
      return LoadProblem::Kind::noSuchSymbol;
    default:
      return LoadProblem::Kind::unavailable;
  }
}

// Everything that tells one way into a driver from another.
struct Names {
  std::string_view driver;  // for a person
  std::vector<const char*> libraries;
  OutputKind binary;
  const char* initialise;
  const char* load;
  const char* unload;
  const char* function;
  const char* errorText;
  bool optionsOnLoad;  // cuLibraryLoadData() takes two lists of options
  std::string_view unfit;
};

using Call = int (*)(unsigned);
using Unload = int (*)(void*);
using Load = int (*)(void**, const void*);
using LoadWithOptions = int (*)(void**, const void*, void*, void**, unsigned, void*, void**, unsigned);
using Function = int (*)(void**, void*, const char*);
using CudaText = int (*)(int, const char**);
using HipText = const char* (*)(int);

// The entry points. They stay for as long as the process.
struct Driver {
  const Names& names;
  Unload unload = nullptr;
  Function function = nullptr;
  void* load = nullptr;
  void* errorText = nullptr;

  [[nodiscard]] std::string describe(int result) const {
    const char* text = nullptr;
    if (names.binary == OutputKind::hsaco) {
      text = reinterpret_cast<HipText>(errorText)(result);
    } else {
      reinterpret_cast<CudaText>(errorText)(result, &text);
    }
    return std::string(text != nullptr ? text : "an error without a name") + " (" + std::to_string(result) +
           ")";
  }
};

class DriverModule final : public LoadedModule {
 public:
  DriverModule(const Driver& driver, void* handle, std::string name)
      : driver_(driver), handle_(handle), name_(std::move(name)) {}
  ~DriverModule() override { driver_.unload(handle_); }

  [[nodiscard]] void* handle() const override { return handle_; }

  Loaded<void*> function(const std::string& name) override {
    void* function = nullptr;
    const int result = driver_.function(&function, handle_, name.c_str());
    if (result == success) return function;
    if (kindOf(result) == LoadProblem::Kind::noSuchSymbol) {
      return problem(LoadProblem::Kind::noSuchSymbol,
                     "'" + name_ + "' has no kernel '" + name + "' (" + driver_.names.function + ": " +
                         driver_.describe(result) + "); ask for its lowered name, as kiln show lists it");
    }
    return problem(LoadProblem::Kind::unavailable, std::string(driver_.names.function) + " of '" + name +
                                                       "' in '" + name_ +
                                                       "' failed: " + driver_.describe(result));
  }

 private:
  const Driver& driver_;
  void* handle_;
  const std::string name_;
};

class DriverLoader final : public Loader {
 public:
  explicit DriverLoader(Driver driver) : driver_(driver) {}

  [[nodiscard]] OutputKind binary() const override { return driver_.names.binary; }

  Loaded<std::unique_ptr<LoadedModule>> load(std::span<const std::byte> bytes,
                                             const std::string& name) override {
    void* handle = nullptr;
    const int result = call(&handle, bytes.data());
    if (result == success) return std::make_unique<DriverModule>(driver_, handle, name);
    const auto kind = kindOf(result);
    std::string message =
        std::string(driver_.names.load) + " of '" + name + "' failed: " + driver_.describe(result);
    if (kind == LoadProblem::Kind::unfit) message += std::string("; ") + std::string(driver_.names.unfit);
    if (result == invalidContext) {
      message += "; make a context current in this thread before it loads, or use the loader of libraries";
    }
    return problem(kind, std::move(message));
  }

 private:
  int call(void** handle, const void* bytes) const {
    if (!driver_.names.optionsOnLoad) return reinterpret_cast<Load>(driver_.load)(handle, bytes);
    return reinterpret_cast<LoadWithOptions>(driver_.load)(handle, bytes, nullptr, nullptr, 0, nullptr,
                                                           nullptr, 0);
  }

  const Driver driver_;
};

// The library, by the first of its names that there is.
Loaded<void*> openDriver(const Names& names) {
  std::string tried;
  for (const char* library : names.libraries) {
    if (void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL)) return handle;
    const char* why = ::dlerror();
    tried += (tried.empty() ? "" : "; ") + std::string(why != nullptr ? why : library);
  }
  return problem(LoadProblem::Kind::unavailable,
                 "there is no " + std::string(names.driver) + " on this machine: " + tried);
}

Loaded<Driver> connect(const Names& names) {
  auto library = openDriver(names);
  if (!library) return std::unexpected(std::move(library.error()));
  Driver driver{names};
  std::string missing;
  auto find = [&](const char* symbol) {
    void* address = ::dlsym(*library, symbol);
    if (address == nullptr) missing += (missing.empty() ? "" : ", ") + std::string(symbol);
    return address;
  };
  auto* initialise = reinterpret_cast<Call>(find(names.initialise));
  driver.load = find(names.load);
  driver.unload = reinterpret_cast<Unload>(find(names.unload));
  driver.function = reinterpret_cast<Function>(find(names.function));
  driver.errorText = find(names.errorText);
  if (!missing.empty()) {
    return problem(
        LoadProblem::Kind::unavailable,
        "the " + std::string(names.driver) + " of this machine lacks " + missing + "; install a newer one");
  }
  const int result = initialise(0);
  if (result == stubLibrary && names.binary == OutputKind::cubin) {
    return problem(
        LoadProblem::Kind::unavailable,
        "the libcuda.so.1 that was found is the stub of a CUDA toolkit, to link with, and no driver; "
        "leave the toolkit's folder lib64/stubs out of LD_LIBRARY_PATH");
  }
  if (result != success) {
    return problem(LoadProblem::Kind::unavailable, std::string(names.initialise) +
                                                       " failed: " + driver.describe(result) + "; the " +
                                                       std::string(names.driver) + " finds no device to use");
  }
  return driver;
}

// Never destroyed: modules may live until the process ends. Tried anew by whoever asks until it once
// succeeds: a device may be given to a process later.
class LoaderPlace {
 public:
  Loaded<Loader*> get(const Names& names) {
    const std::lock_guard lock(mutex_);
    if (!loader_) {
      auto driver = connect(names);
      if (!driver) return std::unexpected(std::move(driver.error()));
      loader_ = std::make_unique<DriverLoader>(*driver);
    }
    return loader_.get();
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<DriverLoader> loader_;
};

constexpr std::string_view kOtherCubin =
    "the GPU has another architecture than the cubin: compile for its own (nvidia-smi "
    "--query-gpu=compute_cap --format=csv)";
constexpr std::string_view kOtherHsaco =
    "the GPU has another architecture than the hsaco: compile for its own (rocminfo)";

}  // namespace

Loaded<Loader*> cudaModuleLoader() {
  static const Names& names = *new Names{"CUDA driver (libcuda.so.1)",
                                         {"libcuda.so.1"},
                                         OutputKind::cubin,
                                         "cuInit",
                                         "cuModuleLoadData",
                                         "cuModuleUnload",
                                         "cuModuleGetFunction",
                                         "cuGetErrorName",
                                         false,
                                         kOtherCubin};
  static LoaderPlace& place = *new LoaderPlace;
  return place.get(names);
}

Loaded<Loader*> cudaLibraryLoader() {
  static const Names& names = *new Names{"CUDA driver (libcuda.so.1) of version 12.0 or later",
                                         {"libcuda.so.1"},
                                         OutputKind::cubin,
                                         "cuInit",
                                         "cuLibraryLoadData",
                                         "cuLibraryUnload",
                                         "cuLibraryGetKernel",
                                         "cuGetErrorName",
                                         true,
                                         kOtherCubin};
  static LoaderPlace& place = *new LoaderPlace;
  return place.get(names);
}

Loaded<Loader*> hipModuleLoader() {
  static const Names& names = *new Names{"HIP runtime (libamdhip64)",
                                         {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"},
                                         OutputKind::hsaco,
                                         "hipInit",
                                         "hipModuleLoadData",
                                         "hipModuleUnload",
                                         "hipModuleGetFunction",
                                         "hipGetErrorName",
                                         false,
                                         kOtherHsaco};
  static LoaderPlace& place = *new LoaderPlace;
  return place.get(names);
}

}  // namespace kiln::client
