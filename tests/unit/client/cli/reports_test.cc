#include "client/cli/reports.h"

#include <catch2/catch.hpp>

#include "golden.h"

namespace kiln::cli {
namespace {

template <typename D>
D digestOf(std::uint8_t byte) {
  D digest;
  digest.bytes.fill(byte);
  return digest;
}

client::Reply missWithWarning() {
  client::Reply reply;
  reply.how = client::Reply::How::miss;
  reply.key = "00112233445566778899aabbccddeeff";
  reply.toolchain = "nvrtc 13.0";
  reply.compileMilliseconds = 1812.25;
  reply.totalMilliseconds = 1830.5;
  reply.outputs.push_back(
      {OutputKind::cubin, digestOf<Sha256>(0xab), client::OutputBytes::fromString("cubin")});
  reply.outputs.push_back(
      {OutputKind::ptx, digestOf<Sha256>(0xcd), client::OutputBytes::fromString("ptx text")});
  reply.log = "k.cu(3): warning \xff: unused\n";
  reply.loweredNames.push_back({"scale<float>", "_Z5scaleIfEvPT_"});
  reply.resources.kernels = {{"_Z5scaleIfEvPT_",
                              {{Resource::registers, 40},
                               {Resource::spillInstructions, 12},
                               {Resource::sharedBytes, 1024},
                               {Resource::stackBytes, 96},
                               {Resource::dynamicStack, 0}}},
                             {"recursive", {{Resource::registers, 24}, {Resource::dynamicStack, 1}}}};
  reply.missReason = "never seen";
  DependencySet dependencies = {{{FileRole::includeDirectory, 0, "v.h"},
                                 FileKind::file,
                                 12,
                                 digestOf<Hash128>(1),
                                 digestOf<Sha256>(2),
                                 1},
                                {{FileRole::sourceDirectory, 0, "v.h"}, FileKind::absent, 0, {}, {}, 0}};
  reply.dependencies = std::make_shared<const DependencySet>(std::move(dependencies));
  return reply;
}

client::Reply rememberedError() {
  client::Reply reply;
  reply.how = client::Reply::How::hit;
  reply.key = "00112233445566778899aabbccddeeff";
  reply.toolchain = "nvrtc 13.0";
  reply.compileMilliseconds = 4.5;
  reply.totalMilliseconds = 0.25;
  reply.log = "k.cu(1): error: expected a declaration\n";
  reply.failure = Failure{FailureKind::compileError, "k.cu does not compile for sm_90", reply.log};
  return reply;
}

EntrySummary summaryOf(std::optional<FailureKind> failure) {
  EntrySummary summary;
  summary.key = digestOf<Hash128>(failure ? 0x02 : 0x01);
  summary.domain = "default";
  summary.sourceName = failure ? "broken.cu" : "saxpy.cu";
  summary.target = {Target::Kind::nvidiaReal, "sm_90"};
  summary.toolchainName = "nvrtc 12.9";
  summary.failure = failure;
  summary.bytes = failure ? 0 : 5632;
  summary.compileMilliseconds = failure ? 7 : 31.25;
  summary.createdAt = 1'700'000'000;
  return summary;
}

client::ShowReply shownEntry() {
  client::ShowReply show;
  show.summary = summaryOf(std::nullopt);
  show.reply = missWithWarning();
  show.outputSizes = {{OutputKind::cubin, 5632}, {OutputKind::ptx, 1024}};
  show.request.names = {"saxpy.cu", "/home/user", {"include"}};
  show.request.headers = {{"factor.h", "#define FACTOR 2"}};
  show.request.options = {"-lineinfo"};
  show.request.nameExpressions = {"scale<float>"};
  show.sourceSha256 = digestOf<Sha256>(3);
  show.inputSha256 = {digestOf<Sha256>(9)};
  show.requestSha256 = digestOf<Sha256>(4);
  show.toolchainIdentity = digestOf<Sha256>(5);
  show.requestHash = digestOf<Hash128>(6);
  show.namesBind = true;
  return show;
}

std::vector<client::ToolchainReply> someToolchains() {
  client::ToolchainReply newest;
  newest.toolchain.name = "nvrtc 13.0";
  newest.toolchain.library = "/usr/local/cuda/lib64/libnvrtc.so.13";
  newest.toolchain.identity = digestOf<Sha256>(7);
  newest.toolchain.targets = {"sm_90", "sm_90a"};
  newest.isDefault = true;
  client::ToolchainReply broken;
  broken.toolchain.name = "nvrtc";
  broken.toolchain.library = "/opt/old/libnvrtc.so.12";
  broken.toolchain.identity = digestOf<Sha256>(8);
  broken.toolchain.problem = "its builtins library is missing";
  client::ToolchainReply bundled;
  bundled.toolchain.name = "hiprtc 6.2";
  bundled.toolchain.identity = digestOf<Sha256>(9);
  bundled.toolchain.targets = {"gfx942"};
  bundled.isFromBundle = true;
  return {newest, broken, bundled};
}

client::StatsReply someStats() {
  client::StatsReply stats;
  stats.hits = 40;
  stats.misses = 2;
  stats.joined = 19;
  stats.compiles = 3;
  stats.failures = {{FailureKind::compileError, 1}};
  stats.compileMilliseconds = 2500;
  stats.savedMilliseconds = 49'000;
  stats.entries = 3;
  stats.bytes = 5'767'168;
  return stats;
}

client::StatusReply someStatus() {
  client::StatusReply status;
  status.version = "0.1.0";
  status.domain = "default";
  status.lane = "open";
  status.store = "/var/lib/kiln";
  status.socket = "/run/kiln/kilnd.sock";
  status.processId = 4242;
  status.clients = 1;
  status.jobs = 2;
  status.running = 1;
  status.uptimeMilliseconds = 61'000;
  status.compilers = {
      {4243, "nvrtc 13.0", "zygote"}, {4249, "nvrtc 13.0", "spare"}, {4250, "nvrtc 13.0", "compile"}};
  return status;
}

void checkGolden(const Report& report, const std::string& name) {
  CHECK(printText(report) == golden(name + ".txt"));
  CHECK(printJson(report) == golden(name + ".json"));
}

}  // namespace

TEST_CASE("a miss is reported with its reason, outputs and lowered names, the log in JSON only") {
  checkGolden(reportOf(missWithWarning(), {{OutputKind::cubin, "out/k.cubin"}}), "miss");
}

TEST_CASE("a remembered compile error is reported as a hit without outputs") {
  checkGolden(reportOf(rememberedError(), {}), "remembered_error");
}

TEST_CASE("a failure without a reply is reported by its kind and message") {
  checkGolden(reportOfFailure("unreachable", "no kilnd listens on /run/kiln/kilnd.sock"), "failure");
}

TEST_CASE("a shown entry tells what it was compiled from and what it depends on") {
  checkGolden(reportOf(shownEntry()), "show");
}

TEST_CASE("an entry whose resource usage could not be read says why") {
  auto show = shownEntry();
  show.reply.resources = {{}, "the cubin has no symbol table"};
  checkGolden(reportOf(show), "show_unreadable");
}

TEST_CASE("a list of entries is one table") {
  checkGolden(reportOf({summaryOf(std::nullopt), summaryOf(FailureKind::compileError)}), "ls");
}

TEST_CASE("an empty list of entries says so") {
  checkGolden(reportOf(std::vector<EntrySummary>{}), "ls_empty");
}

TEST_CASE("toolchains are listed with their targets, their problems and where they are known from") {
  checkGolden(reportOf(someToolchains()), "toolchains");
}

TEST_CASE("statistics count failures by kind") { checkGolden(reportOf(someStats()), "stats"); }

TEST_CASE("the status lists the compiler processes") { checkGolden(reportOf(someStatus()), "status"); }

}  // namespace kiln::cli
