// The commands that ask kilnd one thing and print its answer.

#include <algorithm>
#include <iostream>

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

// Why kilnd, which has `entries`, shows none for a key that begins with `prefix`.
std::string whyNotShown(const std::string& prefix, const std::vector<EntrySummary>& entries) {
  const auto matching = std::ranges::count_if(
      entries, [&](const EntrySummary& entry) { return entry.key.hex().starts_with(prefix); });
  const auto quoted = "'" + prefix + "'";
  if (matching == 0) return "no entry's key begins with " + quoted + "; kiln ls lists them";
  if (matching > 1) return "several entries' keys begin with " + quoted + "; give more of it";
  return "the entry whose key begins with " + quoted + " can no longer be read";
}

}  // namespace

ExitCode run(const Context& context, const ToolchainsArguments& arguments) {
  using Scan = client::Client::Scan;
  client::Client client(context.client);
  auto toolchains = client.toolchains(arguments.rescan ? Scan::always : Scan::ifChanged);
  if (!toolchains) return fail(context, toolchains.error());
  if (toolchains->empty() && context.format == Format::text) {
    std::cout << "no toolchain found; install one and run kiln toolchains --rescan, or name a libnvrtc in "
                 "toolchains.paths of kilnd's configuration and restart it\n";
    return ExitCode::done;
  }
  print(context, reportOf(*toolchains));
  return ExitCode::done;
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
  if (*entry) {
    print(context, reportOf(**entry));
    return ExitCode::done;
  }
  auto entries = client.list();
  if (!entries) return fail(context, entries.error());
  return fail(context, ExitCode::refused, "no_such_entry", whyNotShown(arguments.key, *entries));
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
