#include "client/cli/usage.h"

#include <vector>

namespace kiln::cli {
namespace {

// Those that hand on what stands behind "--" to a compiler.
bool takesOptions(const std::string& command) { return command == "compile" || command == "run"; }

// The command that the line names; empty if none.
std::string commandOf(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? "" : commands.front()->get_name();
}

bool isOption(const std::string& argument) { return argument.size() > 1 && argument.front() == '-'; }

// What to say of an argument that nothing takes.
std::string unexpected(const std::string& command, const std::string& argument) {
  const auto quoted = "'" + argument + "'";
  if (!isOption(argument)) {
    if (command == "run")
      return "run does not expect " + quoted + "; an argument of the kernel stands behind --arg";
    return command.empty() ? "there is no command " + quoted : command + " does not expect " + quoted;
  }
  auto text = (command.empty() ? "kiln" : command) + " knows no option " + quoted;
  if (takesOptions(command)) {
    text += "; options for the compiler stand behind --: kiln " + command + " FILE" +
            (command == "compile" ? " --target T" : " --kernel NAME") + " -- " + argument;
  }
  return text;
}

std::string whatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  const auto leftOver = app.remaining(true);
  // What is required and missing may be there, misspelt.
  const auto isMisspelt = [&] {
    return dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && isOption(leftOver.front());
  };
  const bool isLeftOver =
      !leftOver.empty() && (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr || isMisspelt());
  return isLeftOver ? unexpected(commandOf(app), leftOver.front()) : error.what();
}

}  // namespace

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  auto usage = CLI::Formatter::make_usage(app, std::move(name));
  const std::string behind = takesOptions(app->get_name()) ? " [-- OPTION...]"
                             : app->get_name() == "record" ? " [-- COMMAND...]"
                                                           : "";
  usage.insert(usage.find_last_not_of('\n') + 1, behind);
  return usage;
}

std::string HelpFormatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const {
  const auto* program = app->get_parent();
  const bool hasCommands = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  if (program == nullptr || hasCommands) return CLI::Formatter::make_subcommands(app, mode);
  return make_group("Options of every command", false, program->get_options([](const CLI::Option* option) {
    return option->get_name() == "--json" || option->get_name() == "--socket";
  }));
}

std::string usageError(const CLI::App& app, const CLI::ParseError& error) {
  const auto command = commandOf(app);
  return "kiln: " + whatIsWrong(app, error) + "\nSee kiln " + (command.empty() ? "" : command + " ") +
         "--help.\n";
}

}  // namespace kiln::cli
