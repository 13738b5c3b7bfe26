@0xd1c0cf5f9a3b7e21;
# What libkiln writes where KILN_RECORD names a folder, and `kiln record` makes a lock file of. The two may be of
# different versions: fields are only ever added.
#
# The folder:
#   requests/<xxh3>.kreq   one RecordedRequest, a Cap'n Proto message in stream framing; named by its own bytes
#   content/<xxh3>         the content of a file that one depends on; of a listing, a link or a resolved path the text
#                          that its digest covers (jit/dependencies.h)
#   incomplete             there, and empty, if some process could not write down one of its requests
# where <xxh3> is the hexadecimal XXH3-128 of the file's bytes. Files appear whole (by rename), and equal ones are one; a
# name with something behind it is what a process was writing when it was killed. libkiln makes requests and content,
# and never the folder itself: it may have been removed, and its name be anyone's.

using Cxx = import "/capnp/c++.capnp";
using Kiln = import "kiln.capnp";
$Cxx.namespace("kiln::schema");

struct RecordedRequest {
  request @0 :Kiln.Request;    # in normal form, whole
  toolchain @1 :Text;          # as the caller named it; empty: the newest
  servedBy @2 :Text;           # the toolchain's full name: "nvrtc 13.0"
  failure @3 :UInt16;          # jit/failure.h FailureKind that came of it; 0: an artifact
  kernels @4 :List(Text);      # in the binary, as far as its metadata tells
  dependencies @5 :List(Kiln.Dependency);
  problem @6 :Text;            # why it cannot be built from this recording; empty if it can
}
