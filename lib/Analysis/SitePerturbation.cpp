//===- SitePerturbation.cpp - A site stored in a format -------------------===//

#include "ssmq/Analysis/SitePerturbation.h"

#include "ssmq/Reference/MoveDim.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/UnusableError.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Format;
using ::ssmq::StaticRanges;
using ::ssmq::Tensor;
using ::ssmq::ValueLayout;

bool mlir::ssm::cannotBeUsed(const Error &error) {
  return error.isA<::ssmq::UnusableError>() || error.isA<::ssmq::UnfitValueError>();
}

void RoundingFault::keep(Error error) {
  std::lock_guard<std::mutex> lock(mutex);
  bool unusable = cannotBeUsed(error);
  std::string text = llvm::toString(std::move(error));
  if (!message.empty())
    return;
  message = std::move(text);
  isUnusable = unusable;
}

Error RoundingFault::take() const {
  std::lock_guard<std::mutex> lock(mutex);
  if (message.empty())
    return Error::success();
  return isUnusable ? llvm::make_error<::ssmq::UnusableError>(message)
                    : llvm::createStringError(message);
}

static Error at(const Site &site, const Format &format, Error error) {
  bool isUnfit = error.isA<::ssmq::UnfitValueError>();
  bool isUnusable = cannotBeUsed(error);
  std::string text = llvm::formatv("site '{0}' as {1}: {2}", site.name, format.getSpelling(),
                                   llvm::toString(std::move(error)));
  return isUnfit      ? llvm::make_error<::ssmq::UnfitValueError>(text)
         : isUnusable ? llvm::make_error<::ssmq::UnusableError>(text)
                      : ::ssmq::makeErrorFromText(text);
}

static ValueLayout getLayout(const Site &site, const Tensor &value) {
  return site.getLayout(site.columns ? value.getNumElements() / site.columns : 0);
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

/// The format and the site must outlive the result.
static void addStateRounding(const Site &site, const Format &format, const StaticRanges *ranges,
                             SitePerturbation &result) {
  auto round = [&site, &format, ranges, fault = result.fault](MutableArrayRef<float> state) {
    auto rows = static_cast<int64_t>(state.size()) / site.columns;
    if (Error error = format.roundInPlace(state, site.getLayout(rows), ranges))
      fault->keep(at(site, format, std::move(error)));
  };
  for (OpOperand *use : site.uses)
    result.perturbation.states[use->getOwner()] = round;
}

/// Gives the uses of a site what remains of the values that `getValue` tells.
static Error roundUses(const Site &site, const Format &format, const StaticRanges *ranges,
                       llvm::function_ref<Tensor(Value)> getValue, unsigned threads,
                       SitePerturbation &result) {
  // Loads of one weight share its bytes.
  llvm::SmallDenseMap<const void *, Tensor, 2> rounded;
  for (OpOperand *use : site.uses) {
    Tensor value = getValue(use->get());
    Tensor &known = rounded[value.getRawData()];
    if (!known) {
      Expected<Tensor> computed = roundValue(site, format, ranges, value, threads);
      if (!computed)
        return computed.takeError();
      known = std::move(*computed);
    }
    result.perturbation.operands[use] = known;
  }
  return Error::success();
}

Expected<SitePerturbation> mlir::ssm::perturbSite(const Site &site, const Format &format,
                                                  const StaticRanges *ranges,
                                                  const Interpreter &interpreter,
                                                  const Interpreter::Values &trace,
                                                  unsigned threads) {
  SitePerturbation result;
  if (site.insideOp) {
    addStateRounding(site, format, ranges, result);
    return result;
  }
  auto getValue = [&](Value value) { return interpreter.getValue(trace, value); };
  if (Error error = roundUses(site, format, ranges, getValue, threads, result))
    return std::move(error);
  return result;
}

/// What a use of a site without constant value makes of it.
static std::function<Tensor(const Tensor &)> makeRounding(const SiteChange &wanted,
                                                          std::shared_ptr<RoundingFault> fault) {
  return [wanted, fault = std::move(fault)](const Tensor &value) {
    Expected<Tensor> rounded =
        roundValue(*wanted.site, *wanted.format, wanted.ranges.get(), value, /*threads=*/1);
    if (rounded)
      return *rounded;
    fault->keep(rounded.takeError());
    return value;
  };
}

Expected<SitePerturbation> mlir::ssm::perturbSites(ArrayRef<SiteChange> formats,
                                                   const Interpreter &interpreter) {
  SitePerturbation result;
  Perturbation &perturbation = result.perturbation;
  for (const SiteChange &wanted : formats) {
    const Site &site = *wanted.site;
    if (site.insideOp && wanted.format)
      addStateRounding(site, *wanted.format, wanted.ranges.get(), result);
    if (site.insideOp || !wanted.format) {
      for (OpOperand *use : site.uses) {
        if (site.insideOp)
          perturbation.states.try_emplace(use->getOwner(), nullptr);
        else if (Tensor value = interpreter.getConstant(use->get()))
          perturbation.operands[use] = value;
        else
          perturbation.values[use] = nullptr;
      }
      continue;
    }
    if (!interpreter.getConstant(site.uses.front()->get())) {
      for (OpOperand *use : site.uses)
        perturbation.values[use] = makeRounding(wanted, result.fault);
      continue;
    }
    auto getConstant = [&](Value value) { return interpreter.getConstant(value); };
    if (Error error = roundUses(site, *wanted.format, wanted.ranges.get(), getConstant,
                                /*threads=*/1, result))
      return std::move(error);
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
