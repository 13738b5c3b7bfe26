// One client's session: what it may ask for, in the domain that its socket decides.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "frontends/pool/pool.h"
#include "jit/service/executor.h"
#include "jit/service/service.h"
#include "jit/service/toolchains.h"
#include "jit/store.h"
#include "kiln.capnp.h"
#include "rpc/after_replies.h"
#include "rpc/log.h"
#include "rpc/sealed_outputs.h"

namespace kiln {

// A socket, and how it serves.
struct OpenLane {
  std::string socket;  // its path
  std::string domain;
  Lane lane;
};

// What all sessions of a daemon work with; outlives them. Belongs to the event loop's thread.
struct SessionContext {
  CompileService& service;
  Toolchains& toolchains;
  Store& store;
  Executor& executor;
  Log& log;
  std::function<std::vector<CompilerProcessInfo>()> processes;
  std::function<void()> stop;  // asks the daemon to stop; returns at once
  std::string storePath;
  unsigned jobs = 1;
  std::uint64_t maxSourceMegabytes = 64;
  kj::Timer& timer;
  kj::Duration fileTimeout = 30 * kj::SECONDS;  // of one question to a client about its files
  SealedOutputs sealed{};
  AfterReplies afterReplies{};
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  unsigned clients = 0;
  std::vector<OpenLane> lanes{};
  bool stopping = false;
  // Every call that takes time: a connection that is closed from this side drops its calls only in later
  // turns of the event loop, when what they work with may be gone.
  kj::Canceler calls{};
};

// Who is at the other end.
struct Peer {
  unsigned number = 0;  // counted from the daemon's start: tells clients apart in the log
  uid_t user = 0;
  std::string domain;
  Lane lane = Lane::open;
  std::string name = {};  // as the client says
  bool takesDescriptors = false;
};

schema::Session::Client makeSession(SessionContext& context, Peer peer);

}  // namespace kiln
