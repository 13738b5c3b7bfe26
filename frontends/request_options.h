// What is made of a request's options before it is hashed: a pure function of text, so that libkiln and kilnd
// agree without either loading a compiler.
#pragma once

#include <expected>
#include <optional>

#include "jit/failure.h"
#include "jit/request.h"
#include "jit/stages.h"

namespace kiln {

// The request in its language's normal form, as the options.h of its frontend has it. Failure: what that
// form refuses, and a target of another vendor than the language is for.
std::expected<Request, Failure> normalised(Request request);

// What a request in normal form is carried out as, if not as it is.
std::optional<Stages> stagesOf(const Request& request);

}  // namespace kiln
