//===- Error.h - One-line error messages ------------------------*- C++ -*-===//
//
// A message says what is wrong, where, and what to do, on one line. Text that comes from a file
// (tensor names, keys) may hold anything, so control characters are escaped and broken UTF-8 is
// replaced before a message reaches a terminal, a log or Python.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_ERROR_H
#define SSMQ_SUPPORT_ERROR_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <string>

namespace ssmq {

/// `text` as one printable line of valid UTF-8.
std::string toOneLine(llvm::StringRef text);

/// 'text' in quotes, cut after 100 bytes.
std::string quote(llvm::StringRef text);

llvm::Error makeErrorFromText(llvm::StringRef text);

/// An error whose message is llvm::formatv(format, arguments...): "{0}: key {1} is missing".
template <typename... Ts>
llvm::Error makeError(const char *format, Ts &&...arguments) {
  return makeErrorFromText(llvm::formatv(format, std::forward<Ts>(arguments)...).str());
}

} // namespace ssmq

#endif // SSMQ_SUPPORT_ERROR_H
