#include "rpc/fetched_ahead.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <catch2/catch.hpp>
#include <deque>

#include "rpc/remote_files.h"
#include "rpc/schema/convert.h"

using namespace kiln;
using Paths = std::vector<std::string>;

namespace {

struct Batch {
  Paths paths;
  std::size_t bytesEach = 1;
};

// What a client does, in order: each call takes the next batch, or none if there is none left.
struct Script {
  std::deque<Batch> batches;
  Paths asked;           // by calls with a path
  unsigned fetches = 0;  // calls without one
  bool fetchesFail = false;
  // While set, calls without a path are answered only once it is fulfilled.
  kj::Maybe<kj::ForkedPromise<void>> gate;
};

class ScriptedFileSource final : public schema::FileSource::Server {
 public:
  explicit ScriptedFileSource(Script& script) : script_(script) {}

 protected:
  kj::Promise<void> look(LookContext context) override {
    auto paths = context.getParams().getPaths();
    auto answers = context.getResults().initAnswers(paths.size());
    for (unsigned i = 0; i < paths.size(); ++i) {
      script_.asked.emplace_back(convert::text(paths[i]));
      answers[i].setFile(convert::toData("asked"));
    }
    if (paths.size() > 0) return answerAhead(context);
    ++script_.fetches;
    if (script_.fetchesFail) return KJ_EXCEPTION(FAILED, "a bad day");
    KJ_IF_MAYBE (gate, script_.gate) {
      return gate->addBranch().then([this, context]() mutable { return answerAhead(context); });
    }
    return answerAhead(context);
  }

 private:
  kj::Promise<void> answerAhead(LookContext context) {
    CHECK(context.getParams().getAheadLimit() > 0);
    if (script_.batches.empty()) return kj::READY_NOW;
    auto batch = std::move(script_.batches.front());
    script_.batches.pop_front();
    auto ahead = context.getResults().initAhead(batch.paths.size());
    for (unsigned i = 0; i < batch.paths.size(); ++i) {
      ahead[i].setPath(batch.paths[i].c_str());
      ahead[i].initAnswer().setFile(convert::toData(std::string(batch.bytesEach, 'x')));
    }
    return kj::READY_NOW;
  }

  Script& script_;
};

struct Client {
  explicit Client(std::deque<Batch> batches) : script{std::move(batches), {}, 0, false, nullptr} {}

  kj::Promise<FileReply> asking(const std::string& path) {
    return files->answer({FileQuestion::Kind::look, path});
  }
  FileReply ask(const std::string& path) { return asking(path).wait(io.waitScope); }
  void settle() {
    kj::evalLast([] {}).wait(io.waitScope);
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  Script script;
  kj::Own<ClientFiles> files =
      makeRemoteFiles(kj::heap<ScriptedFileSource>(script), {io.provider->getTimer(), 7 * kj::SECONDS});
};

Paths pathsOf(const FileReply& reply) {
  Paths paths;
  for (const auto& one : reply.ahead) paths.push_back(one.path);
  return paths;
}

}  // namespace

TEST_CASE("What a client sends ahead is handed on, and more is fetched meanwhile") {
  Client client({{{"/b", "/c"}}, {{"/d"}}, {{"/e", "/f"}}});
  auto first = client.ask("/a");
  CHECK(first.answer.text == "asked");
  CHECK(pathsOf(first) == Paths{"/b", "/c"});
  client.settle();
  CHECK(client.script.fetches == 3);  // the last one brought nothing

  auto second = client.ask("/e");
  CHECK(second.answer.text == "x");
  CHECK(pathsOf(second) == Paths{"/d", "/f"});
  CHECK(client.script.asked == Paths{"/a"});
}

TEST_CASE("A client that sends nothing ahead is asked for what the compiler asks, and nothing else") {
  Client client({});
  CHECK(client.ask("/a").ahead.empty());
  CHECK(client.ask("/b").ahead.empty());
  client.settle();
  CHECK(client.script.asked == Paths{"/a", "/b"});
  CHECK(client.script.fetches == 0);
}

TEST_CASE("A question waits for the batch that is on its way, and is asked only if that lacks it") {
  Client client({{{"/b"}}, {{"/c"}}, {}});
  auto gate = kj::newPromiseAndFulfiller<void>();
  client.script.gate = gate.promise.fork();
  client.ask("/a");
  auto known = client.asking("/c");
  auto unknown = client.asking("/m");
  client.settle();
  CHECK(client.script.asked == Paths{"/a"});
  gate.fulfiller->fulfill();
  CHECK(known.wait(client.io.waitScope).answer.text == "x");
  CHECK(unknown.wait(client.io.waitScope).answer.text == "asked");
  CHECK(client.script.asked == Paths{"/a", "/m"});
}

TEST_CASE("A question that waits too long for a batch is asked by itself") {
  Client client({{{"/b"}}, {{"/c"}}});
  auto gate = kj::newPromiseAndFulfiller<void>();
  client.script.gate = gate.promise.fork();
  client.ask("/a");
  CHECK(client.ask("/c").answer.text == "asked");
}

TEST_CASE("Names without content count as what is kept, too") {
  std::deque<Batch> batches{{{"/b"}}};
  for (int i = 0; i < 20; ++i) batches.push_back({{"/" + std::to_string(i) + std::string(1 << 20, 'n')}, 0});
  Client client(std::move(batches));
  client.ask("/a");
  client.settle();
  CHECK(client.script.fetches == 4);
}

TEST_CASE("Fetching pauses while much is kept, and goes on when that is handed out") {
  std::deque<Batch> batches{{{"/b"}}};
  for (int i = 0; i < 20; ++i) batches.push_back({{"/" + std::to_string(i)}, 1 << 20});
  Client client(std::move(batches));
  client.ask("/a");
  client.settle();
  CHECK(client.script.fetches == 4);
  CHECK(client.ask("/0").ahead.size() == 3);
  client.settle();
  CHECK(client.script.fetches == 8);
}

TEST_CASE("A fetch that fails costs nothing but the questions it would have saved") {
  Client client({{{"/b"}}});
  client.script.fetchesFail = true;
  CHECK(pathsOf(client.ask("/a")) == Paths{"/b"});
  client.settle();
  CHECK(client.ask("/c").answer.text == "asked");
}

TEST_CASE("Files may be let go while a batch is on its way") {
  Client client({{{"/b"}}, {{"/c"}}});
  client.script.gate = kj::Promise<void>(kj::NEVER_DONE).fork();
  client.ask("/a");
  client.settle();
  client.files = nullptr;
  client.settle();
  CHECK(client.script.fetches == 1);
}
