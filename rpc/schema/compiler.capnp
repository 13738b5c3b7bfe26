@0x86227a788b97784f;
# The private protocol between kilnd and its kiln-compiler processes: plain Cap'n Proto messages (no RPC) over
# blocking sockets. Both ends are of one build; nothing here needs to stay compatible.
#
# Control socket, kilnd <-> zygote (SOCK_SEQPACKET, one message a packet, flat segment table in front):
#   zygote -> kilnd   ZygoteReport.ready or .failed, once, after the library is loaded and warmed
#   kilnd  -> zygote  CloneOrder, with the child's end of a job socket attached (SCM_RIGHTS)
#   zygote -> kilnd   ZygoteReport.cloned, with the child's pidfd attached, or .cloneFailed
#   kilnd closes its end: the zygote exits.
# Job socket, kilnd <-> child (SOCK_STREAM, capnp stream framing):
#   kilnd -> child    Job, once
#   child -> kilnd    ChildMessage.question, as often as needed; each is answered by one FileReply
#   child -> kilnd    ChildMessage.finished, once; then the child exits

using Cxx = import "/capnp/c++.capnp";
using Kiln = import "kiln.capnp";
$Cxx.namespace("kiln::schema");

struct ZygoteReport {
  union {
    ready @0 :Ready;
    failed @1 :Text;       # why the toolchain cannot be used
    cloned @2 :Cloned;
    cloneFailed @3 :CloneFailed;
  }
  struct Ready { version @0 :Text; targets @1 :List(Text); }  # targets: of --describe alone
  struct Cloned { job @0 :UInt64; processId @1 :UInt32; }
  struct CloneFailed { job @0 :UInt64; message @1 :Text; }
}

struct CloneOrder { job @0 :UInt64; }  # a number of kilnd's own, given back in the report

struct Job { request @0 :Kiln.Request; }

struct ChildMessage {
  union {
    question @0 :FileQuestion;
    finished @1 :Finished;
  }
}

struct FileQuestion {
  kind @0 :Kind;
  path @1 :Text;  # absolute, in the client's view
  enum Kind { look @0; list @1; readLink @2; resolve @3; }
}

struct FileReply {
  answer @0 :Kiln.FileAnswer;
  ahead @1 :List(Kiln.AheadAnswer);  # to looks that may come: for the child to use instead of asking
}

struct Finished {
  dependencies @0 :List(Kiln.Dependency);
  namesBind @1 :Bool;
  compileMs @2 :Float64;
  unclean @3 :Text;   # why the result must not be remembered; empty if it may
  union {
    artifact @4 :Kiln.Artifact;  # outputs inline, digests left empty
    failure @5 :Kiln.Failure;
  }
}
