#include "client/loaders/host_loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <kj/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kiln::client {
namespace {

std::unexpected<LoadProblem> problem(LoadProblem::Kind kind, std::string message) {
  return std::unexpected(LoadProblem{kind, std::move(message)});
}

// The dynamic loader knows what it has loaded by path, and would give another module for a descriptor whose
// number is used again: the descriptor stays open for as long as the object may be there.
class HostModule final : public LoadedModule {
 public:
  HostModule(void* handle, kj::AutoCloseFd file, std::string path, std::string name)
      : handle_(handle), file_(kj::mv(file)), path_(std::move(path)), name_(std::move(name)) {}

  ~HostModule() noexcept override {
    ::dlclose(handle_);
    // What it registered for threads or other modules can keep it in place.
    void* remaining = ::dlopen(path_.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (remaining == nullptr) return;
    ::dlclose(remaining);
    file_.release();
  }

  [[nodiscard]] void* handle() const override { return handle_; }

  Loaded<void*> function(const std::string& name) override {
    ::dlerror();
    void* address = ::dlsym(handle_, name.c_str());
    if (address != nullptr) return address;
    return problem(LoadProblem::Kind::noSuchSymbol,
                   "'" + name_ + "' has no function '" + name + "'; ask for one that it defines");
  }

 private:
  void* handle_;
  kj::AutoCloseFd file_;
  const std::string path_;
  const std::string name_;
};

std::expected<kj::AutoCloseFd, int> sealedFile(std::span<const std::byte> bytes) {
  const int descriptor = ::memfd_create("kiln-module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return std::unexpected(errno);
  kj::AutoCloseFd file(descriptor);
  for (auto rest = bytes; !rest.empty();) {
    const auto written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return std::unexpected(errno);
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(descriptor, F_ADD_SEALS, kSeals) != 0) return std::unexpected(errno);
  return file;
}

// Whether `bytes` are a shared object for this processor that has all of its segments. The dynamic loader
// maps them unseen, and reading behind the end of the file would end the process.
bool isWhole(std::span<const std::byte> bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  const bool isOurs = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                      header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
                      header.e_type == ET_DYN && header.e_machine == EM_X86_64 &&
                      header.e_phentsize == sizeof(Elf64_Phdr);
  const auto segments = std::size_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (!isOurs || header.e_phoff > bytes.size() || segments > bytes.size() - header.e_phoff) return false;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_offset > bytes.size() || segment.p_filesz > bytes.size() - segment.p_offset) return false;
  }
  return true;
}

}  // namespace

Loaded<std::unique_ptr<LoadedModule>> HostLoader::load(std::span<const std::byte> bytes,
                                                       const std::string& name) {
  if (!isWhole(bytes)) {
    return problem(
        LoadProblem::Kind::refused,
        "cannot load '" + name + "' into this process: its bytes are no whole shared object for x86-64");
  }
  auto file = sealedFile(bytes);
  if (!file) {
    return problem(LoadProblem::Kind::unavailable,
                   "cannot load '" + name + "': no file in memory for it: " + std::strerror(file.error()));
  }
  auto path = "/proc/self/fd/" + std::to_string(file->get());
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* said = ::dlerror();
    const std::string why = said != nullptr ? said : "the dynamic loader does not say why";
    return problem(LoadProblem::Kind::unavailable, "cannot load '" + name + "' into this process: " + why);
  }
  return std::make_unique<HostModule>(handle, kj::mv(*file), std::move(path), name);
}

}  // namespace kiln::client
