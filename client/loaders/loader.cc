#include "client/loaders/loader.h"

#include "client/loaders/driver_loader.h"
#include "client/loaders/host_loader.h"

namespace kiln::client {

Loaded<Loader*> loaderFor(LoaderKind kind) {
  static HostLoader& host = *new HostLoader;
  switch (kind) {
    case LoaderKind::host:
      return &host;
    case LoaderKind::cudaModule:
      return cudaModuleLoader();
    case LoaderKind::cudaLibrary:
      return cudaLibraryLoader();
    case LoaderKind::hipModule:
      return hipModuleLoader();
  }
  return std::unexpected(LoadProblem{LoadProblem::Kind::unavailable, "there is no such loader"});
}

}  // namespace kiln::client
