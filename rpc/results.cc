#include "rpc/results.h"

#include <utility>

#include "jit/log_names.h"
#include "jit/stand_in_source.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

class MemoryBlob final : public schema::Blob::Server {
 public:
  explicit MemoryBlob(SealedOutputs::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  kj::Maybe<int> getFd() override { return descriptor_->get(); }

 private:
  const SealedOutputs::Descriptor descriptor_;
};

void writeOutput(schema::Output::Builder builder, const Output& output, Delivery delivery,
                 SealedOutputs& sealed) {
  convert::writeBesidesBytes(builder, output);
  if (delivery == Delivery::withoutBytes) return;
  if (delivery == Delivery::byDescriptor && output.bytes.size() >= kDescriptorThreshold) {
    if (auto memory = sealed.of(output)) {
      builder.setDescriptor(kj::heap<MemoryBlob>(std::move(memory)));
      return;
    }
  }
  builder.setInline(convert::toData(output.bytes));
}

void writeArtifact(schema::Artifact::Builder builder, const Artifact& artifact, Delivery delivery,
                   SealedOutputs& sealed) {
  auto outputs = builder.initOutputs(artifact.outputs.size());
  for (unsigned i = 0; i < artifact.outputs.size(); ++i)
    writeOutput(outputs[i], artifact.outputs[i], delivery, sealed);
  convert::writeBesidesOutputs(builder, artifact);
}

schema::Outcome::How toSchema(Outcome::How how) {
  switch (how) {
    case Outcome::How::hit:
      return schema::Outcome::How::HIT;
    case Outcome::How::miss:
      return schema::Outcome::How::MISS;
    case Outcome::How::joined:
      break;
  }
  return schema::Outcome::How::JOINED;
}

}  // namespace

void writeOutcome(schema::Outcome::Builder builder, const Outcome& outcome, Delivery delivery,
                  SealedOutputs& sealed, Bytes knownKey) {
  const auto& entry = *outcome.entry;
  builder.setHow(toSchema(outcome.how));
  if (!entry.key.isZero()) builder.setKey(convert::toData(entry.key.view()));
  builder.setToolchain(convert::toText(entry.toolchainName));
  builder.setCompileMs(entry.compileMilliseconds);
  if (!entry.key.isZero() && asText(entry.key.view()) == asText(knownKey)) {
    builder.setDependenciesKnown(true);
  } else {
    convert::write(builder.initDependencies(entry.dependencies.size()), entry.dependencies);
  }
  builder.setMissReason(convert::toText(outcome.missReason));
  builder.setNotRemembered(
      convert::toText(StandInPaths(outcome.names, entry.names).textForAsker(outcome.notRemembered)));
  if (const auto* artifact = std::get_if<Artifact>(&entry.result)) {
    auto written = builder.initArtifact();
    writeArtifact(written, *artifact, delivery, sealed);
    auto log = logUnder(outcome.names, artifact->log, entry.names, entry.dependencies);
    if (log != artifact->log) written.setLog(convert::toData(log));
  } else {
    convert::write(builder.initFailure(), failureUnder(outcome.names, std::get<Failure>(entry.result),
                                                       entry.names, entry.dependencies));
  }
}

void writeRefusal(schema::Outcome::Builder builder, const Failure& failure) {
  builder.setHow(schema::Outcome::How::MISS);
  builder.setMissReason(kNotLookedUp);
  builder.setNotRemembered(kNothingCompiled);
  convert::write(builder.initFailure(), failure);
}

}  // namespace kiln
