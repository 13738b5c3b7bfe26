#include "client/client.h"

#include <kj/debug.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "client/compile_call.h"
#include "client/file_reader.h"
#include "client/recorder.h"
#include "client/replies.h"
#include "client/runtime.h"
#include "client/warm_call.h"
#include "jit/role_path.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

constexpr unsigned kEntriesPerPage = 1'000;

std::string workingDirectory() {
  std::unique_ptr<char, decltype(&std::free)> path(::getcwd(nullptr, 0), &std::free);
  return path ? path.get() : "/";
}

// Where this process's temporary files go, by the convention of mkstemp()'s users.
std::string temporaryDirectory() {
  const char* named = std::getenv("TMPDIR");
  return named != nullptr && *named == '/' ? named : "/tmp";
}

ClientOptions completed(ClientOptions options) {
  if (options.socket.empty()) {
    const char* named = std::getenv("KILN_SOCKET");
    options.socket = named != nullptr && *named != '\0' ? named : defaultSocket();
  }
  for (auto& directory : options.allowedDirectories) directory = absolutePath(directory, workingDirectory());
  return options;
}

// The first `digits / 2` bytes of a key. Nothing unless `hex` is an even number of hexadecimal digits, at
// most a key's.
std::optional<std::string> keyBytes(const std::string& hex) {
  if (hex.empty() || hex.size() % 2 != 0 || hex.size() > 2 * EntryKey::kSize) return std::nullopt;
  auto padded = EntryKey::fromHex(hex + std::string(2 * EntryKey::kSize - hex.size(), '0'));
  if (!padded) return std::nullopt;
  return std::string(asText(padded->view()).substr(0, hex.size() / 2));
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientOptions given) : options(completed(std::move(given))) {}
  ~Impl() {
    if (auto* runtime = ofThisProcess()) delete runtime;
  }

  void close() {
    closed_ = true;
    if (auto* runtime = ofThisProcess()) runtime->stop();
  }

  // This process's runtime, made by its first call. What was inherited through a fork is abandoned as it is:
  // its threads do not exist here, its locks may be held for ever, and its socket is the parent's.
  Runtime& runtime() {
    auto* current = runtime_.load();
    if (current != nullptr && current->process() == ::getpid()) return *current;
    auto fresh = std::make_unique<Runtime>(
        ConnectOptions{options.socket, options.name, options.takesDescriptors, options.connectTimeout});
    if (runtime_.compare_exchange_strong(current, fresh.get())) return *fresh.release();
    return *current;
  }

  template <typename T>
  Reached<T> call(std::function<kj::Promise<T>(Connection&, WorkerPool&)> work,
                  Retry retry = Retry::onceIfDisconnected) {
    if (closed_) return std::unexpected(Unreachable{"the client was destroyed"});
    try {
      auto result = runtime().call<T>(std::move(work), retry);
      if (!result) return std::unexpected(Unreachable{std::move(result.error().message)});
      return std::move(*result);
    } catch (const kj::Exception& error) {
      return std::unexpected(
          Unreachable{std::string("libkiln's event loop failed: ") + error.getDescription().cStr()});
    } catch (const std::system_error& error) {
      return std::unexpected(
          Unreachable{std::string("the system gives no means to reach kilnd: ") + error.what()});
    }
  }

  Reached<Reply> ask(Request request, const CompileOptions& compileOptions,
                     std::shared_ptr<const FileView> files, CompileCall::Depth depth);

  const ClientOptions options;
  const std::optional<Recorder> recorder = Recorder::fromEnvironment();

 private:
  Runtime* ofThisProcess() {
    auto* current = runtime_.load();
    return current != nullptr && current->process() == ::getpid() ? current : nullptr;
  }

  std::atomic<bool> closed_ = false;
  std::atomic<Runtime*> runtime_ = nullptr;
};

Client::Client(ClientOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

Client::~Client() { impl_->close(); }

const std::string& Client::socket() const { return impl_->options.socket; }

// Each call keeps the inside alive by itself, so that one which is under way when the client is destroyed
// ends well.
Reached<Reply> Client::compile(Request request, const CompileOptions& options,
                               std::shared_ptr<const FileView> files) {
  auto impl = impl_;
  return impl->ask(std::move(request), options, std::move(files), CompileCall::Depth::compile);
}

Reached<Reply> Client::lookUp(Request request, const CompileOptions& options,
                              std::shared_ptr<const FileView> files) {
  auto impl = impl_;
  return impl->ask(std::move(request), options, std::move(files), CompileCall::Depth::lookUp);
}

Reached<Reply> Client::Impl::ask(Request request, const CompileOptions& compileOptions,
                                 std::shared_ptr<const FileView> files, CompileCall::Depth depth) {
  auto start = std::chrono::steady_clock::now();
  if (request.names.workingDirectory.empty()) request.names.workingDirectory = workingDirectory();
  if (request.names.temporaryDirectory.empty()) request.names.temporaryDirectory = temporaryDirectory();
  const bool isRecorded = recorder && depth == CompileCall::Depth::compile;
  const auto asked = isRecorded ? std::optional(request) : std::nullopt;
  auto prepared = prepare(std::move(request));
  if (!prepared) {
    if (isRecorded) recorder->noteRefused(*asked, compileOptions, prepared.error());
    return failureReply(std::move(prepared.error()));
  }

  const auto& memory = runtime().memory();
  if (files == nullptr) {
    FilePolicy policy(prepared->names, options.allowedDirectories);
    files = std::make_shared<FileReader>(std::move(policy), memory.digests);
  }
  auto compileCall = std::make_shared<const CompileCall>(std::move(*prepared), compileOptions, files, memory);
  auto reply = call<Reply>([compileCall, depth](Connection& connection, WorkerPool& workers) {
    return compileCall->send(connection.session(), workers, depth);
  });
  if (reply) {
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    reply->totalMilliseconds = elapsed.count();
  }
  if (isRecorded) recorder->note(compileCall->request(), compileOptions, reply, *files);
  return reply;
}

Reached<bool> Client::reportRefused(const std::string& key, const Sha256& sha256,
                                    const std::string& message) {
  auto impl = impl_;
  const auto bytes = keyBytes(key);
  if (!bytes || bytes->size() != EntryKey::kSize) return false;
  return impl->call<bool>([bytes, sha256, message](Connection& connection, WorkerPool&) {
    auto request = connection.session().reportRefusedRequest();
    request.setKey(convert::toData(*bytes));
    request.setSha256(convert::toData(sha256.view()));
    request.setMessage(convert::toText(message));
    return request.send().then([](auto&& response) { return response.getCompileAgain(); });
  });
}

Reached<std::vector<ToolchainReply>> Client::toolchains(Scan scan) {
  auto impl = impl_;
  return impl->call<std::vector<ToolchainReply>>([scan](Connection& connection, WorkerPool&) {
    auto request = connection.session().toolchainsRequest();
    request.setRescan(scan == Scan::always);
    return request.send().then([](auto&& response) { return readToolchains(response.getToolchains()); });
  });
}

Reached<StatsReply> Client::stats() {
  auto impl = impl_;
  return impl->call<StatsReply>([](Connection& connection, WorkerPool&) {
    return connection.session().statsRequest().send().then(
        [](auto&& response) { return readStats(response.getStats()); });
  });
}

Reached<StatusReply> Client::status() {
  auto impl = impl_;
  return impl->call<StatusReply>([socket = impl->options.socket](Connection& connection, WorkerPool&) {
    return connection.session().statusRequest().send().then([socket](auto&& response) {
      auto status = readStatus(response.getStatus());
      status.socket = socket;
      return status;
    });
  });
}

Reached<std::vector<EntrySummary>> Client::list() {
  auto impl = impl_;
  std::vector<EntrySummary> entries;
  for (;;) {
    std::string after = entries.empty() ? "" : std::string(asText(entries.back().key.view()));
    auto page = impl->call<std::vector<EntrySummary>>([after](Connection& connection, WorkerPool&) {
      auto request = connection.session().listRequest();
      request.setAfter(convert::toData(after));
      request.setLimit(kEntriesPerPage);
      return request.send().then([domain = connection.domain()](auto&& response) {
        std::vector<EntrySummary> summaries;
        for (auto item : response.getEntries()) summaries.push_back(readSummary(item, domain));
        return summaries;
      });
    });
    if (!page) return page;
    std::move(page->begin(), page->end(), std::back_inserter(entries));
    if (page->size() < kEntriesPerPage) return entries;
  }
}

Reached<std::optional<ShowReply>> Client::show(const std::string& keyPrefix) {
  auto impl = impl_;
  auto prefix = keyPrefix;
  if (prefix.size() % 2 != 0) {
    // The protocol knows whole bytes only.
    auto entries = list();
    if (!entries) return std::unexpected(std::move(entries.error()));
    std::erase_if(*entries,
                  [&](const EntrySummary& entry) { return !entry.key.hex().starts_with(keyPrefix); });
    if (entries->size() != 1) return std::nullopt;
    prefix = entries->front().key.hex();
  }
  auto key = keyBytes(prefix);
  if (!key) return std::nullopt;
  return impl->call<std::optional<ShowReply>>([key](Connection& connection, WorkerPool&) {
    auto request = connection.session().showRequest();
    request.setKey(convert::toData(*key));
    return request.send().then([domain = connection.domain()](auto&& response) -> std::optional<ShowReply> {
      if (!response.getFound()) return std::nullopt;
      return readEntry(response.getEntry(), domain);
    });
  });
}

Reached<WarmReply> Client::warm(const std::shared_ptr<BundleSource>& source) {
  auto impl = impl_;
  return impl->call<WarmReply>(
      [source](Connection& connection, WorkerPool& workers) {
        return client::warm(connection.session(), workers, source);
      },
      Retry::never);
}

Reached<std::vector<BundleRecord>> Client::bundles() {
  auto impl = impl_;
  return impl->call<std::vector<BundleRecord>>([](Connection& connection, WorkerPool&) {
    return connection.session().bundlesRequest().send().then([domain = connection.domain()](auto&& response) {
      std::vector<BundleRecord> bundles;
      for (auto one : response.getBundles()) {
        bundles.push_back(readBundle(one));
        bundles.back().domain = domain;
      }
      return bundles;
    });
  });
}

Reached<RemovedReply> Client::removeBundle(const Sha256& digest) {
  auto impl = impl_;
  return impl->call<RemovedReply>(
      [digest](Connection& connection, WorkerPool&) {
        auto request = connection.session().removeBundleRequest();
        request.setDigest(convert::toData(digest.view()));
        return request.send().then([](auto&& response) {
          return RemovedReply{response.getFound(), std::string(convert::text(response.getProblem()))};
        });
      },
      Retry::never);
}

Reached<std::vector<LaneReply>> Client::lanes() {
  auto impl = impl_;
  return impl->call<std::vector<LaneReply>>([](Connection& connection, WorkerPool&) {
    return connection.session().lanesRequest().send().then(
        [](auto&& response) { return readLanes(response.getLanes()); });
  });
}

Reached<void> Client::stop() {
  auto impl = impl_;
  auto stopped = impl->call<bool>(
      [](Connection& connection, WorkerPool&) {
        auto gone = connection.onDisconnect();
        return connection.session().stopRequest().send().ignoreResult().then(
            [gone = kj::mv(gone)]() mutable { return kj::mv(gone).then([] { return true; }); },
            [](kj::Exception&& exception) -> kj::Promise<bool> {
              if (exception.getType() == kj::Exception::Type::DISCONNECTED) return true;
              return kj::mv(exception);
            });
      },
      Retry::never);
  if (!stopped) return std::unexpected(std::move(stopped.error()));
  return {};
}

}  // namespace kiln::client
