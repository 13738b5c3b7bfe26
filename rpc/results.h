// Outcomes as messages: bytes inline or by descriptor.
#pragma once

#include <cstddef>

#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/service/service.h"
#include "kiln.capnp.h"
#include "rpc/sealed_outputs.h"

namespace kiln {

// Outputs of at least this many bytes go by descriptor to clients that take descriptors.
inline constexpr std::size_t kDescriptorThreshold = 64 * 1024;

// How a client takes the bytes of outputs.
enum class Delivery {
  inlineOnly,
  byDescriptor,  // the large ones; inline all the same where the system has no descriptor left
  withoutBytes,  // size and digest alone
};

// `knownKey`: of the entry whose dependencies the client has, as it sent it; they are left out.
void writeOutcome(schema::Outcome::Builder builder, const Outcome& outcome, Delivery delivery,
                  SealedOutputs& sealed, Bytes knownKey = {});
// An outcome of its own: a request that was refused before anything was looked up.
void writeRefusal(schema::Outcome::Builder builder, const Failure& failure);

}  // namespace kiln
