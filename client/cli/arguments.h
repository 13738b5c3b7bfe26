// The command line as values. What is wrong with the text of an argument is said here; what is wrong with a
// request is said by whoever serves it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/kernel_argument.h"
#include "jit/request.h"

namespace kiln::cli {

struct OutputPath {
  OutputKind kind;
  std::string path;
};

struct HeaderPath {
  std::string name;
  std::string path;
};

struct CompileArguments {
  std::string file;                 // "-": standard input
  std::vector<std::string> inputs;  // to be linked with it, in order
  std::string target;
  std::string virtualArchitecture;   // empty: none
  std::optional<Language> language;  // by default what the extension of `file` says
  std::string toolchain;
  std::string outputPath;           // -o; the path tells its kind
  std::vector<OutputPath> outputs;  // --output
  std::vector<std::string> includeDirectories;
  std::vector<std::string> definitions;
  std::vector<std::string> nameExpressions;
  std::vector<HeaderPath> headers;
  std::string name;  // empty: `file`
  std::vector<std::string> allowedDirectories;
  std::chrono::milliseconds timeout{0};
  Priority priority = Priority::normal;
  std::vector<std::string> options;  // behind "--", verbatim
};
struct RunArguments {
  CompileArguments compile;  // for the host
  std::string kernel;
  std::vector<KernelArgument> arguments;
};
struct RecordArguments {
  std::string output;                // the lock
  std::vector<std::string> merged;   // other locks
  std::vector<std::string> command;  // behind "--"
};
struct BuildArguments {
  std::string lock;
  std::string output;
  std::vector<std::string> targets;     // none: those that were recorded
  std::vector<std::string> toolchains;  // none: those that the application asks for
  std::string config;                   // of a kilnd for this alone
};
struct BundleArguments {
  enum class Action : std::uint8_t { list, show, diff, merge };
  Action action = Action::list;
  std::vector<std::string> bundles;
  std::string output;  // of merge
};
struct CoverageArguments {
  std::string lock;
  std::string bundle;
  bool isOfDaemon = false;           // kilnd is asked, not a bundle
  std::vector<std::string> targets;  // none: those that were recorded
};
// One of the three.
struct WarmArguments {
  std::string bundle;
  bool list = false;
  std::string removed;  // name, or the beginning of a digest
};
struct LanesArguments {};
struct ToolchainsArguments {
  bool rescan = false;
};
struct StatsArguments {};
struct ListArguments {};
struct ShowArguments {
  std::string key;
};
struct StatusArguments {};
struct StopArguments {};

enum class Format : std::uint8_t { text, json };

struct CommandLine {
  Format format = Format::text;
  std::string socket;  // empty: KILN_SOCKET, else the default
  std::variant<CompileArguments, RunArguments, RecordArguments, BuildArguments, BundleArguments,
               CoverageArguments, WarmArguments, LanesArguments, ToolchainsArguments, StatsArguments,
               ListArguments, ShowArguments, StatusArguments, StopArguments>
      command;
};

// The program is to say this and end: help, the version, or what is wrong with the command line.
struct Farewell {
  ExitCode code;
  std::string text;
};

// `arguments` as main() got them, without the program's name.
std::variant<CommandLine, Farewell> parseArguments(std::vector<std::string> arguments);

}  // namespace kiln::cli
