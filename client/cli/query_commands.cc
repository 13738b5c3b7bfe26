// The commands that ask kilnd one thing and print its answer.

#include "client/cli/commands.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

// What one of Client's methods answers, printed.
template <typename Answer, typename... Parameters>
ExitCode printAnswer(const Context& context, client::Reached<Answer> (client::Client::*ask)(Parameters...),
                     Parameters... parameters) {
  client::Client client(context.client);
  auto answer = (client.*ask)(parameters...);
  if (!answer) return fail(context, answer.error());
  print(context, reportOf(*answer));
  return ExitCode::done;
}

}  // namespace

ExitCode run(const Context& context, const ToolchainsArguments& arguments) {
  using Scan = client::Client::Scan;
  return printAnswer(context, &client::Client::toolchains, arguments.rescan ? Scan::always : Scan::ifChanged);
}

ExitCode run(const Context& context, const StatsArguments&) {
  return printAnswer(context, &client::Client::stats);
}

ExitCode run(const Context& context, const ListArguments&) {
  return printAnswer(context, &client::Client::list);
}

ExitCode run(const Context& context, const StatusArguments&) {
  return printAnswer(context, &client::Client::status);
}

ExitCode run(const Context& context, const ShowArguments& arguments) {
  client::Client client(context.client);
  auto entry = client.show(arguments.key);
  if (!entry) return fail(context, entry.error());
  if (!*entry) {
    return fail(context, ExitCode::refused, "no_such_entry",
                "no single entry has a key that begins with '" + arguments.key +
                    "'; kiln ls lists the keys, give more of one");
  }
  print(context, reportOf(**entry));
  return ExitCode::done;
}

ExitCode run(const Context& context, const StopArguments&) {
  client::Client client(context.client);
  auto stopped = client.stop();
  if (!stopped) return fail(context, stopped.error());
  Report report;
  report.add("stopped", true);
  print(context, report);
  return ExitCode::done;
}

}  // namespace kiln::cli
