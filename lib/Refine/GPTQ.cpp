//===- GPTQ.cpp - Rounding that makes up for its own errors ---------------===//

#include "ssmq/Refine/GPTQ.h"

#include "RunCodes.h"
#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Refine/Cholesky.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Refine/ScaleSearch.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace llvm;

namespace ssmq {

namespace {

/// One weight on its way. "Position" is a column's place in the order of rounding.
class Rounding {
public:
  Rounding(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
           const GPTQOptions &options, QuantizedTensor &result)
      : hessian(hessian), options(options), codes(codes), runs(codes, result),
        rows(runs.getNumRows()), n(runs.getNumColumns()), weight(weight.data<float>().data()),
        groupSize(result.groupSize), order(n), factor(n * n), errors(rows * n) {
    std::iota(order.begin(), order.end(), 0);
  }

  Error run();

private:
  Error makeFactor();
  /// The grids of groups from the values that these have now, the group's first being `begin`.
  void searchGroup(int64_t group, ArrayRef<float> targets, int64_t begin, int64_t end);
  /// sum_{j < begin} errors_j R_jk for k in [begin, end): [rows, end - begin].
  std::vector<float> sumErrors(int64_t begin, int64_t end) const;
  void searchReachedGroup(int64_t begin, int64_t end);
  void roundBlock(int64_t begin, int64_t end);

  float getFactor(int64_t j, int64_t k) const { return factor[j * n + k]; }
  float getWeight(int64_t row, int64_t position) const { return weight[row * n + order[position]]; }

  const Hessian &hessian;
  const GPTQOptions &options;
  IntegerCodes codes;
  RunCodes runs;
  int64_t rows, n;
  const float *weight;
  int64_t groupSize;
  std::vector<int64_t> order;
  /// R, row-major.
  std::vector<float> factor;
  /// What a value was minus what it was rounded to, [rows, n] by position.
  std::vector<float> errors;
};

} // namespace

Error Rounding::makeFactor() {
  if (options.activationOrder)
    llvm::sort(order, [&](int64_t a, int64_t b) {
      double first = hessian.get(a, a), second = hessian.get(b, b);
      return first != second ? first > second : a < b;
    });
  double mean = hessian.getMeanDiagonal();
  // Without any input all columns are alike.
  double damping = mean > 0 ? options.damping * mean : 1;
  std::vector<double> matrix(static_cast<size_t>(n * n));
  // The lower factor of H turned around is the upper factor of H.
  constexpr double kLargestDamping = 1e3;
  for (double added = damping; added <= kLargestDamping * std::max(mean, 1.0); added *= 10) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j)
        matrix[i * n + j] = hessian.get(order[n - 1 - i], order[n - 1 - j]) + (i == j ? added : 0);
    if (!factorCholesky(matrix, n, options.threads))
      continue;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t k = j; k < n; ++k)
        factor[j * n + k] = static_cast<float>(matrix[(n - 1 - j) * n + n - 1 - k]);
    return Error::success();
  }
  return makeError("the inputs are too large to be told apart");
}

std::vector<float> Rounding::sumErrors(int64_t begin, int64_t end) const {
  std::vector<float> sums(static_cast<size_t>(rows * (end - begin)));
  if (begin > 0)
    gemm({errors.data(), n}, {factor.data() + begin, n}, {sums.data(), end - begin},
         {rows, end - begin, begin}, options.threads);
  return sums;
}

void Rounding::searchGroup(int64_t group, ArrayRef<float> targets, int64_t begin, int64_t end) {
  std::vector<float> importance;
  for (int64_t k = begin; k < end; ++k)
    importance.push_back(options.activationOrder ? static_cast<float>(hessian.get(k, k))
                                                 : getFactor(k, k) * getFactor(k, k));
  parallelFor(options.threads, rows, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      ArrayRef<float> values = targets.slice(row * (end - begin), end - begin);
      float low = 0, high = 0;
      for (float value : values) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
      runs.setGrid(row, group,
                   searchGrid(codes, values, importance, makeIntegerGrid(codes, low, high)));
    }
  });
}

void Rounding::searchReachedGroup(int64_t begin, int64_t end) {
  // Given the errors e before the group, the best values of the columns from there on are
  // W + x with x R_(from, from) = e R_(before, from): a system whose matrix is triangular.
  std::vector<float> moves = sumErrors(begin, end);
  int64_t size = end - begin;
  parallelFor(options.threads, rows, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      float *x = moves.data() + row * size;
      for (int64_t k = 0; begin > 0 && k < size; ++k) {
        const float *right = factor.data() + (begin + k) * n + begin;
        float move = x[k] /= right[k];
        for (int64_t i = k + 1; i < size; ++i)
          x[i] -= move * right[i];
      }
      for (int64_t k = 0; k < size; ++k)
        x[k] += getWeight(row, begin + k);
    }
  });
  searchGroup(begin / groupSize, moves, begin, end);
}

void Rounding::roundBlock(int64_t begin, int64_t end) {
  std::vector<float> sums = sumErrors(begin, end);
  int64_t size = end - begin;
  parallelFor(options.threads, rows, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      float *sum = sums.data() + row * size;
      for (int64_t k = 0; k < size; ++k) {
        const float *right = factor.data() + (begin + k) * n + begin;
        float value = getWeight(row, begin + k);
        int64_t column = order[begin + k];
        IntegerGrid grid = runs.getGrid(row, column / groupSize);
        int code = grid.encode(value + sum[k] / right[k]);
        runs.setCode(row, column, code);
        float error = errors[row * n + begin + k] = value - grid.decode(code);
        for (int64_t i = k + 1; i < size; ++i)
          sum[i] += error * right[i];
      }
    }
  });
}

Error Rounding::run() {
  if (Error error = makeFactor())
    return error;
  if (options.activationOrder)
    for (int64_t begin = 0; begin < n; begin += groupSize) {
      int64_t end = std::min(n, begin + groupSize);
      std::vector<float> targets;
      for (int64_t row = 0; row < rows; ++row)
        targets.insert(targets.end(), weight + row * n + begin, weight + row * n + end);
      searchGroup(begin / groupSize, targets, begin, end);
    }
  constexpr int64_t kBlock = 64;
  for (int64_t begin = 0; begin < n;) {
    int64_t groupEnd = std::min(n, (begin / groupSize + 1) * groupSize);
    if (!options.activationOrder && begin % groupSize == 0)
      searchReachedGroup(begin, groupEnd);
    int64_t end = std::min(options.activationOrder ? n : groupEnd, begin + kBlock);
    roundBlock(begin, end);
    begin = end;
  }
  return Error::success();
}

Error roundByGPTQ(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                  const GPTQOptions &options, QuantizedTensor &result) {
  return Rounding(weight, hessian, codes, options, result).run();
}

double measureOutputError(const Tensor &weight, const Tensor &rounded, const Hessian &hessian,
                          unsigned threads) {
  int64_t n = hessian.getColumns(), rows = n ? weight.getNumElements() / n : 0;
  const float *before = weight.data<float>().data(), *after = rounded.data<float>().data();
  std::vector<float> errors(static_cast<size_t>(rows * n)), moments(static_cast<size_t>(n * n));
  std::vector<float> products(errors.size());
  for (size_t i = 0; i < errors.size(); ++i)
    errors[i] = before[i] - after[i];
  for (int64_t i = 0; i < n * n; ++i)
    moments[i] = static_cast<float>(hessian.get(i / n, i % n));
  gemmTransposed({errors.data(), n}, {moments.data(), n}, {products.data(), n}, {rows, n, n},
                 threads);
  double sum = 0;
  for (size_t i = 0; i < errors.size(); ++i)
    sum += static_cast<double>(errors[i]) * products[i];
  return sum;
}

} // namespace ssmq
