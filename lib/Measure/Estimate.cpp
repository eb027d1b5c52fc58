//===- Estimate.cpp - Means over sequences with their errors --------------===//

#include "ssmq/Measure/Estimate.h"

#include <cmath>
#include <limits>

using namespace ssmq;

Estimate ssmq::estimateRatio(size_t numSequences, llvm::function_ref<RatioTerm(size_t)> getTerm) {
  double sum = 0, count = 0, squares = 0;
  for (size_t i = 0; i < numSequences; ++i) {
    RatioTerm term = getTerm(i);
    sum += term.sum;
    count += term.count;
  }
  Estimate result{sum / count, std::numeric_limits<double>::quiet_NaN()};
  if (numSequences < 2)
    return result;
  for (size_t i = 0; i < numSequences; ++i) {
    RatioTerm term = getTerm(i);
    double residual = term.sum - term.count * result.mean;
    squares += residual * residual;
  }
  double scale = static_cast<double>(numSequences) / static_cast<double>(numSequences - 1);
  result.standardError = std::sqrt(scale * squares) / count;
  return result;
}
