//===- ScaleSearch.cpp - The best grid for a run of values ----------------===//

#include "ssmq/Refine/ScaleSearch.h"

#include <array>

using namespace llvm;

namespace ssmq {

/// Fractions of a range that are tried: 1 - i * kStep.
static constexpr int kFractions = 48;
static constexpr float kStep = 0.0166F;

double measureGridError(const IntegerGrid &grid, ArrayRef<float> values,
                        ArrayRef<float> importance) {
  // Lanes of their own let a compiler keep the order of each sum.
  constexpr size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  auto add = [&](size_t lane, size_t i) {
    double error = static_cast<double>(values[i]) - grid.round(values[i]);
    sums[lane] += (importance.empty() ? 1.0 : importance[i]) * error * error;
  };
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      add(lane, i + lane);
  for (; i < values.size(); ++i)
    add(0, i);
  double sum = 0;
  for (double part : sums)
    sum += part;
  return sum;
}

namespace {
class GridSearch {
public:
  GridSearch(ArrayRef<float> values, ArrayRef<float> importance, const IntegerGrid &start)
      : values(values), importance(importance), best(start),
        error(measureGridError(start, values, importance)) {}

  /// Keeps the grid when it is better; says whether it is.
  bool consider(const IntegerGrid &grid) {
    double candidate = measureGridError(grid, values, importance);
    if (!(candidate < error))
      return false;
    best = grid;
    error = candidate;
    return true;
  }

  /// The scale of least squares for the codes of the best grid.
  bool fitScale() {
    if (best.scale == 0)
      return false;
    double products = 0, squares = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      double weight = importance.empty() ? 1.0 : importance[i];
      double steps = best.encode(values[i]) - best.zero;
      products += weight * steps * values[i];
      squares += weight * steps * steps;
    }
    IntegerGrid grid = best;
    grid.scale = squares > 0 ? roundScale(static_cast<float>(products / squares)) : 0;
    return grid.scale > 0 && consider(grid);
  }

  const IntegerGrid &getBest() const { return best; }

private:
  ArrayRef<float> values, importance;
  IntegerGrid best;
  double error;
};
} // namespace

IntegerGrid searchGrid(IntegerCodes codes, ArrayRef<float> values, ArrayRef<float> importance,
                       const IntegerGrid &start) {
  float low = 0, high = 0;
  for (float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  GridSearch search(values, importance, start);
  float lowFraction = 1, highFraction = 1;
  auto tryRange = [&](float lowPart, float highPart) {
    if (!search.consider(makeIntegerGrid(codes, lowPart * low, highPart * high)))
      return;
    lowFraction = lowPart;
    highFraction = highPart;
  };
  for (int i = 0; i < kFractions; ++i)
    tryRange(1 - static_cast<float>(i) * kStep, 1 - static_cast<float>(i) * kStep);
  if (!codes.symmetric) {
    float kept = highFraction;
    for (int i = 0; i < kFractions; ++i)
      tryRange(1 - static_cast<float>(i) * kStep, kept);
    kept = lowFraction;
    for (int i = 0; i < kFractions; ++i)
      tryRange(kept, 1 - static_cast<float>(i) * kStep);
  }
  constexpr int kFits = 4;
  for (int i = 0; i < kFits && search.fitScale(); ++i) {
  }
  return search.getBest();
}

} // namespace ssmq
