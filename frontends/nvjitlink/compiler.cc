#include "frontends/nvjitlink/compiler.h"

#include <string>
#include <utility>
#include <vector>

#include "frontends/nvjitlink/inputs.h"
#include "frontends/nvjitlink/link.h"
#include "frontends/nvjitlink/options.h"
#include "frontends/nvjitlink/targets.h"

namespace kiln::nvjitlink {
namespace {

// nvJitLink sees the PTX up to its end, or up to a NUL: generators leave one there.
std::expected<Input, Failure> withoutTerminator(Input input) {
  if (isLtoIr(input.content)) return input;
  while (input.content.ends_with('\0')) input.content.remove_suffix(1);
  if (input.content.find('\0') == std::string_view::npos) return input;
  return std::unexpected(
      Failure{FailureKind::invalidRequest, "the PTX '" + std::string(input.name) +
                                               "' holds a NUL character in the middle, behind which "
                                               "nvJitLink would not look; remove it"});
}

std::expected<std::vector<Input>, Failure> linkedInputs(const Request& request) {
  auto inputs = inputsOf(request);
  for (auto& input : inputs) {
    auto stripped = withoutTerminator(input);
    if (!stripped) return std::unexpected(std::move(stripped.error()));
    input = *stripped;
  }
  return inputs;
}

std::expected<void, Failure> checkOptionTexts(const Request& request) {
  for (const auto& option : request.options) {
    if (option.find('\0') == std::string::npos) continue;
    return std::unexpected(
        Failure{FailureKind::invalidRequest,
                "the option '" + option + "' holds a NUL character, which nvJitLink cannot take; remove it"});
  }
  return {};
}

class NvJitLinkCompiler : public Compiler {
 public:
  NvJitLinkCompiler(Library library, std::string firstTarget)
      : library_(library), firstTarget_(std::move(firstTarget)) {}

  [[nodiscard]] std::string version() const override { return library_.version(); }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return targetsOf(library_);
  }
  std::expected<Artifact, Failure> compile(const Request& request) override;
  std::expected<void, Failure> warm() override;

 private:
  Library library_;
  std::string firstTarget_;
};

std::expected<Artifact, Failure> NvJitLinkCompiler::compile(const Request& request) {
  auto inputs = linkedInputs(request);
  if (!inputs) return std::unexpected(std::move(inputs.error()));
  if (auto checked = checkOptionTexts(request); !checked) return std::unexpected(std::move(checked.error()));
  if (auto checked = checkOptions(request); !checked) return std::unexpected(std::move(checked.error()));
  std::vector<std::string> options = {"-arch=" + request.target.name, "-no-cache"};
  options.insert(options.end(), request.options.begin(), request.options.end());
  auto link = Link::create(library_, request.names.source, options);
  if (!link) return std::unexpected(std::move(link.error()));
  for (const auto& input : *inputs) {
    if (auto added = link->add(input); !added) return std::unexpected(std::move(added.error()));
  }
  return link->run();
}

std::expected<void, Failure> NvJitLinkCompiler::warm() {
  Request request;
  request.language = Language::ptx;
  request.target = {Target::Kind::nvidiaReal, firstTarget_};
  request.names.source = "kiln_warm_up.ptx";
  request.source = kSmallKernel;
  request.outputs = {OutputKind::cubin};
  auto artifact = compile(request);
  if (artifact) return {};
  return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                 "nvJitLink " + version() +
                                     " does not compile a small kernel of kiln's own: " +
                                     artifact.error().message + ":\n" + artifact.error().log});
}

}  // namespace

LibraryKind libraryKind() { return {.stems = {"libnvJitLink"}, .vendor = &nvidia()}; }

std::expected<std::unique_ptr<Compiler>, Failure> load(const std::filesystem::path& path) {
  auto library = Library::open(path);
  if (!library) return std::unexpected(std::move(library.error()));
  auto first = firstTargetOf(*library);
  if (!first) return std::unexpected(std::move(first.error()));
  return std::make_unique<NvJitLinkCompiler>(*library, std::move(*first));
}

}  // namespace kiln::nvjitlink
