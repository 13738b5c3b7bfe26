// The capability through which kilnd asks for the client's files: one for each call, answered off the
// loop.
#pragma once

#include <memory>

#include "client/file_view.h"
#include "client/files_ahead.h"
#include "client/memory.h"
#include "client/worker_pool.h"
#include "kiln.capnp.h"

namespace kiln::client {

// `workers` belong to the loop that serves it, and outlive it.
class FileSource final : public schema::FileSource::Server {
 public:
  FileSource(WorkerPool& workers, std::shared_ptr<const FileView> reader, std::shared_ptr<FilesAhead> ahead,
             Memory memory);

  kj::Promise<void> look(LookContext context) override;
  kj::Promise<void> digests(DigestsContext context) override;
  kj::Promise<void> fingerprint(FingerprintContext context) override;
  kj::Promise<void> list(ListContext context) override;
  kj::Promise<void> readLink(ReadLinkContext context) override;
  kj::Promise<void> resolve(ResolveContext context) override;

 private:
  using Question = FileAnswer (FileView::*)(const std::string& path) const;
  // By several workers, each a part of the list.
  kj::Promise<FileView::Digests> digestsOf(std::shared_ptr<const QuestionList> list);
  template <typename Context>
  kj::Promise<void> answerOne(Context context, Question question);

  WorkerPool& workers_;
  std::shared_ptr<const FileView> reader_;
  std::shared_ptr<FilesAhead> ahead_;
  Memory memory_;
};

}  // namespace kiln::client
