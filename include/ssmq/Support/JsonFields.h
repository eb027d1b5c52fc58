//===- JsonFields.h - Documents that ssmq writes and reads back -*- C++ -*-===//
//
// What Json.h reads is optional, as in files of others; in our own documents every member must be
// there. Numbers are written with 17 digits and come back with the same bits; what is not finite is
// written as null.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_JSONFIELDS_H
#define SSMQ_SUPPORT_JSONFIELDS_H

#include "ssmq/Support/Json.h"

namespace ssmq {

/// Written atomically, indented.
llvm::Error writeJsonFile(llvm::StringRef path, const llvm::json::Value &value);

llvm::json::Value finiteOrNull(double number);

/// Required members of an object. What is missing or wrong reads as zero or empty and is told by
/// takeError().
class JsonFields {
public:
  /// `value` must outlive this; `where` opens every message: "table.json: row 3".
  JsonFields(const llvm::json::Value &value, llvm::StringRef where) : reader(value, where) {}

  std::string getString(llvm::StringRef key);
  /// A whole number from 0 to 2^63 - 1.
  int64_t getCount(llvm::StringRef key);
  double getNumber(llvm::StringRef key);
  const llvm::json::Array &getArray(llvm::StringRef key);
  const llvm::json::Value &getValue(llvm::StringRef key);
  /// Checks the two members that open each of our documents.
  void expectDocument(llvm::StringRef format, int64_t version);

  void fail(const llvm::Twine &message) { reader.fail(message); }
  llvm::Error takeError() { return reader.takeError(); }

private:
  JsonReader reader;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_JSONFIELDS_H
