//===- CoordinateDescent.cpp - Better codes, one at a time ----------------===//

#include "CoordinateDescent.h"

#include "RunCodes.h"
#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace ssmq {

namespace {
/// All rows: their errors' slopes e H.
class Descent {
public:
  Descent(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
          const GPTQOptions &options, QuantizedTensor &result);

  /// Whether a code has changed.
  bool sweepCodes();
  /// Of the rows whose codes the last sweep has changed.
  void fitScales();

private:
  bool sweepRow(int64_t row);
  /// Fits the scale of one run, whose steps from the zero point are `steps`; `products` are these
  /// steps times H.
  void fitScale(int64_t row, int64_t group, ArrayRef<float> steps, ArrayRef<float> products);
  /// The rounded row grows by `factor` times what `line` is the product of with H.
  void move(int64_t row, float factor, const float *line) {
    float *slope = slopes.data() + row * n;
    for (int64_t i = 0; i < n; ++i)
      slope[i] -= factor * line[i];
  }

  unsigned threads;
  RunCodes runs;
  int64_t rows, n;
  /// H with its damping.
  std::vector<float> moments;
  std::vector<float> slopes;
  std::vector<char> changed;
};
} // namespace

Descent::Descent(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                 const GPTQOptions &options, QuantizedTensor &result)
    : threads(options.threads), runs(codes, result), rows(runs.getNumRows()),
      n(runs.getNumColumns()), moments(n * n), slopes(rows * n), changed(rows, true) {
  Tensor rounded = dequantize(result);
  std::vector<float> errors(slopes.size());
  for (size_t i = 0; i < errors.size(); ++i)
    errors[i] = weight.data<float>()[i] - rounded.data<float>()[i];
  double mean = hessian.getMeanDiagonal();
  auto damping = static_cast<float>(mean > 0 ? options.damping * mean : 1);
  for (int64_t i = 0; i < n * n; ++i)
    moments[i] = static_cast<float>(hessian.get(i / n, i % n)) + (i / n == i % n ? damping : 0);
  gemm({errors.data(), n}, {moments.data(), n}, {slopes.data(), n}, {rows, n, n}, threads);
}

bool Descent::sweepRow(int64_t row) {
  bool any = false;
  for (int64_t group = 0; group < runs.getNumGroups(); ++group) {
    IntegerGrid grid = runs.getGrid(row, group);
    auto [first, size] = runs.getColumns(group);
    for (int64_t k = first; k < first + size; ++k) {
      int code = runs.getCode(row, k);
      float value = grid.decode(code);
      int better = grid.encode(value + slopes[row * n + k] / moments[k * n + k]);
      if (better == code)
        continue;
      move(row, grid.decode(better) - value, moments.data() + k * n);
      runs.setCode(row, k, better);
      any = true;
    }
  }
  return any;
}

bool Descent::sweepCodes() {
  parallelFor(threads, rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      changed[row] = changed[row] && sweepRow(row);
  });
  return llvm::is_contained(changed, true);
}

void Descent::fitScale(int64_t row, int64_t group, ArrayRef<float> steps,
                       ArrayRef<float> products) {
  int64_t first = runs.getColumns(group).first;
  // The error is a parabola of the scale.
  double slope = 0, curvature = 0;
  for (auto [k, step] : llvm::enumerate(steps)) {
    slope += static_cast<double>(step) * slopes[row * n + first + k];
    curvature += static_cast<double>(step) * products[first + k];
  }
  if (!(curvature > 0))
    return;
  IntegerGrid grid = runs.getGrid(row, group);
  float scale = roundScale(grid.scale + static_cast<float>(slope / curvature));
  float change = scale - grid.scale;
  if (!(scale > 0) || !(change * change * curvature < 2 * change * slope))
    return;
  move(row, change, products.data());
  grid.scale = scale;
  runs.setGrid(row, group, grid);
}

void Descent::fitScales() {
  std::vector<float> products(slopes.size());
  for (int64_t group = 0; group < runs.getNumGroups(); ++group) {
    auto [first, size] = runs.getColumns(group);
    std::vector<float> steps;
    steps.reserve(rows * size);
    for (int64_t row = 0; row < rows; ++row) {
      int zero = runs.getGrid(row, group).zero;
      for (int64_t k = first; k < first + size; ++k)
        steps.push_back(static_cast<float>(runs.getCode(row, k) - zero));
    }
    gemm({steps.data(), size}, {moments.data() + first * n, n}, {products.data(), n},
         {rows, n, size}, threads);
    parallelFor(threads, rows, [&, group = group, size = size](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        if (changed[row])
          fitScale(row, group, ArrayRef(steps).slice(row * size, size),
                   ArrayRef(products).slice(row * n, n));
    });
  }
}

void improveCodes(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                  const GPTQOptions &options, QuantizedTensor &result) {
  Descent descent(weight, hessian, codes, options, result);
  for (unsigned sweep = 0; sweep < options.sweeps && descent.sweepCodes(); ++sweep)
    descent.fitScales();
}

} // namespace ssmq
