//===- JsonScanner.h - Strict JSON, one token at a time ---------*- C++ -*-===//
//
// Walks JSON text (RFC 8259) without building a tree and without recursion that the text controls.
// Stricter than llvm::json::parse, which overflows the stack on deep nesting, keeps the last of
// duplicate keys and takes `007` for 7: nesting ends at 64, duplicate keys, leading zeros, control
// characters in strings and numbers past the range of double are errors. Messages carry the name
// of the document, the line and the column.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_JSONSCANNER_H
#define SSMQ_SUPPORT_JSONSCANNER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace ssmq {

class JsonScanner {
public:
  /// `text` and `name` must outlive the scanner.
  JsonScanner(llvm::StringRef text, llvm::StringRef name) : text(text), name(name) {}

  /// Lets skipValue() take `Infinity` and `-Infinity`, which Python's json writes, and stores the
  /// offset of each `I`.
  void acceptInfinity(std::vector<size_t> &offsets) { infinities = &offsets; }

  static constexpr unsigned maxDepth = 64;

  /// The first character of the next token, 0 at the end.
  char peek();
  /// Calls `member` with each key, in order; it must read exactly the value.
  llvm::Error readObject(llvm::function_ref<llvm::Error(llvm::StringRef key)> member);
  llvm::Error readArray(llvm::function_ref<llvm::Error()> element);
  llvm::Expected<std::string> readString();
  /// A whole number from 0 to 2^63 - 1, without fraction or exponent.
  llvm::Expected<int64_t> readUnsigned();
  /// Any value, checked to its end.
  llvm::Error skipValue();
  /// Only blanks may follow.
  llvm::Error readEnd();

  /// Where the next token starts.
  size_t getOffset() { return peek(), position; }
  /// An error at the current place.
  llvm::Error fail(const llvm::Twine &message) const;

private:
  llvm::Error expect(char c);
  llvm::Error enter(char open);
  llvm::Error readWord(llvm::StringRef word);
  llvm::Expected<llvm::StringRef> readNumber();

  llvm::StringRef text, name;
  size_t position = 0;
  unsigned depth = 0;
  std::vector<size_t> *infinities = nullptr;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_JSONSCANNER_H
