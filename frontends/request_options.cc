#include "frontends/request_options.h"

#include <utility>

#include "frontends/nvjitlink/options.h"
#include "frontends/nvrtc/options.h"

namespace kiln {

std::expected<Request, Failure> normalised(Request request) {
  switch (request.language) {
    case Language::cuda:
      return nvrtc::normalised(std::move(request));
    case Language::ptx:
      return nvjitlink::normalised(std::move(request));
  }
  return request;
}

}  // namespace kiln
