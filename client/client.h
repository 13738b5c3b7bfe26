// libkiln's inside, in C++: what the C ABI (kiln.h) and the command line stand on.
//
// A Client has one connection, served by whichever of the threads that wait for it (client/shared_loop.h);
// hashing happens in the calling thread, files are read by a small pool of its own. Calls from many threads
// run at once. After a fork the child starts afresh: its first call makes a new connection. A lost connection
// is made again by the next call; a call that was under way is sent once more if it had reached no daemon or
// the daemon went away.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/file_view.h"
#include "jit/artifact.h"
#include "jit/bundle_record.h"
#include "jit/failure.h"
#include "jit/request.h"
#include "jit/store.h"
#include "jit/toolchain.h"

namespace kiln::client {

// Why no answer came: not a Failure of the request but of reaching kilnd. The message says what to do.
struct Unreachable {
  std::string message;
};

template <typename T>
using Reached = std::expected<T, Unreachable>;

struct ClientOptions {
  std::string socket;  // path; empty: KILN_SOCKET, else the default (defaultSocket())
  std::string name;    // for the daemon's log: program and version
  std::vector<std::string> allowedDirectories;  // files below these may be read too, for any request
  bool takesDescriptors = true;
  std::chrono::milliseconds connectTimeout{5'000};
};

struct CompileOptions {
  std::string toolchain;  // "nvrtc 13.0", "nvrtc" or empty: the newest
  Priority priority = Priority::normal;
  std::chrono::milliseconds timeout{0};  // of the compile; 0: the daemon's limit
};

// One output's bytes: owned memory, or a mapped descriptor. Values of it share one buffer; thread-safe.
class OutputBytes {
 public:
  [[nodiscard]] const std::byte* data() const;
  [[nodiscard]] std::size_t size() const;
  static OutputBytes fromString(std::string bytes);
  // Maps a sealed memfd of `size` bytes read-only; takes the descriptor. Nothing if it cannot be mapped
  // whole.
  static std::optional<OutputBytes> fromDescriptor(int descriptor, std::size_t size);

 private:
  struct Buffer;
  std::shared_ptr<const Buffer> buffer_;
};

struct OutputReply {
  OutputKind kind;
  Sha256 sha256;
  OutputBytes bytes;
};

// What came of a request that reached the daemon (or was refused before, with the key empty).
struct Reply {
  enum class How : std::uint8_t { hit, miss, joined } how = How::miss;
  std::string key;  // hexadecimal; empty if nothing was remembered
  std::string toolchain;
  double compileMilliseconds = 0;
  double totalMilliseconds = 0;  // as the caller saw it
  std::vector<OutputReply> outputs;
  std::string log;
  std::vector<LoweredName> loweredNames;
  ResourceUsage resources;
  // Never null.
  std::shared_ptr<const DependencySet> dependencies = std::make_shared<const DependencySet>();
  std::string missReason;
  std::string notRemembered;
  std::optional<Failure> failure;  // then outputs are empty; the log is in `log` too
};

struct ToolchainReply {
  Toolchain toolchain;
  bool isDefault = false;
  bool isFromBundle = false;  // nothing on the node compiles with it
};

// A bundle that is to be brought to kilnd: the manifest of its image, the index, and its layers in portions.
class BundleSource {
 public:
  virtual ~BundleSource() = default;

  [[nodiscard]] virtual std::string name() const = 0;  // what its file is called
  [[nodiscard]] virtual std::string_view manifest() const = 0;
  [[nodiscard]] virtual std::string_view index() const = 0;
  [[nodiscard]] virtual std::size_t portions() const = 0;
  // The layers of one, which kilnd verifies, or why they cannot be read, which ends it. Called once for each,
  // on several threads at once; where kilnd goes away a call may go on after warm() has returned.
  virtual std::expected<std::vector<std::string>, std::string> read(std::size_t portion) = 0;
  // kilnd has taken the portion. Of this and the next one call at a time, and none after warm() has returned.
  virtual void onTaken(std::size_t portion) = 0;
  // kilnd has taken all and is asked to let it be found: until here the call has brought nothing, and if no
  // answer comes from here on, nobody knows.
  virtual void onCommit() = 0;
};

struct WarmReply {
  bool wasThere = false;  // before: nothing was done
  BundleRecord bundle = {};
  std::string problem = {};  // why it is not there now; empty if it is
  // The problem is that a portion could not be read, and none of kilnd's.
  bool isUnreadable = false;
  std::optional<std::size_t> refused = {};  // the portion that kilnd's problem is with, if it is with one
};

struct RemovedReply {
  bool found = false;
  std::string problem = {};
};

struct LaneReply {
  std::string socket;
  std::string domain;
  std::string lane;  // "open", "locked"; "unknown" if only a later version knows it
};

struct StatsReply {
  std::uint64_t hits = 0, misses = 0, joined = 0, compiles = 0;
  std::vector<std::pair<FailureKind, std::uint64_t>> failures;
  double compileMilliseconds = 0, savedMilliseconds = 0;
  std::uint64_t entries = 0, bytes = 0, corruptEntries = 0;
};

struct StatusReply {
  struct CompilerProcess {
    std::uint32_t processId;
    std::string toolchain;
    std::string role;  // "zygote", "spare" or "compile"; "unknown" if only a later version knows it
  };
  std::string version, domain, lane, store, socket;
  std::uint32_t processId = 0, clients = 0, running = 0, queued = 0, jobs = 0;
  double uptimeMilliseconds = 0;
  bool stopping = false;
  std::vector<CompilerProcess> compilers;
};

// One entry, outputs without bytes.
struct ShowReply {
  EntrySummary summary;
  Reply reply;  // how, key, toolchain, log, names, dependencies, failure
  // Beside the digests in reply.outputs, in its order.
  std::vector<std::pair<OutputKind, std::uint64_t>> outputSizes;
  Request request;  // without the source and further inputs
  Sha256 sourceSha256, requestSha256, toolchainIdentity;
  std::vector<Sha256> inputSha256;  // of the further inputs, in order
  Hash128 requestHash;
  bool namesBind = false;
};

// Thread-safe; every call blocks until its answer is there. Destroying it cancels calls of other threads,
// which is the caller's mistake, safely.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Options may hold include directories (-I) and the target (-arch): they are taken out, or refused where
  // they contradict the request. Expected failures of the request are in the reply. `files` is what the
  // compiler is told of files: null, the file system, within the request's directories and what is allowed
  // besides.
  Reached<Reply> compile(Request request, const CompileOptions& options,
                         std::shared_ptr<const FileView> files = nullptr);

  // The same without compiling: a miss is a reply with its reason and nothing else. For a request that is
  // carried out in stages, each of them is to be looked up by itself.
  Reached<Reply> lookUp(Request request, const CompileOptions& options,
                        std::shared_ptr<const FileView> files = nullptr);

  // Tells kilnd that a driver refuses the bytes of `sha256`, an output of the entry `key`, with what it says.
  // Whether a compile may give others now.
  Reached<bool> reportRefused(const std::string& key, const Sha256& sha256, const std::string& message);

  // `Scan::always`: kilnd looks for toolchains once more before it answers.
  enum class Scan : std::uint8_t { ifChanged, always };
  Reached<std::vector<ToolchainReply>> toolchains(Scan scan = Scan::ifChanged);
  Reached<StatsReply> stats();
  Reached<StatusReply> status();
  Reached<std::vector<EntrySummary>> list();
  // `keyPrefix` in hexadecimal. Nothing if no entry, or more than one, begins so.
  Reached<std::optional<ShowReply>> show(const std::string& keyPrefix);
  // Brings a bundle into the store of kilnd, for this client's domain, all or nothing.
  Reached<WarmReply> warm(const std::shared_ptr<BundleSource>& source);
  // Those that are there, in order of name.
  Reached<std::vector<BundleRecord>> bundles();
  // Why it is not gone, or that there was none, is in the reply.
  Reached<RemovedReply> removeBundle(const Sha256& digest);
  Reached<std::vector<LaneReply>> lanes();
  // Returns when the daemon has closed the connection.
  Reached<void> stop();

  [[nodiscard]] const std::string& socket() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// $XDG_RUNTIME_DIR/kiln/kilnd.sock, or /run/kiln/kilnd.sock where that is not set: kilnd's own default too.
std::string defaultSocket();

}  // namespace kiln::client
