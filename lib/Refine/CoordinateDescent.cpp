//===- CoordinateDescent.cpp - Better codes, one at a time ----------------===//

#include "CoordinateDescent.h"

#include "RunCodes.h"
#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Support/Parallel.h"

using namespace llvm;

namespace ssmq {

namespace {
/// One row: its error e, and e H.
class Row {
public:
  Row(RunCodes &runs, int64_t row, ArrayRef<float> moments, MutableArrayRef<float> slopes)
      : runs(runs), row(row), n(runs.getNumColumns()), moments(moments.data()), slopes(slopes) {}

  /// Whether a code has changed.
  bool sweepCodes();
  void fitScales();

private:
  /// The rounded value of a column grows by `step`.
  void move(int64_t column, float step) {
    const float *line = moments + column * n;
    for (int64_t i = 0; i < n; ++i)
      slopes[i] -= step * line[i];
  }
  void fitScale(int64_t group);

  RunCodes &runs;
  int64_t row, n;
  const float *moments;
  MutableArrayRef<float> slopes;
};
} // namespace

bool Row::sweepCodes() {
  bool changed = false;
  for (int64_t group = 0; group < runs.getNumGroups(); ++group) {
    IntegerGrid grid = runs.getGrid(row, group);
    auto [first, size] = runs.getColumns(group);
    for (int64_t k = first; k < first + size; ++k) {
      int code = runs.getCode(row, k);
      float value = grid.decode(code);
      int better = grid.encode(value + slopes[k] / moments[k * n + k]);
      if (better == code)
        continue;
      move(k, grid.decode(better) - value);
      runs.setCode(row, k, better);
      changed = true;
    }
  }
  return changed;
}

void Row::fitScale(int64_t group) {
  IntegerGrid grid = runs.getGrid(row, group);
  auto [first, size] = runs.getColumns(group);
  SmallVector<float, 0> steps;
  for (int64_t k = first; k < first + size; ++k)
    steps.push_back(static_cast<float>(runs.getCode(row, k) - grid.zero));
  // The error is a parabola of the scale.
  double slope = 0, curvature = 0;
  for (int64_t k = 0; k < size; ++k) {
    if (steps[k] == 0)
      continue;
    slope += static_cast<double>(steps[k]) * slopes[first + k];
    const float *line = moments + (first + k) * n + first;
    double sum = 0;
    for (int64_t i = 0; i < size; ++i)
      sum += static_cast<double>(steps[i]) * line[i];
    curvature += steps[k] * sum;
  }
  if (!(curvature > 0))
    return;
  float scale = roundScale(grid.scale + static_cast<float>(slope / curvature));
  float change = scale - grid.scale;
  if (!(scale > 0) || !(change * change * curvature < 2 * change * slope))
    return;
  for (int64_t k = 0; k < size; ++k)
    if (steps[k] != 0)
      move(first + k, change * steps[k]);
  grid.scale = scale;
  runs.setGrid(row, group, grid);
}

void Row::fitScales() {
  for (int64_t group = 0; group < runs.getNumGroups(); ++group)
    fitScale(group);
}

void improveCodes(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                  const GPTQOptions &options, QuantizedTensor &result) {
  Tensor rounded = dequantize(result);
  RunCodes runs(codes, result);
  int64_t rows = runs.getNumRows(), n = runs.getNumColumns();
  std::vector<float> errors(static_cast<size_t>(rows * n)), slopes(errors.size());
  for (size_t i = 0; i < errors.size(); ++i)
    errors[i] = weight.data<float>()[i] - rounded.data<float>()[i];
  double mean = hessian.getMeanDiagonal();
  auto damping = static_cast<float>(mean > 0 ? options.damping * mean : 1);
  std::vector<float> moments(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n * n; ++i)
    moments[i] = static_cast<float>(hessian.get(i / n, i % n)) + (i / n == i % n ? damping : 0);
  gemm({errors.data(), n}, {moments.data(), n}, {slopes.data(), n}, {rows, n, n}, options.threads);
  parallelFor(options.threads, rows, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Row row(runs, i, moments, MutableArrayRef(slopes).slice(i * n, n));
      for (unsigned sweep = 0; sweep < options.sweeps && row.sweepCodes(); ++sweep)
        row.fitScales();
    }
  });
}

} // namespace ssmq
