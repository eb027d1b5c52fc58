//===- ParseFormat.cpp - Spellings of formats -----------------------------===//

#include "ssmq/Formats/IntegerFormat.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace ssmq {

static Error makeUnknown(StringRef spelling) {
  return createStringError("format '" + spelling.take_front(64) +
                           "' is not known; write for example 'i4 sym group=128', 'i8 asym "
                           "per_channel', 'int4:g64' or 'int8:channel' (2 to 8 bits)");
}

/// Digits without sign or leading zero, between `least` and `most`.
static std::optional<int64_t> parseNumber(StringRef text, int64_t least, int64_t most) {
  int64_t value;
  if (text.empty() || text[0] < '1' || text[0] > '9' || text.getAsInteger(10, value))
    return std::nullopt;
  if (value < least || value > most)
    return std::nullopt;
  return value;
}

Expected<std::shared_ptr<const Format>> parseFormat(StringRef spelling) {
  constexpr int64_t kMostGroup = int64_t(1) << 30;
  std::optional<int64_t> bits, group;
  std::optional<bool> symmetric;
  SmallVector<StringRef, 3> words;
  bool isShort = spelling.contains(':');
  spelling.split(words, isShort ? ':' : ' ');
  if (words.size() < 2 || words.size() > 3)
    return makeUnknown(spelling);

  if (words[0].consume_front(isShort ? "int" : "i"))
    bits = parseNumber(words[0], 2, 8);
  auto parseSymmetry = [](StringRef word) {
    return StringSwitch<std::optional<bool>>(word)
        .Case("sym", true)
        .Case("asym", false)
        .Default(std::nullopt);
  };
  StringRef granularity = isShort ? words[1] : words.back();
  if (isShort)
    symmetric = words.size() == 3 ? parseSymmetry(words[2]) : true;
  else if (words.size() == 3)
    symmetric = parseSymmetry(words[1]);
  if (granularity == (isShort ? "channel" : "per_channel"))
    group = 0;
  else if (granularity.consume_front(isShort ? "g" : "group="))
    group = parseNumber(granularity, 2, kMostGroup);
  if (!bits || !symmetric || !group)
    return makeUnknown(spelling);
  return std::make_shared<IntegerFormat>(*bits, *symmetric, *group);
}

} // namespace ssmq
