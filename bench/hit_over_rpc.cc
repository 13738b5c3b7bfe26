// A hit through libkiln beside what it cannot be faster than:
//
//   hit_over_rpc serve SOCKET FILE
//   hit_over_rpc measure ROUNDS TARGET SOURCE BARE_SOCKET REDIS_SOCKET
//
// The first answers a bare Cap'n Proto call with the file's bytes, as kilnd would send them. The second asks
// kilnd ($KILN_SOCKET), the first's server and Redis for the same bytes, in turn, and prints
// a line a round: the microseconds of each. Every caller ends up with the bytes in memory of its own, or
// mapped.
#include <capnp/rpc-twoparty.h>
#include <fcntl.h>
#include <kj/async-io.h>
#include <kj/debug.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <kiln/kiln.hpp>
#include <string>
#include <string_view>

#include "bare_call.capnp.h"

namespace {

// Where kilnd too goes over from bytes in the message to a descriptor.
constexpr std::size_t kDescriptorThreshold = 64 * 1024;
constexpr unsigned kMaxDescriptors = 1;

std::string contentOf(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class MemoryBlob final : public bench::Blob::Server {
 public:
  explicit MemoryBlob(int descriptor) : descriptor_(descriptor) {}
  kj::Maybe<int> getFd() override { return descriptor_; }

 private:
  int descriptor_;
};

class Bytes final : public bench::BareCall::Server {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {
    KJ_SYSCALL(descriptor_ = memfd_create("bare", MFD_CLOEXEC));
    KJ_SYSCALL(write(descriptor_, bytes_.data(), bytes_.size()));
  }

 protected:
  kj::Promise<void> get(GetContext context) override {
    auto output = context.getResults().initOutput();
    if (bytes_.size() >= kDescriptorThreshold) {
      output.setDescriptor(kj::heap<MemoryBlob>(descriptor_));
    } else {
      output.setInline({reinterpret_cast<const kj::byte*>(bytes_.data()), bytes_.size()});
    }
    return kj::READY_NOW;
  }

 private:
  const std::string bytes_;
  int descriptor_ = -1;
};

int serve(const char* socket, const char* file) {
  auto io = kj::setupAsyncIo();
  auto address = io.provider->getNetwork().parseAddress(std::string("unix:") + socket).wait(io.waitScope);
  auto receiver = address->listen();
  capnp::TwoPartyServer server(kj::heap<Bytes>(contentOf(file)));
  std::puts("ready");
  std::fflush(stdout);
  server.listenCapStreamReceiver(*receiver, kMaxDescriptors).wait(io.waitScope);
  return 0;
}

class BareClient {
 public:
  explicit BareClient(const std::string& socket)
      : stream_(connect(socket)),
        client_(*stream_, kMaxDescriptors),
        call_(client_.bootstrap().castAs<bench::BareCall>()) {}

  std::size_t get() {
    auto response = call_.getRequest().send().wait(io_.waitScope);
    auto output = response.getOutput();
    if (output.isInline()) {
      auto data = output.getInline();
      return std::string(reinterpret_cast<const char*>(data.begin()), data.size()).size();
    }
    int descriptor = KJ_ASSERT_NONNULL(output.getDescriptor().getFd().wait(io_.waitScope));
    auto size = lseek(descriptor, 0, SEEK_END);
    void* mapped = mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    KJ_REQUIRE(mapped != MAP_FAILED);
    munmap(mapped, static_cast<std::size_t>(size));
    return static_cast<std::size_t>(size);
  }

 private:
  kj::Own<kj::AsyncCapabilityStream> connect(const std::string& socket) {
    auto address = io_.provider->getNetwork().parseAddress("unix:" + socket).wait(io_.waitScope);
    return address->connect().wait(io_.waitScope).downcast<kj::AsyncCapabilityStream>();
  }

  kj::AsyncIoContext io_ = kj::setupAsyncIo();
  kj::Own<kj::AsyncCapabilityStream> stream_;
  capnp::TwoPartyClient client_;
  bench::BareCall::Client call_;
};

class Redis {
 public:
  explicit Redis(const char* socket) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket, sizeof address.sun_path - 1);
    KJ_SYSCALL(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address));
  }

  void set(std::string_view bytes) {
    send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) +
         "\r\n");
    KJ_REQUIRE(line() == "+OK");
  }

  std::size_t get() {
    send("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    auto size = std::stoul(line().substr(1));
    while (buffered_.size() < size + 2) receive();
    auto value = buffered_.substr(0, size);
    buffered_.erase(0, size + 2);
    return value.size();
  }

 private:
  void send(std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      KJ_REQUIRE(sent > 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void receive() {
    char block[256 * 1024];
    ssize_t size = recv(descriptor_, block, sizeof block, 0);
    KJ_REQUIRE(size > 0);
    buffered_.append(block, static_cast<std::size_t>(size));
  }
  std::string line() {
    std::size_t end;
    while ((end = buffered_.find("\r\n")) == std::string::npos) receive();
    auto text = buffered_.substr(0, end);
    buffered_.erase(0, end + 2);
    return text;
  }

  int descriptor_;
  std::string buffered_;
};

double microseconds(std::size_t expected, const std::function<std::size_t()>& call) {
  auto start = std::chrono::steady_clock::now();
  KJ_REQUIRE(call() == expected, "other bytes than were compiled");
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

int measure(int rounds, const char* target, const char* source, const char* bareSocket,
            const char* redisSocket) {
  kiln::Client client;
  kiln::Request request(contentOf(source));
  request.name(source).target(target);
  auto first = client.compile(request);
  KJ_REQUIRE(first.ok(), first.message().c_str());
  const std::string bytes(first.cubin());
  BareClient bare(bareSocket);
  Redis redis(redisSocket);
  redis.set(bytes);
  const std::function<std::size_t()> calls[] = {[&] {
                                                  auto result = client.compile(request);
                                                  KJ_REQUIRE(result.outcome() == KILN_HIT);
                                                  return result.cubin().size();
                                                },
                                                [&] { return bare.get(); }, [&] { return redis.get(); }};
  for (int round = -10; round < rounds; ++round) {  // the first ten warm everything up
    double took[3];
    // Who comes after whom matters to a processor that falls asleep: so each takes each turn.
    for (int turn = 0; turn < 3; ++turn) {
      const int which = (round + 10 + turn) % 3;
      took[which] = microseconds(bytes.size(), calls[which]);
    }
    if (round >= 0) std::printf("%.2f %.2f %.2f\n", took[0], took[1], took[2]);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view command = count > 1 ? arguments[1] : "";
  if (command == "serve" && count == 4) return serve(arguments[2], arguments[3]);
  if (command == "measure" && count == 7) {
    return measure(std::atoi(arguments[2]), arguments[3], arguments[4], arguments[5], arguments[6]);
  }
  std::fputs(
      "usage: hit_over_rpc serve SOCKET FILE\n"
      "       hit_over_rpc measure ROUNDS TARGET SOURCE BARE_SOCKET REDIS_SOCKET\n",
      stderr);
  return 2;
}
