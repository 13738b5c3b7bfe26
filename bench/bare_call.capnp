@0xd4a0b4d6f2f5a1c7;
# The least that a service over Cap'n Proto can be: one call that returns bytes, as kiln returns them.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

interface BareCall {
  get @0 () -> (output :Output);
}

struct Output {
  union {
    inline @0 :Data;
    descriptor @1 :Blob;
  }
}

interface Blob {}
