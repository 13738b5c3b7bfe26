#include "jit/store.h"

#include "jit/request_hash.h"

namespace kiln {

EntrySummary summaryOf(const Entry& entry, const Target& target) {
  EntrySummary summary{entry.key,
                       entry.domain,
                       entry.names.source,
                       target,
                       entry.toolchainName,
                       {},
                       0,
                       entry.compileMilliseconds,
                       entry.createdAt};
  if (const auto* failure = std::get_if<Failure>(&entry.result)) {
    summary.failure = failure->kind;
  } else {
    for (const auto& output : std::get<Artifact>(entry.result).outputs) summary.bytes += output.bytes.size();
  }
  return summary;
}

std::string whyNotStorable(const Entry& entry, const Request& request) {
  auto refused = [&](std::string_view reason) {
    return "the entry " + entry.key.hex() + " of '" + entry.names.source +
           "' was not stored: " + std::string(reason) + "; this is a defect of kiln";
  };
  if (entry.key != entryKey(entry)) return refused("its key is not the key of its content");
  if (entry.requestHash != requestHash(request)) return refused("its request is another than the one given");
  if (entry.domain.size() > kMaxDomainLength) return refused("the name of its domain is too long");
  return {};
}

std::string whyNotStorable(const BundleRecord& bundle) {
  if (bundle.domain.size() <= kMaxDomainLength) return {};
  return "the bundle '" + bundle.name + "' was not stored: the name of its domain is too long; this is a " +
         "defect of kiln";
}

std::string whyNotStorable(const BundleRecord& bundle, const Entry& entry, const Request& request) {
  if (entry.domain == bundle.domain) return whyNotStorable(entry, request);
  return "the entry " + entry.key.hex() + " of '" + entry.names.source + "' was not stored: its domain '" +
         entry.domain + "' is not that of the bundle '" + bundle.name + "', which is '" + bundle.domain +
         "'; this is a defect of kiln";
}

}  // namespace kiln
