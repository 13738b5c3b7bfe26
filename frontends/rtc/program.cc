#include "frontends/rtc/program.h"

#include <algorithm>
#include <set>
#include <utility>

#include "frontends/rtc/failures.h"

namespace kiln::rtc {
namespace {

std::vector<const char*> pointersTo(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const auto& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

std::expected<Program, Failure> Program::create(const Api& api, const Request& request) {
  std::vector<const char*> names;
  std::vector<const char*> contents;
  for (const auto& header : request.headers) {
    names.push_back(header.name.c_str());
    contents.push_back(header.content.c_str());
  }
  ProgramHandle handle = nullptr;
  auto result = api->createProgram(&handle, request.source.c_str(), request.names.source.c_str(),
                                   static_cast<int>(names.size()), contents.data(), names.data());
  if (result != Result::success) {
    return std::unexpected(callFailure(api, result, "CreateProgram", request.names.source));
  }
  Program program(api, request, handle);
  for (const auto& expression : std::set(request.nameExpressions.begin(), request.nameExpressions.end())) {
    auto added = program.check(api->addNameExpression(handle, expression.c_str()), "AddNameExpression");
    if (!added) return std::unexpected(std::move(added.error()));
  }
  return program;
}

Program::~Program() {
  if (handle_ != nullptr) api_->destroyProgram(&handle_);
}

Program::Program(Program&& other) noexcept
    : api_(other.api_), request_(other.request_), handle_(std::exchange(other.handle_, nullptr)) {}

Result Program::compile(const std::vector<std::string>& options) {
  auto pointers = pointersTo(options);
  return api_->compileProgram(handle_, static_cast<int>(pointers.size()), pointers.data());
}

std::expected<std::string, Failure> Program::bytes(GetSize size, GetBytes get, std::string_view function) {
  std::size_t count = 0;
  if (auto checked = check(size(handle_, &count), std::string(function) + "Size"); !checked)
    return std::unexpected(std::move(checked.error()));
  std::string content(count, '\0');
  if (auto checked = check(get(handle_, content.data()), function); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return content;
}

std::expected<std::string, Failure> Program::text(GetSize size, GetBytes get, std::string_view function) {
  auto content = bytes(size, get, function);
  if (content && content->ends_with('\0')) content->pop_back();
  return content;
}

std::expected<std::string, Failure> Program::log() {
  return text(api_->getProgramLogSize, api_->getProgramLog, "GetProgramLog");
}

std::expected<std::vector<LoweredName>, Failure> Program::loweredNames() {
  std::vector<LoweredName> names;
  for (const auto& expression : request_.nameExpressions) {
    bool known = std::any_of(names.begin(), names.end(),
                             [&](const LoweredName& name) { return name.expression == expression; });
    if (known) continue;
    const char* lowered = nullptr;
    auto result = api_->getLoweredName(handle_, expression.c_str(), &lowered);
    if (auto checked = check(result, "GetLoweredName"); !checked)
      return std::unexpected(std::move(checked.error()));
    names.push_back({expression, lowered});
  }
  return names;
}

std::expected<void, Failure> Program::check(Result result, std::string_view function) {
  if (result == Result::success) return {};
  return std::unexpected(callFailure(api_, result, function, request_.names.source));
}

}  // namespace kiln::rtc
