//===- JsonFields.cpp - Documents that ssmq writes and reads back ---------===//

#include "ssmq/Support/JsonFields.h"

#include "ssmq/Support/File.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>

using namespace ssmq;
namespace json = llvm::json;

llvm::Error ssmq::writeJsonFile(llvm::StringRef path, const json::Value &value) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &out) {
    out << llvm::formatv("{0:2}\n", value);
    return llvm::Error::success();
  });
}

json::Value ssmq::finiteOrNull(double number) {
  return std::isfinite(number) ? json::Value(number) : json::Value(nullptr);
}

const json::Value &JsonFields::getValue(llvm::StringRef key) {
  static const json::Value null(nullptr);
  if (const json::Value *value = reader.get(key))
    return *value;
  reader.fail(key, "is missing");
  return null;
}

std::string JsonFields::getString(llvm::StringRef key) {
  std::string text;
  getValue(key);
  reader.read(key, text);
  return text;
}

int64_t JsonFields::getCount(llvm::StringRef key) {
  int64_t count = 0;
  getValue(key);
  reader.read(key, count, 0, std::numeric_limits<int64_t>::max());
  return count;
}

double JsonFields::getNumber(llvm::StringRef key) {
  constexpr double largest = std::numeric_limits<double>::max();
  double number = 0;
  getValue(key);
  reader.read(key, number, -largest, largest);
  return number;
}

const json::Array &JsonFields::getArray(llvm::StringRef key) {
  static const json::Array empty;
  if (const json::Array *array = getValue(key).getAsArray())
    return *array;
  reader.fail(key, "must be a list");
  return empty;
}

void JsonFields::expectDocument(llvm::StringRef format, int64_t version) {
  if (getString("document") != format || getCount("version") != version)
    reader.fail("this is no " + format + " of version " + llvm::Twine(version));
}
