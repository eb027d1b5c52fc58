//===- SafetensorsHeader.cpp - Header of a safetensors file ---------------===//

#include "SafetensorsHeader.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonScanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

static constexpr size_t maxTensors = 1000000;
static constexpr size_t maxRank = 8;

StringRef ssmq::getSafetensorsName(DType type) {
  switch (type) {
  case DType::F32: return "F32";
  case DType::F16: return "F16";
  case DType::BF16: return "BF16";
  case DType::F64: return "F64";
  case DType::I64: return "I64";
  case DType::I32: return "I32";
  case DType::I16: return "I16";
  case DType::I8: return "I8";
  case DType::U8:
  case DType::I4: return "U8";
  case DType::Bool: return "BOOL";
  }
  llvm_unreachable("all element types are named");
}

static std::optional<DType> parseDType(StringRef name) {
  for (DType type : {DType::F32, DType::F16, DType::BF16, DType::F64, DType::I64, DType::I32,
                     DType::I16, DType::I8, DType::U8, DType::Bool})
    if (getSafetensorsName(type) == name)
      return type;
  return std::nullopt;
}

static bool isOtherDType(StringRef name) {
  return llvm::is_contained({"F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0",
                             "F8_E5M2FNUZ", "F8_E4M3FNUZ", "C64", "U16", "U32", "U64"},
                            name);
}

namespace {
class HeaderParser {
public:
  HeaderParser(StringRef text, int64_t blockBytes, StringRef name)
      : scanner(text, name), blockBytes(blockBytes), name(name) {}

  Expected<SafetensorsHeader> parse();

private:
  Error readMetadata();
  Error readEntry(StringRef tensor);
  Error readDType(SafetensorsEntry &entry);
  Error readNumbers(llvm::SmallVectorImpl<int64_t> &numbers, size_t maxCount, StringRef tensor,
                    StringRef field);
  Error checkCoverage() const;
  Error failEntry(StringRef tensor, const Twine &message) const {
    return makeError("{0}: tensor {1}: {2}", name, quote(tensor), message.str());
  }

  JsonScanner scanner;
  int64_t blockBytes;
  StringRef name;
  SafetensorsHeader header;
};
} // namespace

Error HeaderParser::readMetadata() {
  return scanner.readObject([&](StringRef key) -> Error {
    if (scanner.peek() != '"')
      return scanner.fail("__metadata__ maps strings to strings, but the value of " + quote(key) +
                          " is none");
    Expected<std::string> value = scanner.readString();
    if (!value)
      return value.takeError();
    header.metadata.emplace(key, std::move(*value));
    return Error::success();
  });
}

Error HeaderParser::readDType(SafetensorsEntry &entry) {
  Expected<std::string> spelled = scanner.readString();
  if (!spelled)
    return spelled.takeError();
  std::optional<DType> type = parseDType(*spelled);
  if (!type)
    return failEntry(entry.name,
                     isOtherDType(*spelled)
                         ? "type " + *spelled + " is not supported; convert it to F16, BF16 or F32"
                         : "type " + quote(*spelled) + " is unknown");
  entry.type = *type;
  return Error::success();
}

Error HeaderParser::readNumbers(llvm::SmallVectorImpl<int64_t> &numbers, size_t maxCount,
                                StringRef tensor, StringRef field) {
  return scanner.readArray([&]() -> Error {
    if (numbers.size() == maxCount)
      return scanner.fail(field + " of " + quote(tensor) + " has more than " + Twine(maxCount) +
                          " numbers");
    Expected<int64_t> number = scanner.readUnsigned();
    if (!number) {
      llvm::consumeError(number.takeError());
      return scanner.fail(field + " of " + quote(tensor) +
                          " must hold whole numbers from 0 to 2^63 - 1");
    }
    numbers.push_back(*number);
    return Error::success();
  });
}

Error HeaderParser::readEntry(StringRef tensor) {
  SafetensorsEntry entry;
  entry.name = tensor.str();
  bool hasType = false, hasShape = false;
  llvm::SmallVector<int64_t, 2> offsets;
  Error error = scanner.readObject([&](StringRef key) -> Error {
    if (key == "dtype") {
      hasType = true;
      return readDType(entry);
    }
    if (key == "shape") {
      hasShape = true;
      return readNumbers(entry.shape, maxRank, tensor, key);
    }
    if (key == "data_offsets")
      return readNumbers(offsets, 2, tensor, key);
    if (header.warning.empty())
      header.warning = toOneLine((name + ": tensor " + quote(tensor) + " has an unknown field " +
                                  quote(key) + ", which is ignored")
                                     .str());
    return scanner.skipValue();
  });
  if (error)
    return error;
  if (!hasType || !hasShape || offsets.size() != 2)
    return failEntry(tensor, "needs a dtype, a shape and two data_offsets");

  entry.begin = offsets[0];
  entry.end = offsets[1];
  std::optional<int64_t> bytes = getCheckedNumBytes(entry.type, entry.shape);
  if (!bytes)
    return failEntry(tensor, "the shape has 2^40 elements or more");
  if (entry.begin > entry.end || entry.end > blockBytes)
    return failEntry(tensor, "data_offsets " + Twine(entry.begin) + " to " + Twine(entry.end) +
                                 " do not lie in the " + Twine(blockBytes) +
                                 " bytes of the file; is the download complete?");
  if (entry.end - entry.begin != *bytes)
    return failEntry(tensor, "shape and dtype need " + Twine(*bytes) +
                                 " bytes, data_offsets hold " + Twine(entry.end - entry.begin));
  header.entries.push_back(std::move(entry));
  return Error::success();
}

Error HeaderParser::checkCoverage() const {
  std::vector<const SafetensorsEntry *> order;
  for (const SafetensorsEntry &entry : header.entries)
    order.push_back(&entry);
  auto isBefore = [](const SafetensorsEntry *a, const SafetensorsEntry *b) {
    return std::tie(a->begin, a->end) < std::tie(b->begin, b->end);
  };
  // Files are mostly written in this order.
  if (!llvm::is_sorted(order, isBefore))
    llvm::sort(order, isBefore);
  int64_t position = 0;
  for (const SafetensorsEntry *entry : order) {
    if (entry->begin != position)
      return failEntry(entry->name, "starts at byte " + Twine(entry->begin) +
                                        ", but the tensors before it end at " + Twine(position) +
                                        (entry->begin < position ? " (overlap)" : " (hole)"));
    position = entry->end;
  }
  if (position != blockBytes)
    return makeError("{0}: the tensors end at byte {1}, but the file holds {2}", name, position,
                     blockBytes);
  return Error::success();
}

Expected<SafetensorsHeader> HeaderParser::parse() {
  Error error = scanner.readObject([&](StringRef key) -> Error {
    if (key == "__metadata__")
      return readMetadata();
    if (header.entries.size() == maxTensors)
      return scanner.fail("more than " + Twine(maxTensors) + " tensors");
    return readEntry(key);
  });
  if (error)
    return std::move(error);
  if (Error trailing = scanner.readEnd())
    return std::move(trailing);
  if (Error coverage = checkCoverage())
    return std::move(coverage);
  llvm::sort(header.entries,
             [](const SafetensorsEntry &a, const SafetensorsEntry &b) { return a.name < b.name; });
  return std::move(header);
}

Expected<SafetensorsHeader> ssmq::parseSafetensorsHeader(StringRef text, int64_t blockBytes,
                                                         StringRef name) {
  return HeaderParser(text, blockBytes, name).parse();
}
