//===- Hessian.cpp - Second moments of a layer's inputs -------------------===//

#include "ssmq/Refine/Hessian.h"

#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

namespace ssmq {

/// Tokens whose products are summed in f32, and rows of H that are computed at a time.
static constexpr int64_t kTokens = 256, kRows = 128;

void Hessian::add(const Tensor &inputs, unsigned threads) {
  const float *values = inputs.data<float>().data();
  int64_t count = inputs.getDim(0);
  tokens += count;
  std::vector<float> transposed(static_cast<size_t>(columns * std::min(kTokens, count)));
  for (int64_t first = 0; first < count; first += kTokens) {
    int64_t block = std::min(kTokens, count - first);
    for (int64_t t = 0; t < block; ++t)
      for (int64_t i = 0; i < columns; ++i)
        transposed[i * block + t] = values[(first + t) * columns + i];
    // The lower triangle, a panel of rows after the other, and its mirror image.
    parallelFor(threads, (columns + kRows - 1) / kRows, [&](int64_t begin, int64_t end) {
      std::vector<float> products;
      for (int64_t panel = begin; panel < end; ++panel) {
        int64_t row = panel * kRows, rows = std::min(kRows, columns - row), width = row + rows;
        products.resize(static_cast<size_t>(rows * width));
        gemmTransposed({transposed.data() + row * block, block}, {transposed.data(), block},
                       {products.data(), width}, {rows, width, block});
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j <= row + i; ++j) {
            double sum = sums[(row + i) * columns + j] + products[i * width + j];
            sums[(row + i) * columns + j] = sums[j * columns + row + i] = sum;
          }
      }
    });
  }
}

void Hessian::addIdentity(double fraction) {
  double share = fraction * getMeanDiagonal();
  for (int64_t i = 0; i < columns; ++i)
    sums[i * columns + i] += share;
}

void Hessian::add(const Hessian &other) {
  tokens += other.tokens;
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] += other.sums[i];
}

double Hessian::getMeanDiagonal() const {
  double sum = 0;
  for (int64_t i = 0; i < columns; ++i)
    sum += get(i, i);
  return columns ? sum / static_cast<double>(columns) : 0;
}

bool Hessian::isFinite() const {
  return llvm::all_of(sums, [](double sum) { return std::isfinite(sum); });
}

} // namespace ssmq
