// What a client expects to be asked, fetched while the compiler works on what it has.
#pragma once

#include <kj/async.h>

#include <string>
#include <vector>

#include "jit/files.h"
#include "kiln.capnp.h"

namespace kiln {

// Belongs to one client's FileSource. Holds a few MiB at most, each answer until it is handed out once.
class FetchedAhead {
 public:
  explicit FetchedAhead(schema::FileSource::Client source) : source_(kj::mv(source)) {}
  KJ_DISALLOW_COPY(FetchedAhead);

  // The reply to a look at `path`, with all else that is here, if it was fetched or is on its way.
  kj::Promise<kj::Maybe<FileReply>> find(std::string path);
  // Adds all that is here to `reply`, which the client gave to a question, and lets it go on from there.
  void addTo(FileReply& reply);

 private:
  kj::Maybe<FileReply> take(const std::string& path);
  void fetch();
  kj::Promise<void> fetchBatches();
  void keep(std::vector<AheadAnswer> batch);

  schema::FileSource::Client source_;
  std::vector<AheadAnswer> kept_;
  std::size_t keptBytes_ = 0;
  bool isFetching_ = false;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiting_;  // for the batch that is being fetched
  kj::Promise<void> fetching_ = kj::READY_NOW;
};

}  // namespace kiln
