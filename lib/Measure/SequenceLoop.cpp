//===- SequenceLoop.cpp - Work on sequences at the same time --------------===//

#include "SequenceLoop.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/Parallel.h"
#include <mutex>

using namespace ssmq;
using llvm::Error;

/// The error with its code, from which exit codes follow.
static Error addPlace(int64_t sequence, Error error) {
  std::string text;
  std::error_code code;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &one) {
    text = one.message();
    code = one.convertToErrorCode();
  });
  return llvm::createStringError(
      code, llvm::Twine(llvm::formatv("sequence {0}: {1}", sequence, toOneLine(text)).str()));
}

Error ssmq::forEachSequence(unsigned threads, int64_t begin, int64_t end,
                            llvm::function_ref<Error(int64_t)> body) {
  std::mutex mutex;
  Error failure = Error::success();
  parallelFor(threads, end - begin, [&](int64_t from, int64_t to) {
    for (int64_t i = begin + from; i < begin + to; ++i) {
      Error error = body(i);
      if (!error)
        continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (failure)
        llvm::consumeError(std::move(error));
      else
        failure = addPlace(i, std::move(error));
      return;
    }
  });
  return failure;
}
