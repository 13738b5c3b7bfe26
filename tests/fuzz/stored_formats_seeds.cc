// One encoded value of each format, as seeds: without the checksum, which the target adds.
#include "cache/bundle_format.h"
#include "cache/entry_format.h"
#include "cache/manifest_format.h"
#include "cache/request_format.h"
#include "cache/summary_format.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/samples.h"

namespace kiln::fuzz {

std::vector<std::string> seeds() {
  auto request = test::sampleRequest();
  auto entry = test::sampleEntry(request);
  std::vector<std::string> seeds = {encodeEntry(entry),
                                    encodeEntry(test::sampleFailureEntry(request)),
                                    encodeManifest({manifestOf(entry), 1}),
                                    encodeRequest(request),
                                    encodeRequest(test::sampleLinkRequest()),
                                    encodeSummary({summaryOf(entry, request.target), entry.requestHash}),
                                    encodeBundle(test::sampleBundle())};
  for (auto& seed : seeds) seed.resize(seed.size() - 8);
  return seeds;
}

}  // namespace kiln::fuzz
