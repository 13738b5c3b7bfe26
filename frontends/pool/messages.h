// Between values and the messages of compiler.capnp, on kilnd's side. What a child sends is not trusted: it
// ran the client's source.
#pragma once

#include <expected>
#include <string>

#include "compiler.capnp.h"
#include "jit/artifact.h"
#include "jit/files.h"
#include "jit/request.h"

namespace kiln {

// What is wrong with a message, as the end of a sentence.
struct Malformed {
  std::string what;
};

std::expected<FileQuestion, Malformed> readQuestion(schema::FileQuestion::Reader reader);

// Checks that an artifact has exactly the outputs that `request` wants, and puts the dependencies in order.
std::expected<Compiled, Malformed> readFinished(schema::Finished::Reader reader, const Request& request);

}  // namespace kiln
