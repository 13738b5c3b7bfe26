// Between values and messages: the one place where jit/ meets kiln.capnp and compiler.capnp.
//
// read() functions check what they read: sizes of digests, known enum values, UTF-8-free text taken as bytes.
// What a peer got wrong comes back as a Failure (invalidRequest) that names the field. No function keeps a
// reference to a message.
#pragma once

#include <expected>
#include <vector>

#include "jit/artifact.h"
#include "jit/content_stamp.h"
#include "jit/failure.h"
#include "jit/files.h"
#include "jit/request.h"
#include "jit/toolchain.h"
#include "kiln.capnp.h"

namespace kiln::convert {

template <typename T>
using Read = std::expected<T, Failure>;

inline kj::ArrayPtr<const kj::byte> toData(Bytes bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
inline capnp::Data::Reader toData(std::string_view text) { return toData(asBytes(text)); }
inline std::string_view text(capnp::Text::Reader reader) { return {reader.cStr(), reader.size()}; }
inline std::string_view text(capnp::Data::Reader reader) {
  return {reinterpret_cast<const char*>(reader.begin()), reader.size()};
}
inline Bytes bytes(capnp::Data::Reader reader) { return asBytes(text(reader)); }
// capnp::Text wants a terminator behind the text.
inline capnp::Text::Reader toText(const std::string& text) { return {text.c_str(), text.size()}; }

void write(schema::Names::Builder builder, const Names& names);
Names read(schema::Names::Reader reader);

// Does not check against a toolchain; checks everything else: language, target, outputs (those of the target
// by default), headers without a name or given twice, further inputs (of ptx alone, with a name each), the
// virtual architecture (of cuda alone).
void write(schema::Request::Builder builder, const Request& request);
Read<Request> read(schema::Request::Reader reader);

void write(schema::Failure::Builder builder, const Failure& failure);
Failure read(schema::Failure::Reader reader);

void write(capnp::List<schema::Dependency>::Builder builder, const DependencySet& dependencies);
Read<DependencySet> read(capnp::List<schema::Dependency>::Reader reader);

// Outputs inline, digests as they are (empty where zero).
void write(schema::Artifact::Builder builder, const Artifact& artifact);
// The same in two parts, for who sends bytes another way: all but the outputs; of one output all but its
// bytes.
void writeBesidesOutputs(schema::Artifact::Builder builder, const Artifact& artifact);
void writeBesidesBytes(schema::Output::Builder builder, const Output& output);
// Inline outputs only; one that comes by descriptor is left without bytes for the caller to fill.
Read<Artifact> read(schema::Artifact::Reader reader);

void write(schema::ResourceUsage::Builder builder, const ResourceUsage& usage);
// Leaves out the figures of resources that this version does not know.
ResourceUsage read(schema::ResourceUsage::Reader reader);

void write(schema::FileAnswer::Builder builder, const FileAnswer& answer);
// An answer of a kind that this version does not know reads as failed.
FileAnswer read(schema::FileAnswer::Reader reader);

void write(capnp::List<schema::AheadAnswer>::Builder builder, const std::vector<AheadAnswer>& answers);
// Leaves out what is no answer to a look, or none that can be given ahead.
std::vector<AheadAnswer> read(capnp::List<schema::AheadAnswer>::Reader reader);

void write(capnp::List<schema::KnownContent>::Builder builder, const std::vector<KnownContent>& digests);
// Leaves out those whose digest is none.
std::vector<KnownContent> read(capnp::List<schema::KnownContent>::Reader reader);

void write(schema::Toolchain::Builder builder, const Toolchain& toolchain);
Read<Toolchain> read(schema::Toolchain::Reader reader);

}  // namespace kiln::convert
