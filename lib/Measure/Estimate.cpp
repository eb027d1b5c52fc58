//===- Estimate.cpp - Means over sequences with their errors --------------===//

#include "ssmq/Measure/Estimate.h"

#include <cmath>
#include <limits>

using namespace ssmq;

double ssmq::getStandardError(size_t numSequences, double count,
                              llvm::function_ref<double(size_t)> getResidual) {
  if (numSequences < 2)
    return std::numeric_limits<double>::quiet_NaN();
  double squares = 0;
  for (size_t i = 0; i < numSequences; ++i) {
    double residual = getResidual(i);
    squares += residual * residual;
  }
  double scale = static_cast<double>(numSequences) / static_cast<double>(numSequences - 1);
  return std::sqrt(scale * squares) / count;
}

Estimate ssmq::estimateRatio(size_t numSequences, llvm::function_ref<RatioTerm(size_t)> getTerm) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < numSequences; ++i) {
    RatioTerm term = getTerm(i);
    sum += term.sum;
    count += term.count;
  }
  double mean = sum / count;
  return {mean, getStandardError(numSequences, count, [&](size_t i) {
            RatioTerm term = getTerm(i);
            return term.sum - term.count * mean;
          })};
}
