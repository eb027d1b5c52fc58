//===- UnusableError.cpp - What was tried overflows -----------------------===//

#include "ssmq/Support/UnusableError.h"

#include "llvm/Support/raw_ostream.h"

using namespace ssmq;

char UnusableError::ID = 0;

void UnusableError::log(llvm::raw_ostream &stream) const { stream << text; }

std::error_code UnusableError::convertToErrorCode() const { return llvm::inconvertibleErrorCode(); }
