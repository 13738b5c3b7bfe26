// A stand-in for kilnd: speaks kiln.capnp on a real socket from a thread of the test's process. It remembers
// what it "compiled" by request hash and lets a test see and steer each call.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/shared_loop.h"
#include "jit/content_stamp.h"

namespace kiln::test {

struct StandInScript {
  // Before any compile is answered, this many must have arrived.
  unsigned compilesAtOnce = 1;
  // The first compile of all ends with the connection closed, unanswered.
  bool dropFirstCompile = false;
  // The same for every compile.
  bool dropEveryCompile = false;
  // Lookups are never answered.
  bool muteLookups = false;
  // The hello is never answered.
  bool muteHello = false;
  std::uint32_t requestHashVersion = 1;
  // What it compiles depends on no file.
  bool withoutDependencies = false;
  // Outputs go out as descriptors.
  bool sendDescriptors = false;
  // What the compile asks the client for; the answers stand in `answers`, one text each.
  std::vector<std::string> looks = {};
  // Files whose fingerprint every compile asks for, first by the list's name alone, then with the questions.
  std::vector<std::string> fingerprintOf = {};
  // What comes with the questions.
  std::vector<KnownContent> hints = {};
};

class StandInDaemon {
 public:
  // Listens at `socket` when the constructor returns.
  explicit StandInDaemon(std::filesystem::path socket, StandInScript script = {});
  ~StandInDaemon();
  StandInDaemon(const StandInDaemon&) = delete;
  StandInDaemon& operator=(const StandInDaemon&) = delete;

  // What it makes of a source.
  static std::string binaryOf(const std::string& source) { return "binary of " + source; }

  struct Seen {
    unsigned connections = 0;
    unsigned lookups = 0;
    unsigned lookupsWithFiles = 0;
    unsigned compiles = 0;
    unsigned rescans = 0;
    std::vector<std::string> sources;
    std::vector<std::string> answers;
    std::vector<std::string> fingerprints;  // hexadecimal, or "not known"
    unsigned dependenciesSent = 0;          // outcomes that had them
    std::string clientName;
    std::string toolchain;
    std::string virtualArchitecture;  // of the last compile
  };
  Seen seen();
  // Blocks until `enough(seen())`.
  void waitUntil(const std::function<bool(const Seen&)>& enough);

  struct State;

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<client::SharedLoop> loop_;
  std::thread thread_;  // runs the loop
};

}  // namespace kiln::test
