//===- Json.cpp - JSON from files that nobody vouches for -----------------===//

#include "ssmq/Support/Json.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "ssmq/Support/JsonScanner.h"
#include <limits>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

Expected<llvm::json::Value> ssmq::parseJson(StringRef text, StringRef name,
                                            const JsonOptions &options) {
  if (text.size() > options.maxBytes)
    return makeError("{0}: {1} bytes of JSON are more than the {2} that are read", name,
                     text.size(), options.maxBytes);
  JsonScanner scanner(text, name);
  std::vector<size_t> infinities;
  if (options.acceptInfinity)
    scanner.acceptInfinity(infinities);
  if (Error error = scanner.skipValue())
    return std::move(error);
  if (Error error = scanner.readEnd())
    return std::move(error);

  std::string patched;
  if (!infinities.empty()) {
    // llvm::json knows no word for infinity, but reads a number too large as one.
    patched = text.str();
    for (size_t offset : infinities)
      patched.replace(offset, 8, "1e999   ");
    text = patched;
  }
  Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return makeError("{0}: {1}", name, llvm::toString(value.takeError()));
  return value;
}

Expected<llvm::json::Value> ssmq::readJsonFile(StringRef path, const JsonOptions &options) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseJson((*file)->getBytes(), path, options);
}

Expected<std::vector<int32_t>> ssmq::readTokenFile(StringRef path) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  JsonScanner scanner((*file)->getBytes(), path);
  std::vector<int32_t> tokens;
  Error error = scanner.readArray([&]() -> Error {
    Expected<int64_t> token = scanner.readUnsigned();
    if (!token)
      return token.takeError();
    if (*token > std::numeric_limits<int32_t>::max())
      return scanner.fail("token " + Twine(*token) + " is not below 2^31");
    tokens.push_back(static_cast<int32_t>(*token));
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (Error trailing = scanner.readEnd())
    return std::move(trailing);
  return tokens;
}

JsonReader::JsonReader(const llvm::json::Value &value, StringRef name)
    : object(value.getAsObject()), name(name) {
  if (!object)
    fail("the JSON is not an object");
}

const llvm::json::Value *JsonReader::get(StringRef key) const {
  return object ? object->get(key) : nullptr;
}

bool JsonReader::isMissingOrNull(StringRef key) const {
  const llvm::json::Value *member = get(key);
  return !member || member->kind() == llvm::json::Value::Null;
}

void JsonReader::fail(const Twine &message) {
  if (failed)
    return;
  failed = true;
  llvm::consumeError(std::move(error));
  error = makeError("{0}: {1}", name, message.str());
}

void JsonReader::fail(StringRef key, const Twine &message) {
  fail("key " + quote(key) + " " + message);
}

static std::string print(const llvm::json::Value &value) {
  switch (value.kind()) {
  case llvm::json::Value::Object: return "an object";
  case llvm::json::Value::Array: return "a list";
  case llvm::json::Value::String: return quote(*value.getAsString());
  default: return llvm::formatv("{0}", value).str();
  }
}

void JsonReader::failType(StringRef key, StringRef expected) {
  fail(key, "is " + print(*get(key)) + "; it must be " + expected);
}

void JsonReader::read(StringRef key, int64_t &value, int64_t min, int64_t max) {
  const llvm::json::Value *member = get(key);
  if (!member || failed)
    return;
  std::optional<int64_t> number = member->getAsInteger();
  if (!number)
    return failType(key, "a whole number");
  if (*number < min || *number > max)
    return fail(key,
                "is " + Twine(*number) + "; it must be from " + Twine(min) + " to " + Twine(max));
  value = *number;
}

void JsonReader::read(StringRef key, double &value, double min, double max) {
  const llvm::json::Value *member = get(key);
  if (!member || failed)
    return;
  std::optional<double> number = member->getAsNumber();
  if (!number)
    return failType(key, "a number");
  if (!(*number >= min && *number <= max))
    return fail(
        key, llvm::formatv("is {0}; it must be from {1} to {2}", print(*member), min, max).str());
  value = *number;
}

void JsonReader::read(StringRef key, bool &value) {
  const llvm::json::Value *member = get(key);
  if (!member || failed)
    return;
  if (std::optional<bool> flag = member->getAsBoolean())
    value = *flag;
  else
    failType(key, "true or false");
}

void JsonReader::read(StringRef key, std::string &value) {
  const llvm::json::Value *member = get(key);
  if (!member || failed)
    return;
  if (std::optional<StringRef> text = member->getAsString())
    value = text->str();
  else
    failType(key, "a string");
}

void JsonReader::read(StringRef key, std::vector<std::string> &value) {
  const llvm::json::Value *member = get(key);
  if (!member || failed)
    return;
  const llvm::json::Array *array = member->getAsArray();
  if (!array)
    return failType(key, "a list of strings");
  std::vector<std::string> strings;
  for (const llvm::json::Value &element : *array) {
    std::optional<StringRef> text = element.getAsString();
    if (!text)
      return fail(key, "holds " + print(element) + "; it must be a list of strings");
    strings.push_back(text->str());
  }
  value = std::move(strings);
}

Error JsonReader::takeError() {
  // The reader stays failed; only the message is handed out.
  return std::exchange(error, Error::success());
}
