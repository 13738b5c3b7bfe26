#include "frontends/request_options.h"

#include <utility>

#include "frontends/hiprtc/options.h"
#include "frontends/nvjitlink/options.h"
#include "frontends/nvrtc/options.h"
#include "frontends/nvrtc/stages.h"

namespace kiln {

namespace {

// Each language is compiled for one vendor's targets.
std::expected<void, Failure> checkVendor(const Request& request) {
  const bool wantsAmd = request.language == Language::hip;
  if (wantsAmd == (request.target.kind == Target::Kind::amd)) return {};
  return std::unexpected(
      Failure{FailureKind::unsupportedTarget,
              "'" + request.names.source + "' is " + std::string(name(request.language)) +
                  ", which is not compiled for " + request.target.name + "; ask for a target such as " +
                  (wantsAmd ? "gfx90a, or say that it is cuda" : "sm_90, or say that it is hip")});
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
  }
  return request;
}

Stages stagesOf(const Request& request) { return nvrtc::stagesOf(request); }

}  // namespace kiln
