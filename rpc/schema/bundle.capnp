@0xb6e1f0d2c95a4a37;
# One kernel of a bundle, compiled: a layer of its OCI image (bundle/bundle.h), a Cap'n Proto message in stream
# framing. Fields are only ever added; a reader of an earlier version refuses what says `version` beyond its own.

using Cxx = import "/capnp/c++.capnp";
using Kiln = import "kiln.capnp";
$Cxx.namespace("kiln::schema");

struct BundledKernel {
  version @0 :UInt32;   # 1
  name @1 :Text;        # for people
  entries @2 :List(BundledEntry);
  identity @3 :Data;    # SHA-256 of what the application asks for, its target aside (bundle/lock.h identityOf)
}

struct BundledEntry {
  # An entry as any domain may have it: without domain and key, which follow, and without the times of its compile.
  request @0 :Kiln.Request;            # whole; `names` as it was compiled
  toolchain @1 :Text;
  toolchainIdentity @2 :Data;          # SHA-256
  dependencies @3 :List(Kiln.Dependency);
  namesBind @4 :Bool;
  union {
    artifact @5 :Kiln.Artifact;        # outputs inline
    failure @6 :Kiln.Failure;          # of a kind that is remembered
  }
}
