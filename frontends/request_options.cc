#include "frontends/request_options.h"

#include <utility>

#include "frontends/hiprtc/options.h"
#include "frontends/ir_options.h"
#include "frontends/llvm/options.h"
#include "frontends/mlir/options.h"
#include "frontends/nvjitlink/options.h"
#include "frontends/nvrtc/options.h"
#include "frontends/nvrtc/stages.h"

namespace kiln {

namespace {

bool isIr(Language language) { return language == Language::llvmIr || language == Language::mlir; }

// A request whose options have but one form.
std::expected<Request, Failure> asItIs(Request request,
                                       std::expected<void, Failure> (*check)(const Request&)) {
  if (auto checked = check(request); !checked) return std::unexpected(std::move(checked.error()));
  return request;
}

// The rest of "ask for a target such as".
std::string alternativeTo(const Request& request) {
  const std::string usual = request.language == Language::hip ? "gfx90a" : "sm_90";
  if (request.target.kind == Target::Kind::host)
    return usual + ", or say that it is llvm-ir or mlir if it is that";
  if (request.language == Language::cuda) return usual + ", or say that it is hip";
  return request.language == Language::hip ? usual + ", or say that it is cuda" : usual;
}

// LLVM IR and MLIR are compiled for every target, each other language for one vendor's.
std::expected<void, Failure> checkVendor(const Request& request) {
  if (isIr(request.language)) return {};
  const bool wantsAmd = request.language == Language::hip;
  const bool isHost = request.target.kind == Target::Kind::host;
  if (!isHost && wantsAmd == (request.target.kind == Target::Kind::amd)) return {};
  return std::unexpected(Failure{FailureKind::unsupportedTarget,
                                 "'" + request.names.source + "' is " + std::string(name(request.language)) +
                                     ", which is not compiled for " + shortName(request.target) +
                                     "; ask for a target such as " + alternativeTo(request)});
}

}  // namespace

std::expected<Request, Failure> normalised(Request request) {
  if (auto checked = checkVendor(request); !checked) return std::unexpected(std::move(checked.error()));
  switch (request.language) {
    case Language::cuda:
      return nvrtc::normalised(std::move(request));
    case Language::hip:
      return hiprtc::normalised(std::move(request));
    case Language::ptx:
      return nvjitlink::normalised(std::move(request));
    case Language::llvmIr:
      return asItIs(std::move(request), llvmir::checkOptions);
    case Language::mlir:
      return asItIs(std::move(request), mlirir::checkOptions);
  }
  return request;
}

std::optional<Stages> stagesOf(const Request& request) {
  if (isIr(request.language)) return irStagesOf(request);
  if (!request.virtualArchitecture) return std::nullopt;
  return nvrtc::stagesOf(request);
}

}  // namespace kiln
