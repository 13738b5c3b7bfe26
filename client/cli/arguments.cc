#include "client/cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>

#include "client/cli/usage.h"
#include "client/client.h"

namespace kiln::cli {
namespace {

constexpr const char* kRun = "run";
constexpr const char* kRecord = "record";
constexpr const char* kBuild = "build";

// The two sides of `text` around its first '='; both must be there.
std::pair<std::string, std::string> splitAtEquals(const std::string& option, const std::string& text,
                                                  const char* form) {
  auto at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    throw CLI::ValidationError(option, "'" + text + "' is not of the form " + form);
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

// A table goes to standard output, so that "-" is no name for it here.
const std::string& checkedPath(const char* option, const std::string& path) {
  if (path == "-") throw CLI::ValidationError(option, "give a path; ./- for a file of that name");
  return path;
}

void addOutput(CompileArguments& arguments, const std::string& text) {
  auto [kindName, path] = splitAtEquals("--output", text, "KIND=PATH, such as ptx=kernel.ptx");
  auto kind = parseOutputKind(kindName);
  if (!kind) throw CLI::ValidationError("--output", "'" + kindName + "' is not one of " + outputKindNames());
  arguments.outputs.push_back({*kind, checkedPath("--output", path)});
}

void addHeader(CompileArguments& arguments, const std::string& text) {
  auto [name, path] = splitAtEquals("--header", text, "NAME=PATH");
  arguments.headers.push_back({name, path});
}

void setTimeout(CompileArguments& arguments, double seconds) {
  constexpr double kDay = 86'400;
  if (!(seconds >= 0.001 && seconds <= kDay)) {
    throw CLI::ValidationError("--timeout", "give seconds, from 0.001 to 86400");
  }
  arguments.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void setLanguage(CompileArguments& arguments, const std::string& text) {
  auto language = parseLanguage(text);
  if (!language) throw CLI::ValidationError("--language", "'" + text + "' is not one of " + languageNames());
  arguments.language = *language;
}

void setPriority(CompileArguments& arguments, const std::string& text) {
  static const std::map<std::string, Priority> kPriorities = {{"background", Priority::background},
                                                              {"normal", Priority::normal},
                                                              {"interactive", Priority::interactive}};
  auto found = kPriorities.find(text);
  if (found == kPriorities.end()) {
    throw CLI::ValidationError("--priority", "'" + text + "' is not one of background, normal, interactive");
  }
  arguments.priority = found->second;
}

// One value each time it is given: the argument behind it is not eaten as a second one.
CLI::Option* repeatable(CLI::Option* option) { return option->allow_extra_args(false); }

void addWhatToCompile(CLI::App& command, CompileArguments& arguments) {
  command.add_option("--target", arguments.target, "Such as sm_90, compute_90 (PTX) or gfx90a")
      ->required()
      ->type_name("ARCHITECTURE");
  command
      .add_option("--virtual-arch", arguments.virtualArchitecture,
                  "Such as compute_80: keep CUDA's PTX for that, and link it for the target")
      ->type_name("ARCHITECTURE");
  command
      .add_option_function<std::string>(
          "--language", [&](const auto& text) { setLanguage(arguments, text); },
          "One of " + languageNames() + "; what the extension of FILE says by default, else cuda")
      ->type_name("LANGUAGE");
  command
      .add_option("--toolchain", arguments.toolchain,
                  "Compiler, such as \"nvrtc 12.9\" or hiprtc; the newest for the language by default")
      ->type_name("NAME");
  repeatable(command.add_option("-D", arguments.definitions, "Define a macro"))->type_name("NAME[=VALUE]");
  repeatable(command.add_option("--name-expression", arguments.nameExpressions,
                                "Kernel to instantiate, such as \"scale<float>\""))
      ->type_name("EXPRESSION");
  command.add_option("--name", arguments.name, "What the compiler is told the source is called")
      ->type_name("NAME");
}

void addWhereFilesAre(CLI::App& command, CompileArguments& arguments) {
  command
      .add_option_function<std::string>(
          "-o", [&](const auto& path) { arguments.outputPath = checkedPath("-o", path); },
          "Write the binary here; its kind is told by its extension, such as .ptx, else by the target")
      ->type_name("PATH");
  repeatable(command.add_option_function<std::vector<std::string>>(
                 "--output",
                 [&](const auto& texts) {
                   for (const auto& text : texts) addOutput(arguments, text);
                 },
                 "Write one kind of output (" + outputKindNames() + "); may be repeated"))
      ->type_name("KIND=PATH");
  repeatable(command.add_option("-I", arguments.includeDirectories, "Directory to search for headers"))
      ->type_name("DIR");
  repeatable(command.add_option_function<std::vector<std::string>>(
                 "--header",
                 [&](const auto& texts) {
                   for (const auto& text : texts) addHeader(arguments, text);
                 },
                 "A header that the source includes as NAME, read from PATH"))
      ->type_name("NAME=PATH");
  repeatable(command.add_option("--allow", arguments.allowedDirectories,
                                "Directory outside the request's own that may be read too"))
      ->type_name("DIR");
}

void addCompile(CLI::App& app, CompileArguments& arguments) {
  auto* command = app.add_subcommand("compile", "Compile a kernel, or get it from the cache");
  command->footer(
      "Behind -- stand options for the compiler, given to it as they are and in this order.\n"
      "Without -o and --output the cache is filled and no file is written.\n\n" +
      exitCodeHelp());
  command->add_option("FILE", arguments.file, "Source file; - reads standard input")
      ->required()
      ->type_name("");
  command
      ->add_option_function<std::vector<std::string>>(
          "INPUT",
          [&](const auto& paths) {
            for (const auto& path : paths) arguments.inputs.push_back(checkedPath("INPUT", path));
          },
          "PTX or LTO IR to link with FILE, which is PTX or LTO IR itself; in this order")
      ->type_name("");
  addWhatToCompile(*command, arguments);
  addWhereFilesAre(*command, arguments);
  command
      ->add_option_function<double>(
          "--timeout", [&](double seconds) { setTimeout(arguments, seconds); },
          "Seconds the compile may take")
      ->type_name("SECONDS");
  command
      ->add_option_function<std::string>(
          "--priority", [&](const auto& text) { setPriority(arguments, text); },
          "background, normal (the default) or interactive: who is compiled first")
      ->type_name("PRIORITY");
}

void addKernelArgument(RunArguments& arguments, const std::string& text) {
  auto argument = parseKernelArgument(text);
  if (!argument) throw CLI::ValidationError("--arg", argument.error());
  arguments.arguments.push_back(std::move(*argument));
}

void addRun(CLI::App& app, RunArguments& arguments) {
  auto* command =
      app.add_subcommand(kRun, "Compile a kernel for this processor, call it and print checksums");
  command->footer(
      "Behind -- stand options for the compiler. Buffers hold generated numbers, the same in every run: "
      "floats\n"
      "from -1 up to 1, whole numbers from 0 to 99. The kernel runs in a process of its own.\n\n" +
      exitCodeHelp());
  auto& compile = arguments.compile;
  command
      ->add_option("FILE", compile.file,
                   "Source file in a language that is compiled for processors, such as "
                   "LLVM IR; - reads standard input")
      ->required()
      ->type_name("");
  command->add_option("--kernel", arguments.kernel, "The function to call")->required()->type_name("NAME");
  repeatable(command->add_option_function<std::vector<std::string>>(
                 "--arg",
                 [&](const auto& texts) {
                   for (const auto& text : texts) addKernelArgument(arguments, text);
                 },
                 "Its next argument: a value such as i64=1024, or a buffer such as f32[1024]"))
      ->type_name("TYPE=VALUE|TYPE[LENGTH]");
  command->add_option("--target", compile.target, "Such as x86-64-v3; host, this processor, by default")
      ->type_name("ARCHITECTURE");
  command
      ->add_option_function<std::string>(
          "--language", [&](const auto& text) { setLanguage(compile, text); },
          "One of " + languageNames() + "; what the extension of FILE says by default")
      ->type_name("LANGUAGE");
  command->add_option("--toolchain", compile.toolchain, "Compiler; the newest for the language by default")
      ->type_name("NAME");
}

void addRecord(CLI::App& app, RecordArguments& arguments) {
  auto* command = app.add_subcommand(kRecord, "Run a command and write down what it asks kiln to compile");
  command->footer(
      "Behind -- stands the command. Its processes and theirs are recorded as far as they inherit the "
      "variable "
      "KILN_RECORD.\nThe exit status is that of the command.\n\n" +
      exitCodeHelp());
  command
      ->add_option("-o", arguments.output,
                   "The lock file to write; contents go to a folder PATH.files beside it")
      ->required()
      ->type_name("PATH");
  repeatable(
      command->add_option("--merge", arguments.merged,
                          "A lock, or a recording that was kept, whose kernels are to be in this one too"))
      ->type_name("LOCK");
}

void addBuild(CLI::App& app, BuildArguments& arguments) {
  auto* command = app.add_subcommand(kBuild, "Compile what a lock has, for every target, into a bundle");
  command->footer(
      "It needs the compilers, and neither the application nor a GPU. Where no kilnd runs one is started for "
      "this alone;\n"
      "what it has compiled stays in PATH.partial if the command is interrupted, and need not be compiled "
      "again.\n"
      "What does not compile is listed with its log, and the rest is built.\n\n" +
      exitCodeHelp());
  command->add_option("LOCK", arguments.lock, "What kiln record wrote")->required()->type_name("");
  command
      ->add_option(
          "-o", arguments.output,
          "The bundle to write, an OCI image layout: a tar, or a directory if PATH is one or ends in /")
      ->required()
      ->type_name("PATH");
  repeatable(command->add_option(
                 "--target", arguments.targets,
                 "Such as sm_90a, for the kernels that are for its vendor; may be repeated. By default "
                 "those that each kernel was recorded for"))
      ->type_name("ARCHITECTURE");
  command
      ->add_option(
          "--config", arguments.config,
          "Configuration of the kilnd that is started for this alone: where its compilers are, how many run")
      ->type_name("FILE");
  repeatable(command->add_option(
                 "--toolchain", arguments.toolchains,
                 "Compiler, such as \"nvrtc 12.9\", for the kernels of its language; may be repeated. By "
                 "default the one that the application asks for"))
      ->type_name("NAME");
}

void addBundle(CLI::App& app, BundleArguments& arguments) {
  using Action = BundleArguments::Action;
  auto* command = app.add_subcommand("bundle", "Look into bundles, and put them together");
  command->require_subcommand(1);
  command->footer(exitCodeHelp());
  const auto add = [&](const char* name, Action action, const char* description) {
    auto* one = command->add_subcommand(name, description);
    one->callback([&arguments, action] { arguments.action = action; });
    return one;
  };
  const auto take = [&](CLI::App* one, const char* name, int least, int most) {
    one->add_option(name, arguments.bundles, "What kiln build wrote: a tar or a directory")
        ->required()
        ->expected(least, most)
        ->type_name("");
  };
  constexpr int kMany = 1 << 20;
  take(add("ls", Action::list, "List its kernels"), "BUNDLE", 1, 1);
  take(add("show", Action::show, "Show its digest, its targets and its toolchains"), "BUNDLE", 1, 1);
  take(add("diff", Action::diff, "List what one has and the other has not; exit status 1 if they differ"),
       "A B", 2, 2);
  auto* merge = add("merge", Action::merge, "Write one that has the kernels of all");
  take(merge, "BUNDLE", 1, kMany);
  merge->add_option("-o", arguments.output, "The bundle to write")->required()->type_name("PATH");
}

void addCoverage(CLI::App& app, CoverageArguments& arguments) {
  auto* command = app.add_subcommand(
      "coverage", "List the recorded kernels that a bundle, or kilnd, would not serve, and why");
  command->footer("The exit status is 1 if a recorded kernel would not be served.\n\n" + exitCodeHelp());
  command->add_option("LOCK", arguments.lock, "What kiln record wrote")->required()->type_name("");
  auto* bundle = command->add_option("BUNDLE", arguments.bundle, "What kiln build wrote")->type_name("");
  command->add_flag("--daemon", arguments.isOfDaemon, "Ask the kilnd that runs, in place of a bundle")
      ->excludes(bundle);
  repeatable(command->add_option(
                 "--target", arguments.targets,
                 "Such as sm_90a, for the kernels that are for its vendor; may be repeated. By default "
                 "those that each kernel was recorded for"))
      ->type_name("ARCHITECTURE");
}

void addWarm(CLI::App& app, WarmArguments& arguments) {
  auto* command = app.add_subcommand("warm", "Bring a bundle to kilnd, which then serves what it holds");
  command->footer("For root and the user that kilnd runs as; --list is for everyone.\n\n" + exitCodeHelp());
  auto* bundle =
      command->add_option("BUNDLE", arguments.bundle, "What kiln build wrote: a tar or a directory")
          ->type_name("");
  auto* list =
      command->add_flag("--list", arguments.list, "List the bundles that are there")->excludes(bundle);
  command
      ->add_option(
          "--remove", arguments.removed,
          "Forget what it brought and no other bundle has; by name, or the first digits of its digest")
      ->excludes(bundle)
      ->excludes(list)
      ->type_name("BUNDLE");
}

// A command without options of its own.
template <typename Arguments>
void addPlain(CLI::App& app, CommandLine& line, const char* name, const char* description) {
  app.add_subcommand(name, description)->callback([&line] { line.command = Arguments{}; });
}

// Takes what stands behind "--" off the line.
std::vector<std::string> takeOptions(std::vector<std::string>& arguments) {
  auto separator = std::find(arguments.begin(), arguments.end(), "--");
  if (separator == arguments.end()) return {};
  std::vector<std::string> options(separator + 1, arguments.end());
  arguments.erase(separator, arguments.end());
  return options;
}

Farewell farewell(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() != 0) return {ExitCode::usage, usageError(app, error)};
  std::ostringstream out;
  app.exit(error, out, out);
  return {ExitCode::done, out.str()};
}

// What the commands' own arguments cannot tell: that there is a command, and what may stand behind "--".
void checkLine(const CLI::App& app, const std::vector<std::string>& options) {
  if (app.get_subcommands().empty()) throw CLI::ValidationError("give a command");
  if (!options.empty() && !app.got_subcommand("compile") && !app.got_subcommand(kRun) &&
      !app.got_subcommand(kRecord)) {
    throw CLI::ValidationError("compile, run and record alone take what stands behind --, such as '" +
                               options.front() + "'");
  }
}

}  // namespace

std::variant<CommandLine, Farewell> parseArguments(std::vector<std::string> arguments) {
  CommandLine line;
  CompileArguments compile;
  RunArguments toRun;
  RecordArguments record;
  BuildArguments build;
  BundleArguments bundle;
  CoverageArguments coverage;
  WarmArguments warm;
  ToolchainsArguments toolchains;
  ShowArguments show;
  bool asJson = false;

  CLI::App app("kiln compiles GPU kernels once on this machine and keeps them", "kiln");
  app.set_version_flag("--version", "kiln " KILN_VERSION);
  app.add_flag("--json", asJson, "Print JSON; before or after the command");
  app.add_option("--socket", line.socket,
                 "kilnd's socket; KILN_SOCKET, else " + client::defaultSocket() + " by default")
      ->type_name("PATH");
  app.footer(exitCodeHelp());
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(0, 1);
  app.fallthrough();

  addCompile(app, compile);
  addRun(app, toRun);
  addRecord(app, record);
  addBuild(app, build);
  addBundle(app, bundle);
  addCoverage(app, coverage);
  addWarm(app, warm);
  addPlain<LanesArguments>(app, line, "lanes", "List kilnd's sockets, and which of them compile");
  app.add_subcommand("toolchains", "List the compilers that kilnd found")
      ->add_flag("--rescan", toolchains.rescan,
                 "Look for compilers once more: for what was added or taken away since kilnd started");
  addPlain<StatsArguments>(app, line, "stats", "Count hits, misses, compiles and failures");
  addPlain<ListArguments>(app, line, "ls", "List the entries of the cache");
  app.add_subcommand("show", "Show one entry: what it was compiled from and what it depends on")
      ->add_option("KEY", show.key, "The entry's key, or as many of its first digits as no other shares")
      ->required()
      ->type_name("");
  addPlain<StatusArguments>(app, line, "status", "Show what kilnd is doing");
  addPlain<StopArguments>(app, line, "stop", "End kilnd when its running compiles have ended");

  compile.options = takeOptions(arguments);
  toRun.compile.options = compile.options;
  record.command = compile.options;
  toRun.compile.target = kHost;
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    checkLine(app, compile.options);
    if (app.got_subcommand(kRecord) && record.command.empty() && record.merged.empty()) {
      throw CLI::ValidationError("give the command to record behind --, or --merge");
    }
    if (app.got_subcommand("coverage") && coverage.bundle.empty() && !coverage.isOfDaemon) {
      throw CLI::ValidationError("give the bundle, or --daemon");
    }
    if (app.got_subcommand("warm") && warm.bundle.empty() && !warm.list && warm.removed.empty()) {
      throw CLI::ValidationError("give the bundle, or --list or --remove");
    }
  } catch (const CLI::ParseError& error) {
    return farewell(app, error);
  }
  if (app.got_subcommand("compile")) line.command = std::move(compile);
  if (app.got_subcommand(kRun)) line.command = std::move(toRun);
  if (app.got_subcommand(kRecord)) line.command = std::move(record);
  if (app.got_subcommand(kBuild)) line.command = std::move(build);
  if (app.got_subcommand("bundle")) line.command = std::move(bundle);
  if (app.got_subcommand("coverage")) line.command = std::move(coverage);
  if (app.got_subcommand("warm")) line.command = std::move(warm);
  if (app.got_subcommand("toolchains")) line.command = toolchains;
  if (app.got_subcommand("show")) line.command = std::move(show);
  line.format = asJson ? Format::json : Format::text;
  return line;
}

}  // namespace kiln::cli
