#include "frontends/pool/amounts.h"

#include <cstdio>

namespace kiln {
namespace {

std::string withUnit(double amount, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, "%.4g %s", amount, unit);
  return text;
}

}  // namespace

std::string describeBytes(std::uint64_t bytes) {
  double mebibytes = static_cast<double>(bytes) / (1 << 20);
  return mebibytes < 1024 ? withUnit(mebibytes, "MiB") : withUnit(mebibytes / 1024, "GiB");
}

std::string describeDuration(std::chrono::milliseconds duration) {
  auto milliseconds = static_cast<double>(duration.count());
  return milliseconds < 1000 ? withUnit(milliseconds, "ms") : withUnit(milliseconds / 1000, "s");
}

}  // namespace kiln
