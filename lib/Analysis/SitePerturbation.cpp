//===- SitePerturbation.cpp - A site stored in a format -------------------===//

#include "ssmq/Analysis/SitePerturbation.h"

#include "ssmq/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DType;
using ::ssmq::Format;
using ::ssmq::StaticRanges;
using ::ssmq::Tensor;
using ::ssmq::ValueLayout;

Error SitePerturbation::takeFault() const {
  return fault->empty() ? Error::success() : llvm::createStringError(*fault);
}

static Error at(const Site &site, const Format &format, Error error) {
  bool isUnfit = error.isA<::ssmq::UnfitValueError>();
  std::string text = llvm::formatv("site '{0}' as {1}: {2}", site.name, format.getSpelling(),
                                   llvm::toString(std::move(error)));
  return isUnfit ? llvm::make_error<::ssmq::UnfitValueError>(std::move(text))
                 : ::ssmq::makeErrorFromText(text);
}

static ValueLayout getLayout(const Site &site, const Tensor &value) {
  return site.getLayout(site.columns ? value.getNumElements() / site.columns : 0);
}

/// The weight with dimension `from` moved to `to`: formats want channels first.
static Tensor moveDim(const Tensor &value, unsigned from, unsigned to) {
  if (from == to)
    return value;
  ::ssmq::Shape shape(value.getShape());
  int64_t moved = shape[from];
  shape.erase(shape.begin() + from);
  shape.insert(shape.begin() + to, moved);
  // One of both is 0: [outer, moved, inner] <-> [moved, outer, inner].
  unsigned split = std::max(from, to);
  int64_t outer = 1, inner = 1;
  for (unsigned i = 0; i < value.getRank(); ++i)
    (i <= split ? outer : inner) *= shape[i];
  outer /= moved;
  Tensor result = Tensor::empty(DType::F32, shape);
  const float *source = value.data<float>().data();
  float *target = result.mutableData<float>().data();
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = 0; j < moved; ++j) {
      int64_t channelsInside = (i * moved + j) * inner, channelsFirst = (j * outer + i) * inner;
      std::copy_n(source + (to == 0 ? channelsInside : channelsFirst), inner,
                  target + (to == 0 ? channelsFirst : channelsInside));
    }
  return result;
}

static Expected<Tensor> roundValue(const Site &site, const Format &format,
                                   const StaticRanges *ranges, const Tensor &value,
                                   unsigned threads) {
  Tensor channelsFirst = moveDim(value, site.channelDim, 0);
  Expected<Tensor> rounded = format.round(channelsFirst, getLayout(site, value), ranges, threads);
  if (!rounded)
    return at(site, format, rounded.takeError());
  return moveDim(*rounded, 0, site.channelDim);
}

Expected<SitePerturbation> mlir::ssm::perturbSite(const Site &site, const Format &format,
                                                  const StaticRanges *ranges,
                                                  const Interpreter &interpreter,
                                                  const Interpreter::Values &trace,
                                                  unsigned threads) {
  SitePerturbation result;
  if (site.insideOp) {
    auto roundState = [&site, &format, ranges, fault = result.fault](MutableArrayRef<float> state) {
      auto rows = static_cast<int64_t>(state.size()) / site.columns;
      if (Error error = format.roundInPlace(state, site.getLayout(rows), ranges)) {
        std::string message = llvm::toString(at(site, format, std::move(error)));
        if (fault->empty())
          *fault = std::move(message);
      }
    };
    for (OpOperand *use : site.uses)
      result.perturbation.states[use->getOwner()] = roundState;
    return result;
  }
  // Loads of one weight share its bytes.
  llvm::SmallDenseMap<const void *, Tensor, 2> rounded;
  for (OpOperand *use : site.uses) {
    Tensor value = interpreter.getValue(trace, use->get());
    Tensor &known = rounded[value.getRawData()];
    if (!known) {
      Expected<Tensor> computed = roundValue(site, format, ranges, value, threads);
      if (!computed)
        return computed.takeError();
      known = std::move(*computed);
    }
    result.perturbation.operands[use] = known;
  }
  return result;
}

Error mlir::ssm::observeSite(const Site &site, const Interpreter &interpreter,
                             const Interpreter::Values &trace, StaticRanges &ranges) {
  Error failure = Error::success();
  auto observe = [&](ArrayRef<float> values) {
    auto rows = static_cast<int64_t>(values.size()) / site.columns;
    if (!failure)
      failure = ranges.add(values, site.getLayout(rows));
  };
  if (!site.insideOp) {
    observe(interpreter.getValue(trace, site.uses.front()->get()).data<float>());
    return failure;
  }
  Perturbation watching;
  for (OpOperand *use : site.uses)
    watching.states[use->getOwner()] = [&](MutableArrayRef<float> state) { observe(state); };
  if (mlir::failed(interpreter.measureLocalError(trace, watching)))
    failure = llvm::joinErrors(std::move(failure),
                               llvm::createStringError("the program fails at '" + site.name + "'"));
  return failure;
}

Expected<bool> mlir::ssm::canHoldConstant(const Site &site, const Format &format,
                                          const Interpreter &interpreter) {
  Tensor value = interpreter.getConstant(site.uses.front()->get());
  if (!value || site.insideOp || format.needsRanges())
    return true;
  Error error = roundValue(site, format, nullptr, value, /*threads=*/1).takeError();
  if (!error)
    return true;
  if (!error.isA<::ssmq::UnfitValueError>())
    return std::move(error);
  llvm::consumeError(std::move(error));
  return false;
}
