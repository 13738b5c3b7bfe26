#include "client/c_result.h"

#include <algorithm>

namespace kiln::client {
namespace {

kiln_status statusOf(FailureKind kind) { return static_cast<kiln_status>(kind); }

static_assert(KILN_COMPILE_ERROR == static_cast<int>(FailureKind::compileError));
static_assert(KILN_INVALID_REQUEST == static_cast<int>(FailureKind::invalidRequest));
static_assert(KILN_UNSUPPORTED_TARGET == static_cast<int>(FailureKind::unsupportedTarget));
static_assert(KILN_TOOLCHAIN_UNAVAILABLE == static_cast<int>(FailureKind::toolchainUnavailable));
static_assert(KILN_TIMEOUT == static_cast<int>(FailureKind::timeout));
static_assert(KILN_MEMORY_LIMIT == static_cast<int>(FailureKind::memoryLimit));
static_assert(KILN_COMPILER_CRASH == static_cast<int>(FailureKind::compilerCrash));
static_assert(KILN_NOT_PINNED == static_cast<int>(FailureKind::notPinned));
static_assert(KILN_OVERLOADED == static_cast<int>(FailureKind::overloaded));
static_assert(KILN_INTERNAL == static_cast<int>(FailureKind::internal));
static_assert(KILN_FILE_UNAVAILABLE == static_cast<int>(FailureKind::fileUnavailable));
static_assert(KILN_CUDA == static_cast<int>(Language::cuda));
static_assert(KILN_HIP == static_cast<int>(Language::hip));
static_assert(KILN_PTX == static_cast<int>(Language::ptx));
static_assert(KILN_LLVM_IR == static_cast<int>(Language::llvmIr));
static_assert(KILN_MLIR == static_cast<int>(Language::mlir));
static_assert(KILN_OUTPUT_LTOIR == static_cast<int>(OutputKind::ltoir));
static_assert(KILN_OUTPUT_BITCODE == static_cast<int>(OutputKind::bitcode));
static_assert(KILN_OUTPUT_SHARED_OBJECT == static_cast<int>(OutputKind::sharedObject));
static_assert(KILN_RESOURCE_DYNAMIC_STACK == static_cast<int>(Resource::dynamicStack));
static_assert(KILN_DEPENDENCY_OTHER == static_cast<int>(FileKind::other));
static_assert(KILN_JOINED == static_cast<int>(Reply::How::joined));

// The item at `index` of what `list` gives, nothing if out of range or `result` is null.
template <typename List>
auto at(const kiln_result* result, std::size_t index, List list) -> decltype(list(*result).data()) {
  if (result == nullptr || index >= list(*result).size()) return nullptr;
  return list(*result).data() + index;
}

const OutputReply* output(const kiln_result* result, std::size_t index) {
  return at(result, index, [](const kiln_result& of) -> const auto& { return of.reply.outputs; });
}

const Dependency* dependency(const kiln_result* result, std::size_t index) {
  return at(result, index, [](const kiln_result& of) -> const auto& { return *of.reply.dependencies; });
}

const LoweredName* loweredName(const kiln_result* result, std::size_t index) {
  return at(result, index, [](const kiln_result& of) -> const auto& { return of.reply.loweredNames; });
}

const KernelResources* kernel(const kiln_result* result, std::size_t index) {
  return at(result, index, [](const kiln_result& of) -> const auto& { return of.reply.resources.kernels; });
}

const char* orEmpty(const std::string* text) { return text != nullptr ? text->c_str() : ""; }

}  // namespace

std::unique_ptr<kiln_result> resultOf(Reached<Reply> reply) {
  auto result = std::make_unique<kiln_result>();
  if (!reply) {
    result->status = KILN_UNREACHABLE;
    result->message = std::move(reply.error().message);
    return result;
  }
  result->reply = std::move(*reply);
  if (result->reply.failure) {
    result->status = statusOf(result->reply.failure->kind);
    result->message = result->reply.failure->message;
  }
  for (const auto& output : result->reply.outputs) result->outputDigests.push_back(output.sha256.hex());
  return result;
}

std::unique_ptr<kiln_result> resultOf(Failure failure) {
  Reply reply;
  reply.log = failure.log;
  reply.failure = std::move(failure);
  return resultOf(Reached<Reply>(std::move(reply)));
}

}  // namespace kiln::client

using namespace kiln::client;

const kiln_result::DependencyTexts& kiln_result::dependencyTexts() const {
  std::call_once(once_, [this] {
    for (const auto& dependency : *reply.dependencies) {
      dependencyTexts_.paths.push_back(describe(dependency.path));
      dependencyTexts_.digests.push_back(dependency.sha256.isZero() ? "" : dependency.sha256.hex());
    }
  });
  return dependencyTexts_;
}

extern "C" {

const char* kiln_status_name(kiln_status status) {
  switch (static_cast<int>(status)) {
    case KILN_OK:
      return "ok";
    case KILN_UNREACHABLE:
      return "unreachable";
    case KILN_OUT_OF_MEMORY:
      return "out_of_memory";
    case KILN_DRIVER_UNAVAILABLE:
      return "driver_unavailable";
    case KILN_BINARY_REFUSED:
      return "binary_refused";
    case KILN_BINARY_UNFIT:
      return "binary_unfit";
    case KILN_NO_SUCH_KERNEL:
      return "no_such_kernel";
    default:
      break;
  }
  auto number = static_cast<unsigned>(status);
  auto kind =
      number <= UINT16_MAX ? kiln::failureKindFromNumber(static_cast<std::uint16_t>(number)) : std::nullopt;
  return kind ? kiln::name(*kind).data() : "unknown";
}

void kiln_result_free(kiln_result* result) { delete result; }

kiln_status kiln_result_status(const kiln_result* result) {
  return result != nullptr ? result->status : KILN_INVALID_REQUEST;
}

const char* kiln_result_message(const kiln_result* result) {
  return result != nullptr ? result->message.c_str() : "";
}

const char* kiln_result_log(const kiln_result* result, size_t* size) {
  if (size != nullptr) *size = result != nullptr ? result->reply.log.size() : 0;
  return result != nullptr ? result->reply.log.c_str() : "";
}

kiln_outcome kiln_result_outcome(const kiln_result* result) {
  return result != nullptr ? static_cast<kiln_outcome>(result->reply.how) : KILN_MISS;
}

const char* kiln_result_miss_reason(const kiln_result* result) {
  return result != nullptr ? result->reply.missReason.c_str() : "";
}

const char* kiln_result_not_remembered(const kiln_result* result) {
  return result != nullptr ? result->reply.notRemembered.c_str() : "";
}

const char* kiln_result_key(const kiln_result* result) {
  return result != nullptr ? result->reply.key.c_str() : "";
}

const char* kiln_result_toolchain(const kiln_result* result) {
  return result != nullptr ? result->reply.toolchain.c_str() : "";
}

double kiln_result_compile_ms(const kiln_result* result) {
  return result != nullptr ? result->reply.compileMilliseconds : 0;
}

double kiln_result_total_ms(const kiln_result* result) {
  return result != nullptr ? result->reply.totalMilliseconds : 0;
}

size_t kiln_result_output_count(const kiln_result* result) {
  return result != nullptr ? result->reply.outputs.size() : 0;
}

kiln_output_kind kiln_result_output_kind(const kiln_result* result, size_t index) {
  const auto* found = output(result, index);
  return static_cast<kiln_output_kind>(found != nullptr ? static_cast<int>(found->kind) : 0);
}

const void* kiln_result_output_data(const kiln_result* result, size_t index) {
  const auto* found = output(result, index);
  return found != nullptr ? found->bytes.data() : nullptr;
}

size_t kiln_result_output_size(const kiln_result* result, size_t index) {
  const auto* found = output(result, index);
  return found != nullptr ? found->bytes.size() : 0;
}

const char* kiln_result_output_sha256(const kiln_result* result, size_t index) {
  return orEmpty(at(result, index, [](const kiln_result& of) -> const auto& { return of.outputDigests; }));
}

const char* kiln_result_lowered_name(const kiln_result* result, const char* expression) {
  if (result == nullptr || expression == nullptr) return "";
  const auto& names = result->reply.loweredNames;
  auto found = std::find_if(names.begin(), names.end(),
                            [&](const kiln::LoweredName& name) { return name.expression == expression; });
  return found != names.end() ? found->lowered.c_str() : "";
}

size_t kiln_result_lowered_name_count(const kiln_result* result) {
  return result != nullptr ? result->reply.loweredNames.size() : 0;
}

const char* kiln_result_lowered_name_expression(const kiln_result* result, size_t index) {
  const auto* found = loweredName(result, index);
  return found != nullptr ? found->expression.c_str() : "";
}

const char* kiln_result_lowered_name_at(const kiln_result* result, size_t index) {
  const auto* found = loweredName(result, index);
  return found != nullptr ? found->lowered.c_str() : "";
}

size_t kiln_result_kernel_count(const kiln_result* result) {
  return result != nullptr ? result->reply.resources.kernels.size() : 0;
}

const char* kiln_result_kernel_name(const kiln_result* result, size_t index) {
  const auto* found = kernel(result, index);
  return found != nullptr ? found->kernel.c_str() : "";
}

int64_t kiln_result_kernel_resource(const kiln_result* result, size_t index, kiln_resource resource) {
  const auto* found = kernel(result, index);
  if (found == nullptr) return -1;
  auto figure = found->figures.find(static_cast<kiln::Resource>(resource));
  return figure != found->figures.end() ? int64_t{figure->second} : -1;
}

const char* kiln_result_resources_problem(const kiln_result* result) {
  return result != nullptr ? result->reply.resources.problem.c_str() : "";
}

size_t kiln_result_dependency_count(const kiln_result* result) {
  return result != nullptr ? result->reply.dependencies->size() : 0;
}

const char* kiln_result_dependency_path(const kiln_result* result, size_t index) {
  return orEmpty(
      at(result, index, [](const kiln_result& of) -> const auto& { return of.dependencyTexts().paths; }));
}

kiln_dependency_kind kiln_result_dependency_kind(const kiln_result* result, size_t index) {
  const auto* found = dependency(result, index);
  return static_cast<kiln_dependency_kind>(found != nullptr ? static_cast<int>(found->kind) : 0);
}

const char* kiln_result_dependency_sha256(const kiln_result* result, size_t index) {
  return orEmpty(
      at(result, index, [](const kiln_result& of) -> const auto& { return of.dependencyTexts().digests; }));
}

}  // extern "C"
