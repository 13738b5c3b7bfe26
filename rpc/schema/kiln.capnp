@0x89d6e011f671d790;
# kiln's public protocol, spoken over a Unix stream socket as Cap'n Proto RPC (two-party, level 1).
#
# The model
# ---------
# kiln compiles kernels once per node and keeps them. A client hands in a `Request`: source, options, a target, all
# that the caller chose and that may change the output. A toolchain (one compiler on the daemon's node, known by the
# digest of its bytes) turns it into an `Artifact`: binaries, the compiler's log, lowered names. What the daemon
# keeps is an entry: an artifact, or a failure that would come again, together with its dependencies: every file the
# compiler read while it compiled, and every one it looked for and did not find.
#
# A client connects to a socket; the socket decides its domain, and nothing it sends can change what a client of
# another domain gets. The socket decides the lane too: the locked one serves what bundles have brought and compiles
# nothing; a miss is the failure not_pinned. The bootstrap capability is `Kiln`. `connect` gives a `Session`, the only
# thing with work to do:
#
#   lookup   asks by request hash. The source does not travel. A hit carries the artifact; a miss says why.
#   compile  sends the request. The daemon looks once more, joins a compile of the same request that is running,
#            or compiles. It never compiles one request twice at a time.
#
# A client that has its hash calls `lookup`, and on a miss `compile`; `compile` alone is right too. Calls on one
# connection run at the same time and are answered in any order.
#
# The client's files
# ------------------
# The daemon reads no file of the client by itself: the two may see different file systems. Beside each call the
# client hands in a `FileSource`, a capability of its own, through which the daemon asks for what the compiler asks
# for (`look`, `list`, `readLink`, `resolve`), and for the digests of what an entry depends on (`digests`): an entry
# is a hit only if each of its dependencies is the same in the asking client's view, absent files still absent. All
# paths are absolute and in that view; symbolic links and ".." are the client's to follow. What the client does not
# want to show it answers as `denied`. A `FileSource` is asked until its call is answered, and not afterwards.
#
# A dependency names a file by its role: "cub/cub.cuh in include directory 2". So an entry that was made under one
# tree is found again under another.
#
# Hashes and keys
# ---------------
# The request hash is XXH3-128 over the fields of `Request`, `names` excepted (jit/request_hash.h gives the
# encoding, independent of this schema's). A client that cannot compute it sends an empty hash, says so by
# `requestHashVersion` 0, and calls `compile` alone. A hash that is sent must match the request. An entry's key, 16
# bytes, covers the request hash, the toolchain, the dependencies and, where they can reach the output, the names.
#
# Outcomes
# --------
# What came of a call is a value: an `Outcome`, which is an artifact, or a `Failure` with a stable number. RPC
# exceptions mean that the connection or the daemon broke, or that the call itself made no sense.
#
# Binaries come inline when they are small (below 64 KiB). A client that said `takesDescriptors` gets larger ones as
# a sealed memfd: the `Blob` capability carries the descriptor. A client that did not gets them inline always. The
# client's end has to accept one descriptor for each output of a request.
#
# A call is cancelled by dropping its promise. A compile that nobody waits for any more is killed.
#
# How this schema evolves
# -----------------------
# Fields and methods are only ever added, with the next number; none is removed, renumbered or given a new type.
# A reader must accept enum values that it does not know. The values of enums are those of the C++ enums in jit/
# where they are given as numbers (UInt16), so that storing and sending agree. A change in what a field means is a
# new field. `protocolVersion` is raised only when a client of the old kind would be misled; daemon and client of
# different versions refuse each other in `connect`. `requestHashVersion` is raised with every change of the request
# hash; a client of another one may still connect as one that sends no hash (0).

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kiln::schema");

const protocolVersion :UInt32 = 1;

interface Kiln {
  connect @0 (client :ClientInfo) -> (daemon :DaemonInfo, session :Session);
  # Fails as an exception, naming both versions, if the two cannot work together.
}

struct ClientInfo {
  protocolVersion @0 :UInt32;
  requestHashVersion @1 :UInt32;  # 0: this client never sends a hash
  name @2 :Text;                  # for logs: program and version
  takesDescriptors @3 :Bool;
}

struct DaemonInfo {
  protocolVersion @0 :UInt32;
  requestHashVersion @1 :UInt32;
  version @2 :Text;
  domain @3 :Text;
}

interface Session {
  lookup @0 (hash :Data, names :Names, toolchain :Text, files :FileSource,
             knownKey :Data, request :Request) -> (result :LookupResult);
  # `hash` is 16 bytes. `toolchain` is a name ("nvrtc 13.0"), a frontend ("nvrtc") or empty: the newest. `knownKey` is
  # the key of an entry whose dependencies the client still has, or empty: if that is the one, they are left out.
  # Without `files` nothing is found that depended on any. `request` is for who wants to know and not to compile: with it
  # a miss says what differs from the nearest request, and a hit is no use of the entry: it is neither counted nor logged.

  compile @1 (request :Request, hash :Data, toolchain :Text, priority :Priority, timeoutMs :UInt32,
              files :FileSource) -> (outcome :Outcome);
  # `timeoutMs` bounds the compile itself, each of two stages; 0, or more than the daemon's own limit, means the
  # daemon's limit.

  toolchains @2 (rescan :Bool) -> (toolchains :List(Toolchain));
  # All compilers that the daemon found, in the order in which it looks for them, those that cannot be used with the
  # reason; and behind them those that are known from this domain's bundles alone. The daemon notices by itself when
  # files of these change; where `rescan` is set it looks everywhere once more, and tries again what could not be used,
  # before it answers.

  list @3 (after :Data, limit :UInt32) -> (entries :List(EntrySummary));
  # Entries of this domain in order of key, from the first behind `after` (empty: from the start), at most `limit`
  # and never more than 1000 at once. A page shorter than that is the last.
  show @4 (key :Data) -> (found :Bool, entry :Entry);
  # `key` may be the first bytes of a key that no other entry of the domain shares.
  stats @5 () -> (stats :Stats);
  # Counts are those of this domain since the daemon started; `entries`, `bytes` and `corruptEntries` are those of the
  # whole store.
  status @6 () -> (status :Status);
  stop @7 () -> ();
  # Finishes running compiles within the configured limit, then ends the daemon. Only for the daemon's own user
  # and root; an exception for others.

  reportRefused @8 (key :Data, sha256 :Data, message :Text) -> (compileAgain :Bool);
  # A driver refuses an output of the entry `key`, of which `sha256` are the bytes, and says `message`. The entry is set
  # aside, so that the next one who asks compiles it anew; but once only: bytes that come out as they were are kept.
  # `compileAgain`: there are, or may be, other bytes now. Of this domain's entries, as everything else here.

  warm @9 (name :Text, manifest :Data, index :Data)
      -> (problem :Text, isThere :Bool, bundle :Bundle, warming :Warming);
  # Begins to bring a bundle (bundle/bundle.h) into the store, for this domain. `name` is what its file is called,
  # `manifest` the manifest of its OCI image and `index` the image's config, byte for byte. `isThere`: it is there
  # already, as `bundle`, and nothing is to be done. `problem`, if there is one, says why it is not taken; then there is
  # no `warming`. Only for the daemon's own user and root, as `removeBundle` is; that is the problem of others.

  bundles @10 () -> (bundles :List(Bundle));
  # Those of this domain, in order of name.
  removeBundle @11 (digest :Data) -> (problem :Text, found :Bool);
  # Forgets what it brought and no other bundle has. `problem`: it is not removed.
  lanes @12 () -> (lanes :List(Lane));
  # The sockets of the daemon, and how each serves.
}

interface Warming {
  # Until `commit` has succeeded nothing of the bundle is found, and without it nothing of it is left. Calls may be made
  # before the answer to the one before is there, `commit` excepted.

  add @0 (layers :List(Data)) -> (problem :Text);
  # Layers of the image that the manifest names, byte for byte, in whatever order.
  commit @1 () -> (problem :Text, bundle :Bundle);
  # All layers that the index names have been added. `problem`: nothing of it is there. Without an answer, and with an
  # exception for one, it may be there: `warm` tells.
}

struct Bundle {
  digest @0 :Data;      # SHA-256 of the manifest
  name @1 :Text;
  warmedAt @2 :UInt64;  # seconds since 1970
  entries @3 :UInt64;
  bytes @4 :UInt64;     # of all their outputs
  toolchains @5 :List(Toolchain);  # that compiled them
}

struct Lane {
  socket @0 :Text;
  domain @1 :Text;
  lane @2 :UInt16;  # jit/lane.h: 0 open, 1 locked
}

enum Priority { normal @0; interactive @1; background @2; }

struct Request {
  language @0 :UInt16;               # jit/request.h Language: 1 cuda, 2 hip, 3 ptx, 4 llvm-ir, 5 mlir
  target @1 :Text;                   # "sm_90a", "gfx90a:xnack-", "x86-64-v3"; never "host"
  source @2 :Data;                   # the text, no terminator
  names @3 :Names;
  headers @4 :List(Header);          # found by the compiler under exactly these names
  options @5 :List(Text);            # verbatim, in order; no include directories, no target
  nameExpressions @6 :List(Text);
  outputs @7 :List(UInt16);          # jit/request.h OutputKind: 1 cubin, 2 ptx, 3 ltoir, 4 hsaco, 5 bitcode,
                                     # 6 shared-object; empty: the target's usual one
  timestamp @8 :UInt64;              # what time() tells the compiler, seconds since 1970
  inputs @9 :List(Data);             # ptx: PTX or LTO IR to be linked with the source, behind it and in this order
  virtualArchitecture @10 :Text;     # cuda: "compute_80", for which PTX is generated, and kept; that is linked for the
                                     # target. Empty: compiled for the target in one. `lookup` finds no such request:
                                     # `compile` looks up each of the two stages
}

struct Names {
  # What the client calls things. Outside the hash; part of an entry's key only where they can reach the output.
  source @0 :Text;                   # as the compiler is to be told; relative to workingDirectory or absolute
  workingDirectory @1 :Text;         # absolute
  includeDirectories @2 :List(Text); # in search order
  temporaryDirectory @3 :Text;
  # Absolute. A source named below it has a random name: where names reach the output it is compiled under a stand-in,
  # "/kiln-source/<request hash>.cu", so that every such asker is served by one entry. Empty: there is no such place.
  inputs @4 :List(Text);             # of Request.inputs, one each: logs alone show them, and no key covers them
}

struct Header { name @0 :Text; content @1 :Data; }

struct LookupResult {
  union {
    hit @0 :Outcome;
    miss @1 :Text;        # why, for a person: "never seen", or what differs from the nearest entry
    failure @2 :Failure;  # no such toolchain, or the files could not be asked after
  }
}

struct Outcome {
  how @0 :How;
  key @1 :Data;            # of the entry, 16 bytes; empty if nothing was remembered
  toolchain @2 :Text;
  compileMs @3 :Float64;   # what the compile took when it was done
  dependencies @4 :List(Dependency);
  missReason @5 :Text;     # why it was no hit; empty on a hit
  notRemembered @6 :Text;  # why the result is not kept for the next asker; empty if it is
  union {
    artifact @7 :Artifact;
    failure @8 :Failure;
  }
  dependenciesKnown @9 :Bool;  # `dependencies` are left out: the client has them (`knownKey`)

  enum How { hit @0; miss @1; joined @2; }
  # joined: another client's compile of the same request was running, and its result is right for this client too.
}

struct Failure {
  kind @0 :UInt16;   # jit/failure.h FailureKind
  message @1 :Text;
  log @2 :Data;      # what the compiler wrote, byte for byte
}

struct Artifact {
  outputs @0 :List(Output);
  log @1 :Data;
  loweredNames @2 :List(LoweredName);
  resources @3 :ResourceUsage;
}

struct ResourceUsage {
  # What the kernels of the outputs that are machine code need of the machine, as their own metadata tells.
  kernels @0 :List(KernelResources);  # in the binary's order
  problem @1 :Text;                   # why the metadata could not be read; empty if it could

  struct KernelResources {
    kernel @0 :Text;                  # its name in the binary
    figures @1 :List(Figure);         # what the binary does not tell is not there
  }
  struct Figure {
    resource @0 :UInt16;              # jit/resource_usage.h Resource, which says what each is
    amount @1 :UInt32;
  }
}

struct Output {
  kind @0 :UInt16;
  size @1 :UInt64;
  sha256 @2 :Data;
  union {
    inline @3 :Data;
    descriptor @4 :Blob;
  }
}

interface Blob {
  # A capability with a file descriptor attached: a sealed memfd that holds exactly the output's bytes.
  # Several clients may have the same one: map it, or read at offsets; its own offset is everybody's.
}

struct LoweredName { expression @0 :Text; lowered @1 :Text; }

struct Dependency {
  role @0 :UInt8;         # jit/role_path.h FileRole: 1 include directory, 2 source directory, 3 working directory, 4 absolute
  index @1 :UInt32;
  path @2 :Text;
  kind @3 :UInt8;         # jit/dependencies.h FileKind: 1 absent, 2 file, 3 directory, 4 listing, 5 link, 6 resolved, 7 other
  size @4 :UInt64;
  xxh3 @5 :Data;
  sha256 @6 :Data;
  fileNumber @7 :UInt32;  # dependencies with equal numbers are one file
}

interface FileSource {
  # What the client allows the daemon to see of its files. Answers come in the order of the questions. An answer
  # never fails as an exception for a reason that concerns one path.

  look @0 (paths :List(Text), aheadLimit :UInt32) -> (answers :List(FileAnswer), ahead :List(AheadAnswer));
  # What is there, symbolic links followed; the content of regular files included. `ahead` holds answers to looks
  # that the client expects next, so that they need not be asked: a guess, which decides nothing but the time that a
  # compile takes, and may be empty. Its content has at most `aheadLimit` bytes, unless it is a single answer; where
  # the limit is 0 there is none. What could not be answered truthfully (`denied`, `failed`) is never in it. With no
  # paths it goes on from where the last answer stopped.
  digests @1 (paths :List(DigestQuestion)) -> (digests :List(FileDigest));
  # What an entry depends on, without content.
  fingerprint @5 (list :Data, questions :List(DigestQuestion), hints :List(KnownContent))
      -> (isKnown :Bool, fingerprint :Data, read :List(KnownContent));
  # The digests of a whole list of questions as one (jit/question_list.h says how it is made). `list` is the digest of
  # the questions: a client keeps the lists that it was asked, so that they come once. Without questions, for a list
  # that it does not have, it answers that it is not known. A client that does not implement this is asked for
  # `digests`. `read` are the digests of files that the client had to read for this; the daemon hands them to the next
  # client of the same user as `hints`, so that a file whose stamp is still the same need not be read by every process.
  list @2 (path :Text) -> (answer :FileAnswer);      # the names in a directory: `listing`
  readLink @3 (path :Text) -> (answer :FileAnswer);  # the text of a symbolic link: `text`
  resolve @4 (path :Text) -> (answer :FileAnswer);   # the path without links, "." and "..": `text`
}

struct FileAnswer {
  identity @0 :UInt64;       # files and directories: equal for one file, different for two, while the client runs
  size @1 :UInt64;
  union {
    absent @2 :Text;         # nothing is there; the shallowest directory of the path that is missing, or the path
    file @3 :Data;           # a regular file: its content
    directory @4 :Void;
    other @5 :Text;          # a FIFO, a socket, a device: which
    denied @6 :Text;         # the client does not allow it: the reason, and how to allow it
    failed @7 :FileError;    # the file system said no
    listing @8 :List(Text);  # names, without "." and ".."
    text @9 :Text;
  }
}

struct AheadAnswer {
  path @0 :Text;
  answer @1 :FileAnswer;  # absent, file, directory or other
}

struct FileError { number @0 :Int32; message @1 :Text; }  # errno and its text

struct DigestQuestion {
  path @0 :Text;
  kind @1 :UInt8;  # the FileKind that the entry has: which of the methods above its digest is of
}

struct KnownContent {
  # The digest of a file by what its file system said of it (jit/content_stamp.h).
  device @0 :UInt64;
  inode @1 :UInt64;
  size @2 :UInt64;
  modified @3 :Int64;  # nanoseconds since 1970
  changed @4 :Int64;
  xxh3 @5 :Data;
}

struct FileDigest {
  kind @0 :UInt8;      # FileKind as it is now; 0 if the question could not be answered, which agrees with nothing
  size @1 :UInt64;
  xxh3 @2 :Data;       # XXH3-128 of the content, the text, or the sorted names each ended by NUL
  identity @3 :UInt64;
}

struct Toolchain {
  name @0 :Text;
  frontend @1 :Text;
  version @2 :Text;
  library @3 :Text;
  language @4 :UInt16;
  identity @5 :Data;        # SHA-256
  targets @6 :List(Text);
  problem @7 :Text;         # why it cannot be used; empty if it can
  isDefault @8 :Bool;       # chosen for its language when a request names none
  isFromBundle @9 :Bool;    # nothing on this node compiles with it: bundles have brought what it compiled. No library
}

struct EntrySummary {
  key @0 :Data;
  sourceName @1 :Text;
  target @2 :Text;
  toolchain @3 :Text;
  failure @4 :UInt16;     # FailureKind; 0: an artifact
  bytes @5 :UInt64;       # of all outputs
  compileMs @6 :Float64;
  createdAt @7 :UInt64;   # seconds since 1970
}

struct Entry {
  summary @0 :EntrySummary;
  outcome @1 :Outcome;       # outputs without their bytes: size and digest alone, `inline` empty
  request @2 :Request;       # without the source's bytes, and without further inputs
  sourceSha256 @3 :Data;
  requestHash @4 :Data;
  requestSha256 @5 :Data;
  toolchainIdentity @6 :Data;
  namesBind @7 :Bool;
  inputSha256 @8 :List(Data);  # of the request's further inputs, in order
}

struct Stats {
  hits @0 :UInt64;
  misses @1 :UInt64;             # compiles that were started because no entry fitted
  joined @2 :UInt64;
  compiles @3 :UInt64;           # compiles that ran, whatever came of them
  failures @4 :List(FailureCount);
  compileMs @5 :Float64;         # all compiles together
  savedMs @6 :Float64;           # what hits and joins did not have to compile again
  entries @7 :UInt64;
  bytes @8 :UInt64;              # of the store
  corruptEntries @9 :UInt64;

  struct FailureCount { kind @0 :UInt16; count @1 :UInt64; }
}

struct Status {
  version @0 :Text;
  processId @1 :UInt32;
  uptimeMs @2 :UInt64;
  domain @3 :Text;
  store @4 :Text;
  clients @5 :UInt32;
  running @6 :UInt32;            # compiles
  queued @7 :UInt32;
  jobs @8 :UInt32;               # how many may run at once
  compilers @9 :List(CompilerProcess);
  stopping @10 :Bool;
  lane @11 :UInt16;              # of the socket that is asked

  struct CompilerProcess {
    processId @0 :UInt32;
    toolchain @1 :Text;
    isZygote @2 :Bool;  # as `role` says, for clients that do not know it
    role @3 :CompilerRole;
  }
  enum CompilerRole { zygote @0; spare @1; compile @2; }  # spare: waits for the next compile
}
