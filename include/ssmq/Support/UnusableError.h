//===- UnusableError.h - What was tried overflows ---------------*- C++ -*-===//
//
// A value that is not finite, where all were before something was changed: what was tried cannot be
// used, and nothing else is wrong.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_UNUSABLEERROR_H
#define SSMQ_SUPPORT_UNUSABLEERROR_H

#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

class UnusableError : public llvm::ErrorInfo<UnusableError> {
public:
  static char ID; // NOLINT(readability-identifier-naming): ErrorInfo wants this name

  explicit UnusableError(std::string message) : text(std::move(message)) {}
  void log(llvm::raw_ostream &stream) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string text;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_UNUSABLEERROR_H
