// The C ABI's modules.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client/c_objects.h"
#include "client/c_result.h"
#include "client/module.h"
#include "kiln/kiln.h"

using kiln::client::LoaderKind;
using kiln::client::LoadProblem;

struct kiln_module {
  kiln_status status = KILN_OK;
  std::string message;
  std::unique_ptr<kiln_result> result;
  std::unique_ptr<kiln::client::LoadedModule> module;
};

namespace {

static_assert(KILN_LOADER_HOST == static_cast<int>(LoaderKind::host));
static_assert(KILN_LOADER_CUDA_MODULE == static_cast<int>(LoaderKind::cudaModule));
static_assert(KILN_LOADER_CUDA_LIBRARY == static_cast<int>(LoaderKind::cudaLibrary));
static_assert(KILN_LOADER_HIP_MODULE == static_cast<int>(LoaderKind::hipModule));

kiln_status statusOf(LoadProblem::Kind kind) {
  switch (kind) {
    case LoadProblem::Kind::unavailable:
      return KILN_DRIVER_UNAVAILABLE;
    case LoadProblem::Kind::refused:
      return KILN_BINARY_REFUSED;
    case LoadProblem::Kind::unfit:
      return KILN_BINARY_UNFIT;
    case LoadProblem::Kind::noSuchSymbol:
      break;
  }
  return KILN_NO_SUCH_KERNEL;
}

std::unique_ptr<kiln_module> load(kiln::client::Client& client, const kiln_request& given,
                                  LoaderKind loader) {
  auto module = std::make_unique<kiln_module>();
  auto request = kiln::client::requestOf(given);
  if (!request) {
    module->result = kiln::client::resultOf(std::move(request.error()));
  } else {
    auto loaded = kiln::client::compileAndLoad(client, std::move(*request), given.options, loader);
    if (loaded.reply) module->result = kiln::client::resultOf(std::move(*loaded.reply));
    module->module = std::move(loaded.module);
    if (loaded.problem) {
      module->status = statusOf(loaded.problem->kind);
      module->message = std::move(loaded.problem->message);
    }
  }
  if (module->result != nullptr && module->result->status != KILN_OK) {
    module->status = module->result->status;
    module->message = module->result->message;
  }
  return module;
}

}  // namespace

extern "C" {

kiln_status kiln_load(kiln_client* client, const kiln_request* request, kiln_loader loader,
                      kiln_module** module) {
  if (module == nullptr) return KILN_INVALID_REQUEST;
  *module = nullptr;
  const bool isKnown = loader >= KILN_LOADER_HOST && loader <= KILN_LOADER_HIP_MODULE;
  const auto status = kiln::client::guarded(client != nullptr && request != nullptr && isKnown, [&] {
    *module = load(client->client, *request, static_cast<LoaderKind>(loader)).release();
  });
  return *module != nullptr ? (*module)->status : status;
}

void kiln_module_free(kiln_module* module) { delete module; }

kiln_status kiln_module_status(const kiln_module* module) {
  return module != nullptr ? module->status : KILN_INVALID_REQUEST;
}

const char* kiln_module_message(const kiln_module* module) {
  return module != nullptr ? module->message.c_str() : "";
}

const kiln_result* kiln_module_result(const kiln_module* module) {
  return module != nullptr ? module->result.get() : nullptr;
}

void* kiln_module_handle(const kiln_module* module) {
  return module != nullptr && module->module != nullptr ? module->module->handle() : nullptr;
}

kiln_status kiln_module_function(kiln_module* module, const char* name, void** function) {
  if (function == nullptr) return KILN_INVALID_REQUEST;
  *function = nullptr;
  if (module == nullptr || name == nullptr || module->module == nullptr) return KILN_INVALID_REQUEST;
  auto found = KILN_OK;
  const auto status = kiln::client::guarded(true, [&] {
    auto loaded = module->module->function(name);
    if (loaded) {
      *function = *loaded;
    } else {
      found = statusOf(loaded.error().kind);
      module->message = std::move(loaded.error().message);
    }
  });
  return status != KILN_OK ? status : found;
}

}  // extern "C"
