//===- Status.cpp - Errors across the C interface -------------------------===//

#include "Status.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/Tool.h"
#include "llvm/ADT/StringExtras.h"
#include <new>
#include <string>

using namespace ssmq;
using llvm::Error;

static thread_local std::string lastMessage;

const char *ssmqGetErrorMessage() { return lastMessage.c_str(); }

Error capi::usageError(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
}

Error capi::checkPointers(std::initializer_list<const void *> pointers) {
  for (auto [index, pointer] : llvm::enumerate(pointers))
    if (!pointer)
      return usageError("pointer argument " + llvm::Twine(index + 1) + " is null");
  return Error::success();
}

static SsmqStatus fail(SsmqStatus status, llvm::StringRef message) {
  lastMessage.clear();
  for (llvm::StringRef line : llvm::split(message, '\n')) {
    line = line.trim();
    if (!line.empty())
      lastMessage += (lastMessage.empty() ? "" : "; ") + toOneLine(line);
  }
  return status;
}

SsmqStatus capi::guard(llvm::function_ref<Error()> body) {
  try {
    Error error = body();
    if (!error)
      return SSMQ_OK;
    SsmqStatus status = SSMQ_OK;
    std::string message;
    llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &one) {
      message += one.message() + "\n";
      if (status == SSMQ_OK)
        status = static_cast<SsmqStatus>(getExitCode(one.convertToErrorCode(), one.message()));
    });
    return fail(status, message);
  } catch (const std::bad_alloc &) {
    return fail(SSMQ_RESOURCE_ERROR, "out of memory");
  } catch (const std::exception &exception) {
    return fail(SSMQ_INTERNAL_ERROR, exception.what());
  }
}
