// An artifact: what a compile yields. An entry: an artifact, or a remembered failure, as stored.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "jit/dependencies.h"
#include "jit/failure.h"
#include "jit/hash.h"
#include "jit/request.h"
#include "jit/resource_usage.h"

namespace kiln {

struct Output {
  OutputKind kind = OutputKind::cubin;
  std::string bytes;
  Sha256 sha256;

  bool operator==(const Output&) const = default;
};

// A name expression and the name under which the binary has it.
struct LoweredName {
  std::string expression;
  std::string lowered;

  bool operator==(const LoweredName&) const = default;
};

struct Artifact {
  std::vector<Output> outputs;  // one for each output the request wants, in its order
  std::string log;              // all that the compiler wrote, byte for byte
  std::vector<LoweredName> loweredNames;
  ResourceUsage resources = {};  // of the outputs that are machine code

  bool operator==(const Artifact&) const = default;
};

// How a compile went, and what it saw.
struct Compiled {
  std::variant<Artifact, Failure> result;
  DependencySet dependencies;
  bool namesBind = false;  // whether the names reached, or may have reached, the output
  double compileMilliseconds = 0;
  // Names what made the compile unfit to be remembered (a failed file question, a limit); empty if it was
  // clean.
  std::string unclean;

  bool operator==(const Compiled&) const = default;
};

// The key of an entry within its domain.
using EntryKey = Hash128;

struct Entry {
  EntryKey key;
  std::string domain;
  Hash128 requestHash;
  Sha256 requestSha256;
  Sha256 toolchainIdentity;
  std::string toolchainName;
  Names names;  // of the client whose compile this was
  bool namesBind = false;
  DependencySet dependencies;
  std::variant<Artifact, Failure> result;
  double compileMilliseconds = 0;
  std::uint64_t createdAt = 0;  // seconds since 1970

  bool operator==(const Entry&) const = default;
};

// What a lookup needs to know of an entry before it reads it.
struct Manifest {
  EntryKey key;
  Sha256 toolchainIdentity;
  std::string toolchainName;
  // namesDigest() of the names, where they bind; zero where they do not.
  Hash128 boundNames;
  DependencySet dependencies;

  bool operator==(const Manifest&) const = default;
};

Manifest manifestOf(const Entry& entry);

// The key: XXH3-128 over domain, toolchain identity, request hash, dependency set and, where they bind,
// names.
EntryKey entryKey(const Entry& entry);

// Dependencies as one digest (each field tagged and delimited), for entries and bundles.
Sha256 dependenciesSha256(const DependencySet& dependencies);
// SHA-256 over the fields of requestHash(), framed the same way.
Sha256 requestSha256(const Request& request);

}  // namespace kiln
