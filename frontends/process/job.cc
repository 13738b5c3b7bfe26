#include "frontends/process/job.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "frontends/process/interpose.h"
#include "frontends/process/job_connection.h"
#include "frontends/process/prefault.h"
#include "jit/binary/resources.h"
#include "jit/log_names.h"
#include "jit/names_binding.h"
#include "jit/role_path.h"
#include "jit/words.h"

namespace kiln {
namespace {

using Result = std::variant<Artifact, Failure>;

Result compile(Compiler& compiler, const Request& request) {
  try {
    auto artifact = compiler.compile(request);
    if (artifact) return std::move(*artifact);
    return std::move(artifact.error());
  } catch (const std::bad_alloc&) {
    return Failure{FailureKind::memoryLimit, "compiling '" + request.names.source +
                                                 "': the compiler ran out of memory; raise the memory limit "
                                                 "(memory_limit_mb in kilnd's configuration)"};
  } catch (const std::exception& exception) {
    return Failure{FailureKind::internal, "compiling '" + request.names.source + "' failed within kiln: " +
                                              exception.what() + "; please report it"};
  }
}

double millisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Whether an output holds the path of one of the request's directories, though no option known to bring it
// there was given: compilers have more options than any list of them.
bool holdsDirectory(std::string_view output, const Names& names) {
  auto holds = [&](const RoleDirectory& directory) {
    return directory.path.size() > 1 && output.find(directory.path) != std::string_view::npos;
  };
  const auto directories = roleDirectories(names);
  return std::any_of(directories.begin(), directories.end(), holds);
}

bool namesBind(const Request& request, const Frontend& frontend, const CompileFiles& files,
               const Result& result) {
  if (requestBindsNames(request) || frontend.optionsBindNames(request) || files.namesBind()) return true;
  const auto* artifact = std::get_if<Artifact>(&result);
  const auto& log = artifact != nullptr ? artifact->log : std::get<Failure>(result).log;
  if (!log.empty() && files.mentionsSource()) return true;
  if (logBindsNames(log, request.names, request.headers, files.dependencies())) return true;
  // Where no file of the client's reaches the output, no name of a directory does.
  const bool tellsDirectories = frontend.files.readsFiles;
  return artifact != nullptr &&
         std::any_of(artifact->outputs.begin(), artifact->outputs.end(), [&](const Output& output) {
           return holdsSourceName(output.bytes, request.names) ||
                  (tellsDirectories && holdsDirectory(output.bytes, request.names));
         });
}

// Whether `log` says that a source file whose name has the last component of `path` could not be opened.
bool missesFile(std::string_view log, std::string_view path) {
  constexpr std::string_view kBefore = "open source file \"";
  const auto name = lastComponent(path);
  for (auto at = log.find(kBefore); at != std::string_view::npos; at = log.find(kBefore, at + 1)) {
    auto quoted = log.substr(at + kBefore.size());
    if (!name.empty() && lastComponent(quoted.substr(0, quoted.find('"'))) == name) return true;
  }
  return false;
}

// A compiler passes over a directory where it looks for a header, and calls it an error of the source where
// that leaves it without one: its log then quotes the header's name.
std::string directoryForHeader(const Compiled& compiled, const Names& names) {
  const auto* failure = std::get_if<Failure>(&compiled.result);
  if (failure == nullptr || failure->kind != FailureKind::compileError) return {};
  auto found = [](const std::string& what) {
    return "the compiler looked for a header at " + what + ", which is a directory";
  };
  for (const auto& dependency : compiled.dependencies) {
    if (dependency.kind == FileKind::directory && missesFile(failure->log, dependency.path.path)) {
      return found(describe(dependency.path));
    }
  }
  for (const auto& directory : roleDirectories(names)) {
    if (missesFile(failure->log, directory.path)) return found("'" + directory.path + "'");
  }
  return {};
}

// Every scratch file takes a descriptor. Scratch looks at how much there is when a file is opened. What is
// written into one file meanwhile is bounded by the kernel, which ends the process.
void boundScratch(const FileHabits& habits) {
  if (habits.scratch.empty()) return;
  const rlimit most{Scratch::kMostBytes, Scratch::kMostBytes};
  ::setrlimit(RLIMIT_FSIZE, &most);
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace

int runJob(int socket, LoadedToolchain& toolchain) {
  prefaultUntilReadable(socket);
  JobConnection job(socket);
  auto request = job.take();
  if (!request) job.end(std::move(request.error()));

  boundScratch(toolchain.frontend->files);
  CompileFiles files(job, *request, toolchain.frontend->files, toolchain.directory);
  SystemAnswers system(*request);
  Compiled compiled;
  auto start = std::chrono::steady_clock::now();
  {
    const Interposition interposition(files, system);
    compiled.result = compile(*toolchain.compiler, *request);
  }
  compiled.compileMilliseconds = millisecondsSince(start);
  if (auto* artifact = std::get_if<Artifact>(&compiled.result)) {
    artifact->resources = binary::resourcesOf(artifact->outputs);
  }
  compiled.dependencies = files.dependencies();
  compiled.namesBind = namesBind(*request, *toolchain.frontend, files, compiled.result);
  compiled.unclean = files.unclean();
  if (compiled.unclean.empty()) compiled.unclean = directoryForHeader(compiled, request->names);
  return job.finish(compiled) ? 0 : JobConnection::kBrokenSocket;
}

}  // namespace kiln
