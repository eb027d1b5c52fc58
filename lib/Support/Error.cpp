//===- Error.cpp - One-line error messages --------------------------------===//

#include "ssmq/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

using namespace ssmq;

std::string ssmq::toOneLine(llvm::StringRef text) {
  std::string line;
  for (unsigned char c : text) {
    if (c >= 0x20 && c != 0x7f)
      line += static_cast<char>(c);
    else
      line += "\\x" + llvm::toHex(llvm::StringRef(reinterpret_cast<char *>(&c), 1), true);
  }
  return llvm::json::isUTF8(line) ? line : llvm::json::fixUTF8(line);
}

std::string ssmq::quote(llvm::StringRef text) {
  constexpr size_t longest = 100;
  bool cut = text.size() > longest;
  return "'" + toOneLine(text.take_front(longest)) + (cut ? "...'" : "'");
}

llvm::Error ssmq::makeErrorFromText(llvm::StringRef text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), llvm::Twine(toOneLine(text)));
}
