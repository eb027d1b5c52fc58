//===- Distribution.cpp - Quantiles with their errors ---------------------===//

#include "ssmq/Measure/Distribution.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <random>

using namespace ssmq;

namespace {
struct Value {
  double number;
  uint32_t sequence;
};

/// Walks over ascending values of which those of sequence k count weights[k] times.
class Walk {
public:
  Walk(const Value *first, llvm::ArrayRef<uint32_t> weights)
      : value(first), weights(weights), end(weights[first->sequence]) {}

  /// The value at an index, which is not before that of the last call.
  double goTo(uint64_t index) {
    while (end <= index)
      end += weights[(++value)->sequence];
    return value->number;
  }

private:
  const Value *value;
  llvm::ArrayRef<uint32_t> weights;
  /// Past the copies of *value.
  uint64_t end;
};
} // namespace

/// The value at each level, the levels ascending, of `count` weighted values in all.
static void getQuantiles(Walk walk, uint64_t count, llvm::ArrayRef<double> levels,
                         llvm::MutableArrayRef<double> results) {
  for (auto [level, result] : llvm::zip_equal(levels, results)) {
    double place = level * static_cast<double>(count - 1), fraction = place - std::floor(place);
    auto index = static_cast<uint64_t>(place);
    result = walk.goTo(index);
    // By a copy: the next level may lie between the same two values.
    if (fraction > 0)
      result += fraction * (Walk(walk).goTo(index + 1) - result);
  }
}

std::vector<Quantile> ssmq::estimateQuantiles(llvm::ArrayRef<std::vector<double>> sequences,
                                              llvm::ArrayRef<double> levels,
                                              unsigned numResamples) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> ascending(levels.begin(), levels.end());
  llvm::sort(ascending);
  std::vector<Value> values;
  for (auto [index, sequence] : llvm::enumerate(sequences))
    for (double number : sequence)
      values.push_back({number, static_cast<uint32_t>(index)});
  llvm::sort(values, [](const Value &a, const Value &b) { return a.number < b.number; });

  size_t numSequences = sequences.size();
  std::vector<double> point(levels.size(), missing), resampled(levels.size());
  std::vector<double> sums(levels.size()), squares(levels.size());
  std::vector<uint32_t> weights(numSequences, 1);
  if (!values.empty())
    getQuantiles(Walk(values.data(), weights), values.size(), ascending, point);
  std::mt19937_64 random(0x55e);
  unsigned numUsed = 0;
  for (unsigned round = 0; round < numResamples && numSequences > 1 && !values.empty(); ++round) {
    llvm::fill(weights, 0);
    for (size_t i = 0; i < numSequences; ++i)
      // The high bits times n: the same on every standard library, unlike its distributions.
      ++weights[static_cast<size_t>((random() >> 32) * numSequences >> 32)];
    uint64_t count = 0;
    for (size_t i = 0; i < numSequences; ++i)
      count += weights[i] * sequences[i].size();
    if (count == 0)
      continue;
    ++numUsed;
    getQuantiles(Walk(values.data(), weights), count, ascending, resampled);
    for (size_t i = 0; i < levels.size(); ++i) {
      // Around the point estimate, so that equal values give exactly 0.
      double change = resampled[i] - point[i];
      sums[i] += change;
      squares[i] += change * change;
    }
  }
  std::vector<Quantile> result;
  for (double level : levels) {
    size_t i = llvm::lower_bound(ascending, level) - ascending.begin();
    double error = missing;
    if (numUsed > 1)
      error = std::sqrt(std::max(0.0, squares[i] - sums[i] * sums[i] / numUsed) / (numUsed - 1));
    result.push_back({level, {point[i], error}});
  }
  return result;
}

llvm::ArrayRef<double> ssmq::getDivergenceLevels() {
  static constexpr double levels[] = {1, 0.999, 0.99, 0.95, 0.9, 0.5, 0.1, 0.05, 0.01, 0.001, 0};
  return levels;
}

llvm::ArrayRef<double> ssmq::getProbabilityChangeLevels() {
  static constexpr double levels[] = {1,    0.999, 0.99, 0.95, 0.9,   0.75, 0.5,
                                      0.25, 0.1,   0.05, 0.01, 0.001, 0};
  return levels;
}
