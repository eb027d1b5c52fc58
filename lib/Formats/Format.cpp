//===- Format.cpp - How the values of a site are stored -------------------===//

#include "ssmq/Formats/Format.h"

#include "RoundRuns.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Support/UnusableError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace ssmq {

std::string Percentile::getSpelling() const {
  std::string fraction = formatv("{0,0+6}", millionths % 1000000).str();
  StringRef digits = StringRef(fraction).rtrim('0');
  return formatv("{0}{1}{2}", millionths / 1000000, digits.empty() ? "" : ".", digits);
}

Format::Format(std::shared_ptr<const Numerics> numerics, Sharing sharing,
               std::optional<Percentile> percentile)
    : numerics(std::move(numerics)), sharing(sharing), percentile(percentile) {}

std::string Format::getSpelling() const {
  std::string spelling = numerics->getSpelling();
  if (!numerics->hasFixedSharing())
    spelling += " " + sharing.getSpelling();
  if (percentile)
    spelling += " static=" + percentile->getSpelling();
  return spelling;
}

Expected<Runs> Format::getRuns(const ValueLayout &layout) const {
  return ssmq::getRuns(sharing, layout, needsRanges());
}

Error Format::checkLayout(const ValueLayout &layout) const {
  auto fail = [&](const Twine &why) {
    return createStringError("format '" + getSpelling() + "': " + why);
  };
  if (layout.rows < 0 || layout.columns < 0 || layout.headSize < 0)
    return fail("the value has a negative dimension");
  if (needsRanges() && layout.kind != SiteKind::State && !layout.rowsAreTokens())
    return fail("a " + getName(layout.kind) +
                " is known beforehand and needs no static range; leave static=P out");
  Expected<Runs> runs = getRuns(layout);
  if (!runs)
    return fail(toString(runs.takeError()));
  int64_t valueSize = numerics->getValueSize();
  if (layout.columns % valueSize || runs->runSize % valueSize)
    return fail("complex values are pairs of neighbours and need an even number of columns and an "
                "even group, but there are " +
                Twine(layout.columns) + " columns in runs of " + Twine(runs->runSize));
  return Error::success();
}

bool Format::isSameOn(const Format &other, const ValueLayout &layout) const {
  if (numerics->getSpelling() != other.numerics->getSpelling() ||
      needsRanges() != other.needsRanges() ||
      (needsRanges() && percentile->millionths != other.percentile->millionths))
    return false;
  Expected<Runs> mine = getRuns(layout), others = other.getRuns(layout);
  bool isSame = mine && others && *mine == *others;
  consumeError(mine.takeError());
  consumeError(others.takeError());
  return isSame;
}

int64_t Format::getNumBytes(const ValueLayout &layout) const {
  Expected<Runs> runs = getRuns(layout);
  if (!runs) {
    consumeError(runs.takeError());
    return 0;
  }
  return layout.rows * numerics->getRowBytes(layout.columns) +
         runs->getNumScales() * numerics->getRunBytes();
}

char UnfitValueError::ID = 0;

void UnfitValueError::log(raw_ostream &stream) const { stream << text; }

std::error_code UnfitValueError::convertToErrorCode() const { return inconvertibleErrorCode(); }

static Error makeError(RunFault fault, const Format &format, SiteKind kind) {
  auto makeUnfit = [&](const char *what) {
    return make_error<UnfitValueError>(formatv(what, getName(kind), format.getSpelling()).str());
  };
  switch (fault) {
  case RunFault::None: break;
  case RunFault::NotFinite:
    return make_error<UnusableError>(
        ("the " + getName(kind) + " holds a value that is not finite (NaN or infinity)").str());
  case RunFault::TooLarge:
    return makeUnfit("the {0} holds values too large for format '{1}'; use more bits or keep it as "
                     "it is");
  case RunFault::MixedSigns:
    return makeUnfit("the {0} holds negative and positive values in one run, which format '{1}' "
                     "cannot hold; use integers");
  case RunFault::MixedZeros:
    return makeUnfit("the {0} holds a zero beside other values, which the logarithms of format "
                     "'{1}' cannot hold; use integers");
  case RunFault::OutsideDisc:
    return makeUnfit("the {0} holds complex values of magnitude 1 or more, which format '{1}' "
                     "cannot hold; leave out stable");
  }
  return Error::success();
}

Error Format::roundTo(const float *from, MutableArrayRef<float> to, const ValueLayout &layout,
                      const StaticRanges *ranges, unsigned threads) const {
  if (Error error = checkLayout(layout))
    return error;
  if (static_cast<int64_t>(to.size()) != layout.getNumElements())
    return createStringError("the value has " + Twine(to.size()) + " elements, but its layout is " +
                             Twine(layout.rows) + " x " + Twine(layout.columns));
  Expected<Runs> runs = getRuns(layout);
  if (!runs)
    return runs.takeError();
  if (!needsRanges())
    return makeError(roundDynamic(*numerics, *runs, from, to, threads), *this, layout.kind);

  if (!ranges)
    return createStringError("format '" + getSpelling() + "' needs ranges from calibration");
  ArrayRef<StaticRanges::Range> known = ranges->getRanges();
  if (static_cast<int64_t>(known.size()) != runs->getNumScales())
    return createStringError("format '" + getSpelling() + "' needs " + Twine(runs->getNumScales()) +
                             " ranges, but calibration has " + Twine(known.size()));
  std::vector<RunGrid> grids(known.size());
  for (auto [range, grid] : zip_equal(known, grids)) {
    RunRange given;
    given.low = range.low;
    given.high = range.high;
    RunFault fault = numerics->fit(given, grid);
    if (fault != RunFault::None)
      return makeError(fault, *this, layout.kind);
  }
  return makeError(roundStatic(*numerics, *runs, grids, from, to, threads), *this, layout.kind);
}

Expected<Tensor> Format::round(const Tensor &value, const ValueLayout &layout,
                               const StaticRanges *ranges, unsigned threads) const {
  Tensor values = value.toF32();
  Tensor result = Tensor::empty(DType::F32, values.getShape());
  if (Error error = roundTo(values.data<float>().data(), result.mutableData<float>(), layout,
                            ranges, threads))
    return std::move(error);
  return result;
}

Error Format::roundInPlace(MutableArrayRef<float> values, const ValueLayout &layout,
                           const StaticRanges *ranges, unsigned threads) const {
  return roundTo(values.data(), values, layout, ranges, threads);
}

Expected<Tensor> fakeQuantize(const Format &format, const Tensor &weight, unsigned threads) {
  return format.round(weight, ValueLayout::ofWeight(weight.getShape()), nullptr, threads);
}

} // namespace ssmq
