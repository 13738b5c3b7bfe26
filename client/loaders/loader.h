// Loaders: from the bytes of an output to functions that can be called or launched.
//
// A loader stands for one way into one driver. Drivers are found at run time; libkiln is linked with none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "jit/request.h"

namespace kiln::client {

struct LoadProblem {
  enum class Kind : std::uint8_t {
    unavailable,   // no driver, no device, no context: nothing is wrong with the binary
    refused,       // the driver says that these bytes are no binary, or none that it can read
    unfit,         // the binary is one, but for another device than this
    noSuchSymbol,  // the binary has no function of that name
  };
  Kind kind;
  std::string message;  // what was tried, what the driver said, what to do
};

template <typename T>
using Loaded = std::expected<T, LoadProblem>;

// One binary that is loaded. Destroying it unloads it: no function of it may run any more. Not thread-safe.
class LoadedModule {
 public:
  LoadedModule() = default;
  virtual ~LoadedModule() = default;
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  // What the driver calls the module: a CUmodule, a CUlibrary, a hipModule_t, dlopen()'s handle.
  [[nodiscard]] virtual void* handle() const = 0;
  // What the driver calls a function of it: a CUfunction, a CUkernel, a hipFunction_t, an address.
  virtual Loaded<void*> function(const std::string& name) = 0;
};

class Loader {
 public:
  Loader() = default;
  virtual ~Loader() = default;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // What it takes.
  [[nodiscard]] virtual OutputKind binary() const = 0;
  // The bytes may be freed afterwards. `name` is what messages call them: "saxpy.ll for znver4".
  virtual Loaded<std::unique_ptr<LoadedModule>> load(std::span<const std::byte> bytes,
                                                     const std::string& name) = 0;
};

// Values of the C ABI (kiln_loader).
enum class LoaderKind : std::uint8_t { host = 1, cudaModule = 2, cudaLibrary = 3, hipModule = 4 };

// Finds the driver. Loaders last until the process ends: drivers are not unloaded. Thread-safe.
Loaded<Loader*> loaderFor(LoaderKind kind);

}  // namespace kiln::client
