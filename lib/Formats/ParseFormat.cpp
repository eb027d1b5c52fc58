//===- ParseFormat.cpp - Spellings of formats -----------------------------===//

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace ssmq {

static Error makeUnknown(StringRef spelling) {
  return createStringError(
      "format '" + spelling.take_front(64) +
      "' is not known; write for example 'i4 sym group=128', 'int8:token' or "
      "'int8:tensor:asym:static99.9': int2 to int8, int16, f16, bf16, f8e4m3, f8e5m2, mxfp4, nf4, "
      "log2<8> or logpolar<2,6>, then tensor, channel, head, token or g64, then sym, asym or "
      "stable, "
      "then static99.9");
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

/// A percentile in (50, 100] with up to six digits behind the point.
static std::optional<Percentile> parsePercentile(StringRef text) {
  auto [whole, fraction] = text.split('.');
  bool isWhole = whole.size() == text.size();
  std::optional<int64_t> percent = parseNumber(whole, 50, 100);
  if (!percent || (!isWhole && (fraction.empty() || fraction.size() > 6 ||
                                !all_of(fraction, [](char c) { return isDigit(c); }))))
    return std::nullopt;
  std::string digits = (fraction + std::string(6 - fraction.size(), '0')).str();
  int64_t millionths = 0;
  StringRef(digits).getAsInteger(10, millionths);
  millionths += *percent * 1000000;
  if (millionths <= 50000000 || millionths > 100000000)
    return std::nullopt;
  return Percentile{millionths};
}

namespace {

/// Words between blanks (canonical) or colons (short), the first of which names the numerics.
class Parser {
public:
  explicit Parser(StringRef spelling) : isShort(spelling.contains(':')) {
    spelling.split(words, isShort ? ':' : ' ');
  }

  std::shared_ptr<const Format> parse();

private:
  bool parseModifier(StringRef word);
  std::optional<Sharing> parseSharing(StringRef word) const;
  std::shared_ptr<const Numerics> makeNumerics();
  std::shared_ptr<const Numerics> makeInteger(StringRef bits);

  bool isShort;
  SmallVector<StringRef, 4> words;
  std::optional<bool> symmetric;
  bool isStable = false;
  std::optional<Sharing> sharing;
  std::optional<Percentile> percentile;
};

} // namespace

std::optional<Sharing> Parser::parseSharing(StringRef word) const {
  constexpr int64_t kMostGroup = int64_t(1) << 30;
  if (word.consume_front(isShort ? "g" : "group=")) {
    if (std::optional<int64_t> size = parseNumber(word, 2, kMostGroup))
      return Sharing{Sharing::Group, *size};
    return std::nullopt;
  }
  if (!isShort && !word.consume_front("per_"))
    return std::nullopt;
  return StringSwitch<std::optional<Sharing>>(word)
      .Case("tensor", Sharing{Sharing::PerTensor, 0})
      .Case("channel", Sharing{Sharing::PerChannel, 0})
      .Case("head", Sharing{Sharing::PerHead, 0})
      .Case("token", Sharing{Sharing::PerToken, 0})
      .Default(std::nullopt);
}

bool Parser::parseModifier(StringRef word) {
  if (word == "sym" || word == "asym") {
    bool isFirst = !symmetric;
    symmetric = word == "sym";
    return isFirst;
  }
  if (word == "stable") {
    bool isFirst = !isStable;
    isStable = true;
    return isFirst;
  }
  if (word.consume_front(isShort ? "static" : "static=")) {
    bool isFirst = !percentile;
    percentile = parsePercentile(word);
    return isFirst && percentile;
  }
  bool isFirst = !sharing;
  sharing = parseSharing(word);
  return isFirst && sharing;
}

std::shared_ptr<const Numerics> Parser::makeInteger(StringRef text) {
  std::optional<int64_t> bits = parseNumber(text, 2, 16);
  if (!bits || (*bits > 8 && *bits != 16) || (!symmetric && !isShort))
    return nullptr;
  return makeIntegerNumerics(*bits, symmetric.value_or(true));
}

static std::shared_ptr<const Numerics> makeLogPolar(StringRef arguments, bool isStable) {
  // Lists of formats are cut at commas, so that an x may stand for one.
  auto [magnitude, phase] = arguments.split(arguments.contains('x') ? 'x' : ',');
  std::optional<int64_t> magnitudeBits = parseNumber(magnitude, 1, 8);
  std::optional<int64_t> phaseBits = parseNumber(phase, 2, 12);
  if (!magnitudeBits || !phaseBits)
    return nullptr;
  return makeLogPolarNumerics(*magnitudeBits, *phaseBits, isStable);
}

static std::shared_ptr<const Numerics> makeOther(StringRef name) {
  StringRef arguments = name;
  if (arguments.consume_back(">") && arguments.consume_front("log2<")) {
    std::optional<int64_t> bits = parseNumber(arguments, 1, 16);
    return bits ? makeLogNumerics(*bits) : nullptr;
  }
  using Make = std::shared_ptr<const Numerics> (*)();
  Make make = StringSwitch<Make>(name)
                  .Case("f16", makeHalfNumerics)
                  .Case("bf16", makeBFloatNumerics)
                  .Cases({"f8E4M3", "f8e4m3"}, makeE4M3Numerics)
                  .Cases({"f8E5M2", "f8e5m2"}, makeE5M2Numerics)
                  .Case("mxfp4", makeMicroscalingNumerics)
                  .Case("nf4", makeNormalFloat4Numerics)
                  .Default(nullptr);
  return make ? make() : nullptr;
}

std::shared_ptr<const Numerics> Parser::makeNumerics() {
  StringRef name = words.front();
  if (StringRef arguments = name;
      arguments.consume_back(">") && arguments.consume_front("logpolar<"))
    return symmetric ? nullptr : makeLogPolar(arguments, isStable);
  if (isStable)
    return nullptr;
  if (name.consume_front(isShort ? "int" : "i"))
    return makeInteger(name);
  return symmetric ? nullptr : makeOther(name);
}

std::shared_ptr<const Format> Parser::parse() {
  for (StringRef word : ArrayRef<StringRef>(words).drop_front())
    if (!parseModifier(word))
      return nullptr;
  std::shared_ptr<const Numerics> numerics = makeNumerics();
  if (!numerics || (percentile && !numerics->canClip()) || (sharing && numerics->hasFixedSharing()))
    return nullptr;
  if (!sharing)
    sharing = numerics->getDefaultSharing();
  if (!sharing)
    return nullptr;
  return std::make_shared<Format>(std::move(numerics), *sharing, percentile);
}

Expected<std::shared_ptr<const Format>> parseFormat(StringRef spelling) {
  if (std::shared_ptr<const Format> format = Parser(spelling).parse())
    return format;
  return makeUnknown(spelling);
}

} // namespace ssmq
