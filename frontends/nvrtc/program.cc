#include "frontends/nvrtc/program.h"

#include <algorithm>
#include <utility>

#include "frontends/nvrtc/failures.h"

namespace kiln::nvrtc {
namespace {

std::vector<const char*> pointersTo(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const auto& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

void dropTerminator(std::string& text) {
  if (!text.empty() && text.back() == '\0') text.pop_back();
}

}  // namespace

std::expected<Program, Failure> Program::create(const Library& library, const Request& request) {
  std::vector<const char*> names;
  std::vector<const char*> contents;
  for (const auto& header : request.headers) {
    names.push_back(header.name.c_str());
    contents.push_back(header.content.c_str());
  }
  ProgramHandle handle = nullptr;
  auto result = library->createProgram(&handle, request.source.c_str(), request.names.source.c_str(),
                                       static_cast<int>(names.size()), contents.data(), names.data());
  if (result != Result::success) {
    return std::unexpected(callFailure(library, result, "nvrtcCreateProgram", request.names.source));
  }
  Program program(library, request, handle);
  for (const auto& expression : request.nameExpressions) {
    auto added =
        program.check(library->addNameExpression(handle, expression.c_str()), "nvrtcAddNameExpression");
    if (!added) return std::unexpected(std::move(added.error()));
  }
  return program;
}

Program::~Program() {
  if (handle_ != nullptr) library_->destroyProgram(&handle_);
}

Program::Program(Program&& other) noexcept
    : library_(other.library_), request_(other.request_), handle_(std::exchange(other.handle_, nullptr)) {}

std::expected<void, Failure> Program::compile(const std::vector<std::string>& options) {
  auto pointers = pointersTo(options);
  auto result = library_->compileProgram(handle_, static_cast<int>(pointers.size()), pointers.data());
  if (result == Result::success) return {};
  auto written = log();
  return std::unexpected(
      compileFailure(library_, result, request_.names.source, written ? std::move(*written) : std::string()));
}

std::expected<Output, Failure> Program::output(OutputKind kind) {
  std::expected<std::string, Failure> content;
  switch (kind) {
    case OutputKind::cubin:
      content = bytes(library_->getCUBINSize, library_->getCUBIN, "nvrtcGetCUBIN");
      break;
    case OutputKind::ptx:
      content = bytes(library_->getPTXSize, library_->getPTX, "nvrtcGetPTX");
      if (content) dropTerminator(*content);
      break;
    case OutputKind::ltoir:
      content = bytes(library_->getLTOIRSize, library_->getLTOIR, "nvrtcGetLTOIR");
      break;
  }
  if (!content) return std::unexpected(std::move(content.error()));
  return Output{kind, std::move(*content), {}};
}

std::expected<std::string, Failure> Program::log() {
  auto text = bytes(library_->getProgramLogSize, library_->getProgramLog, "nvrtcGetProgramLog");
  if (text) dropTerminator(*text);
  return text;
}

std::expected<std::vector<LoweredName>, Failure> Program::loweredNames() {
  std::vector<LoweredName> names;
  for (const auto& expression : request_.nameExpressions) {
    bool known = std::any_of(names.begin(), names.end(),
                             [&](const LoweredName& name) { return name.expression == expression; });
    if (known) continue;
    const char* lowered = nullptr;
    auto result = library_->getLoweredName(handle_, expression.c_str(), &lowered);
    if (auto checked = check(result, "nvrtcGetLoweredName"); !checked)
      return std::unexpected(std::move(checked.error()));
    names.push_back({expression, lowered});
  }
  return names;
}

std::expected<void, Failure> Program::check(Result result, const char* function) {
  if (result == Result::success) return {};
  return std::unexpected(callFailure(library_, result, function, request_.names.source));
}

std::expected<std::string, Failure> Program::bytes(Result (*size)(ProgramHandle, std::size_t*),
                                                   Result (*get)(ProgramHandle, char*),
                                                   const char* function) {
  std::size_t count = 0;
  if (auto checked = check(size(handle_, &count), function); !checked)
    return std::unexpected(std::move(checked.error()));
  std::string content(count, '\0');
  if (auto checked = check(get(handle_, content.data()), function); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return content;
}

}  // namespace kiln::nvrtc
