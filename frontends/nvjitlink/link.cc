#include "frontends/nvjitlink/link.h"

#include <algorithm>
#include <utility>

#include "frontends/nvjitlink/failures.h"
#include "frontends/nvjitlink/printed_errors.h"

namespace kiln::nvjitlink {
namespace {

std::string textOf(LinkHandle handle, Result (*size)(LinkHandle, std::size_t*),
                   Result (*get)(LinkHandle, char*)) {
  std::size_t count = 0;
  if (size(handle, &count) != Result::success || count == 0) return {};
  std::string text(count, '\0');
  if (get(handle, text.data()) != Result::success) return {};
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace

std::expected<Link, Failure> Link::create(const Library& library, const std::string& source,
                                          const std::vector<std::string>& options) {
  std::vector<const char*> pointers;
  for (const auto& option : options) pointers.push_back(option.c_str());
  LinkHandle handle = nullptr;
  auto result = library->create(&handle, static_cast<std::uint32_t>(pointers.size()), pointers.data());
  Link link(library, source, handle);
  if (auto created = link.check(result, source, Step::create); !created)
    return std::unexpected(std::move(created.error()));
  return link;
}

Link::Link(const Library& library, std::string source, LinkHandle handle)
    : library_(&library), source_(std::move(source)), handle_(handle) {}

Link::Link(Link&& other) noexcept
    : library_(other.library_),
      source_(std::move(other.source_)),
      names_(std::move(other.names_)),
      handle_(std::exchange(other.handle_, nullptr)) {}

Link::~Link() {
  if (handle_ != nullptr) (*library_)->destroy(&handle_);
}

std::expected<void, Failure> Link::add(const Input& input) {
  const auto type = isLtoIr(input.content) ? InputType::ltoIr : InputType::ptx;
  const auto& name = names_.emplace_back(input.name);
  return step(name, [&] {
    return (*library_)->addData(handle_, type, input.content.data(), input.content.size(), name.c_str());
  });
}

// Of a symbol that two inputs define nvJitLink prints an error, and calls it a success.
template <typename Call>
std::expected<void, Failure> Link::step(std::string_view name, const Call& call) {
  if (names_.size() == 1) return check(call(), name);
  const PrintedErrors printed;
  if (!printed.areKept()) {
    return std::unexpected(Failure{FailureKind::internal, "compiling '" + std::string(name) +
                                                              "': the system gives no descriptors to keep "
                                                              "what nvJitLink prints; ask again"});
  }
  if (auto done = check(call(), name); !done) return done;
  const auto text = printed.text();
  if (!saysLinkError(text)) return {};
  return std::unexpected(
      failureOf(Step::compile, Result::internal, compiler(), name, text, errors() + warnings() + text));
}

std::expected<Artifact, Failure> Link::run() {
  if (auto completed = step(source_, [&] { return (*library_)->complete(handle_); }); !completed) {
    return std::unexpected(std::move(completed.error()));
  }
  std::size_t size = 0;
  auto result = (*library_)->getLinkedCubinSize(handle_, &size);
  Output cubin{OutputKind::cubin, std::string(size, '\0'), {}};
  if (result == Result::success) result = (*library_)->getLinkedCubin(handle_, cubin.bytes.data());
  if (auto got = check(result, source_); !got) return std::unexpected(std::move(got.error()));
  Artifact artifact;
  artifact.outputs.push_back(std::move(cubin));
  artifact.log = errors() + warnings();
  return artifact;
}

std::string Link::compiler() const { return "nvJitLink " + library_->version(); }

std::expected<void, Failure> Link::check(Result result, std::string_view name, Step step) {
  if (result == Result::success) return {};
  const auto written = errors();
  return std::unexpected(failureOf(step, result, compiler(), name, written, written + warnings()));
}

// Of a handle that could not be created there may be none.
std::string Link::errors() const {
  if (handle_ == nullptr) return {};
  return textOf(handle_, (*library_)->getErrorLogSize, (*library_)->getErrorLog);
}

std::string Link::warnings() const {
  if (handle_ == nullptr) return {};
  return textOf(handle_, (*library_)->getInfoLogSize, (*library_)->getInfoLog);
}

}  // namespace kiln::nvjitlink
