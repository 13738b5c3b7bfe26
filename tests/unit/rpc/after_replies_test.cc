#include "rpc/after_replies.h"

#include <kj/async-io.h>

#include <catch2/catch.hpp>
#include <string>

using kiln::AfterReplies;

TEST_CASE("work runs after all that the loop can do, in the order in which it was added") {
  auto io = kj::setupAsyncIo();
  std::string done;
  AfterReplies later;
  auto reply =
      kj::evalLater([&] { return kj::evalLater([&] { done += "reply "; }); }).eagerlyEvaluate(nullptr);
  later.add([&] { done += "a"; });
  later.add([&] { done += "b"; });
  CHECK(done.empty());
  io.waitScope.poll();
  CHECK(done == "reply ab");
  later.add([&] { done += "c"; });
  io.waitScope.poll();
  CHECK(done == "reply abc");
}

TEST_CASE("work that is asked for at once, or left at the end, runs once") {
  auto io = kj::setupAsyncIo();
  std::string done;
  {
    AfterReplies later;
    later.add([&] { done += "a"; });
    later.run();
    CHECK(done == "a");
    io.waitScope.poll();
    CHECK(done == "a");
    later.add([&] { done += "b"; });
  }
  CHECK(done == "ab");
}
