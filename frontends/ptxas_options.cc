#include "frontends/ptxas_options.h"

#include <algorithm>
#include <array>

#include "frontends/refusals.h"

namespace kiln {
namespace {

// By name without dashes. ptxas knows short and long names and, for some, aliases.
constexpr std::string_view kTimes = "ptxas then prints how long it took, which is another text every time";
constexpr std::string_view kReads = "ptxas then takes other input than the request's";
constexpr std::string_view kPrints = "ptxas then says something of itself, or is called otherwise";
constexpr std::string_view kFiles = "ptxas then writes a file";
constexpr std::array kRefused = {
    Refusal{"v", kTimes},
    Refusal{"verbose", kTimes},
    Refusal{"compilerStats", kTimes},
    Refusal{"compiler-stats", kTimes},
    Refusal{"compilerStatsFile", kFiles},
    Refusal{"compiler-stats-file", kFiles},
    Refusal{"timeTraceFile", kFiles},
    Refusal{"fdevice-time-trace", kFiles},
    Refusal{"ftracePhaseAfter", kFiles},
    Refusal{"ftrace-phase-after", kFiles},
    Refusal{"use-trace-pid", kFiles},
    Refusal{"o", kFiles},
    Refusal{"output-file", kFiles},
    Refusal{"split-compile", "ptxas then starts threads; kiln compiles on one, and many side by side"},
    Refusal{"query-controls", kFiles},
    Refusal{"apply-controls", kReads},
    Refusal{"uidx", kReads},
    Refusal{"nv-host", kReads},
    Refusal{"input-as-string", kReads},
    Refusal{"ias", kReads},
    Refusal{"h", kPrints},
    Refusal{"help", kPrints},
    Refusal{"V", kPrints},
    Refusal{"version", kPrints},
    Refusal{"tool-name", kPrints},
    Refusal{"arch", kNamesTarget},
    Refusal{"gpu-name", kNamesTarget},
    Refusal{"optf", "ptxas then reads more options from a file, where kiln does not see them"},
    Refusal{"options-file", "ptxas then reads more options from a file, where kiln does not see them"},
};

std::string_view ptxasName(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of('-'), value.size()));
  return value.substr(0, value.find_first_of("= \t"));
}

}  // namespace

std::string_view refusalOfPtxasOption(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (!value.empty() && !value.starts_with('-')) return kReads;  // the name of a file
  return reasonFor(ptxasName(value), kRefused);
}

}  // namespace kiln
