//===- Json.h - JSON from files that nobody vouches for ---------*- C++ -*-===//
//
// parseJson checks a text with JsonScanner (depth, duplicate keys, ranges) before llvm::json sees
// it. JsonReader takes members out of an object with range checks; the first problem is kept and
// everything after it is skipped, so that a caller lists its keys and asks once.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_JSON_H
#define SSMQ_SUPPORT_JSON_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace ssmq {

struct JsonOptions {
  size_t maxBytes = size_t(64) << 20;
  /// Takes the words Infinity and -Infinity, which Python's json writes, as numbers.
  bool acceptInfinity = false;
};

/// `name` stands in front of each message, with line and column.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text, llvm::StringRef name,
                                            const JsonOptions &options = {});
llvm::Expected<llvm::json::Value> readJsonFile(llvm::StringRef path,
                                               const JsonOptions &options = {});

/// Token ids from a file that holds one JSON array of whole numbers below 2^31.
llvm::Expected<std::vector<int32_t>> readTokenFile(llvm::StringRef path);

class JsonReader {
public:
  /// `value` must outlive the reader and be an object; `name` says in messages what it is.
  JsonReader(const llvm::json::Value &value, llvm::StringRef name);
  JsonReader(const JsonReader &) = delete;
  JsonReader &operator=(const JsonReader &) = delete;
  ~JsonReader() { llvm::consumeError(std::move(error)); }

  /// The member, or null when it is missing.
  const llvm::json::Value *get(llvm::StringRef key) const;
  bool isMissingOrNull(llvm::StringRef key) const;

  /// Each leaves `value` as it is when the key is missing; null is an error, as another type is.
  void read(llvm::StringRef key, int64_t &value, int64_t min, int64_t max);
  void read(llvm::StringRef key, double &value, double min, double max);
  void read(llvm::StringRef key, bool &value);
  void read(llvm::StringRef key, std::string &value);
  void read(llvm::StringRef key, std::vector<std::string> &value);

  /// Keeps the first problem: "NAME: key 'KEY' MESSAGE".
  void fail(llvm::StringRef key, const llvm::Twine &message);
  /// Keeps the first problem: "NAME: MESSAGE".
  void fail(const llvm::Twine &message);
  bool hasFailed() const { return failed; }
  llvm::Error takeError();

private:
  void failType(llvm::StringRef key, llvm::StringRef expected);

  const llvm::json::Object *object;
  std::string name;
  llvm::Error error = llvm::Error::success();
  bool failed = false;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_JSON_H
