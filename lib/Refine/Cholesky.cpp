//===- Cholesky.cpp - Factors of symmetric matrices -----------------------===//

#include "ssmq/Refine/Cholesky.h"

#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace ssmq {

/// Columns that are factored before what is right of them is updated; rows and columns of a tile
/// whose sums stay in registers.
static constexpr int64_t kPanel = 64, kTileRows = 4, kTileColumns = 8;

/// Factors the diagonal block whose first row and column is `begin`.
static bool factorBlock(double *a, int64_t n, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; ++j) {
    double diagonal = a[j * n + j];
    for (int64_t k = begin; k < j; ++k)
      diagonal -= a[j * n + k] * a[j * n + k];
    if (!(diagonal > 0) || !std::isfinite(diagonal))
      return false;
    diagonal = std::sqrt(diagonal);
    a[j * n + j] = diagonal;
    for (int64_t i = j + 1; i < end; ++i) {
      double sum = a[i * n + j];
      for (int64_t k = begin; k < j; ++k)
        sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / diagonal;
    }
  }
  return true;
}

/// The part of row i in the panel, solved against the diagonal block.
static void solveRow(double *a, int64_t n, int64_t i, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; ++j) {
    double sum = a[i * n + j];
    for (int64_t k = begin; k < j; ++k)
      sum -= a[i * n + k] * a[j * n + k];
    a[i * n + j] = sum / a[j * n + j];
  }
}

/// a[i.., j..] -= sum_k left[r][k] * right[k][c] for one tile; `right` has rows of kTileColumns.
static void updateTile(double *a, int64_t n, const double *left, const double *right, int64_t depth,
                       int64_t rows, int64_t columns) {
  double sums[kTileRows][kTileColumns] = {};
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t r = 0; r < kTileRows; ++r)
      for (int64_t c = 0; c < kTileColumns; ++c)
        sums[r][c] += left[k * kTileRows + r] * right[k * kTileColumns + c];
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      a[r * n + c] -= sums[r][c];
}

/// Rows [begin + t * step, ...) of columns [first, last), tile by tile, each as `step` neighbours a
/// column, zeros past the end.
static std::vector<double> packTiles(const double *a, int64_t n, int64_t begin, int64_t first,
                                     int64_t last, int64_t step) {
  int64_t tiles = (n - begin + step - 1) / step, depth = last - first;
  std::vector<double> packed(static_cast<size_t>(tiles * depth * step));
  for (int64_t i = begin; i < n; ++i)
    for (int64_t k = 0; k < depth; ++k)
      packed[((i - begin) / step * depth + k) * step + (i - begin) % step] = a[i * n + first + k];
  return packed;
}

/// What lies right of and below the panel [first, last), minus the panel's products.
static void updateTrailing(double *a, int64_t n, int64_t first, int64_t last, unsigned threads) {
  int64_t depth = last - first, tiles = (n - last + kTileRows - 1) / kTileRows;
  std::vector<double> rows = packTiles(a, n, last, first, last, kTileRows);
  std::vector<double> columns = packTiles(a, n, last, first, last, kTileColumns);
  auto updateRows = [&](int64_t tile) {
    int64_t i = last + tile * kTileRows, height = std::min(kTileRows, n - i);
    for (int64_t j = last; j < i + height; j += kTileColumns)
      updateTile(a + i * n + j, n, rows.data() + tile * depth * kTileRows,
                 columns.data() + (j - last) * depth, depth, height, std::min(kTileColumns, n - j));
  };
  // Rows of the triangle grow longer: a short and a long one together are equal work.
  parallelFor(threads, (tiles + 1) / 2, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      updateRows(tile);
      if (tile != tiles - 1 - tile)
        updateRows(tiles - 1 - tile);
    }
  });
}

bool factorCholesky(llvm::MutableArrayRef<double> matrix, int64_t n, unsigned threads) {
  double *a = matrix.data();
  for (int64_t first = 0; first < n; first += kPanel) {
    int64_t last = std::min(n, first + kPanel);
    if (!factorBlock(a, n, first, last))
      return false;
    parallelFor(threads, n - last, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        solveRow(a, n, last + i, first, last);
    });
    if (last < n)
      updateTrailing(a, n, first, last, threads);
  }
  return true;
}

} // namespace ssmq
