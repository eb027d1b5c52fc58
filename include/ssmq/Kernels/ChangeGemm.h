//===- ChangeGemm.h - Products of small changes in bytes --------*- C++ -*-===//
//
// A perturbed program differs little from a known run: y = y0 + (x - x0) Wᵀ. The change need only
// be right to a part of its own size, so both factors are carried in 8 bits, rows of W and rows of
// x - x0 each with a scale, and multiplied by the machine's byte dot products (AVX512-VNNI,
// AVX-VNNI): four multiply-adds where f32 does one.
//
// Rounding a row to steps of max / 127 adds noise of (max / mean |x|)² / (12 127²) of the energy of
// its bulk: 1e-4 for a normal distribution. Rows with outliers would lose their small values, so a
// row of changes whose noise exceeds `largestNoise` is carried in two bytes, and a weight with such
// a row is refused. The energy of a change, and so a KL, is then right to about 1e-3 a product.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_CHANGEGEMM_H
#define SSMQ_KERNELS_CHANGEGEMM_H

#include "ssmq/Kernels/Gemm.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>
#include <vector>

namespace ssmq {

/// Whether this machine has byte dot products.
bool hasByteProducts();

/// Noise over energy that a rounded row may have.
inline constexpr double largestNoise = 1e-3;

/// A matrix [n, k] in bytes, in the order in which products read it.
class ByteWeight {
public:
  /// Null when the machine has no byte products, a row has outliers, or k exceeds 2^16.
  static std::unique_ptr<ByteWeight> create(ConstMatrix weight, int64_t n, int64_t k,
                                            unsigned threads = 1);

  int64_t getNumRows() const { return n; }
  int64_t getNumColumns() const { return k; }

private:
  friend void addProduct(ConstMatrix, ConstMatrix, const ByteWeight &, MutableMatrix, int64_t,
                         unsigned);
  ByteWeight(int64_t n, int64_t k) : n(n), k(k) {}

  int64_t n, k;
  /// Panels of columns: [n / width][k / 4][width][4], each code plus 128.
  std::vector<uint8_t> codes;
  /// One a row of the matrix, padded to whole panels.
  std::vector<float> scales;
};

/// y [m, n] = base [m, n] + change [m, k] * weightᵀ, where base may be y and has its stride. A row
/// of changes that is not finite makes its row NaN.
void addProduct(ConstMatrix base, ConstMatrix change, const ByteWeight &weight, MutableMatrix y,
                int64_t m, unsigned threads = 1);

} // namespace ssmq

#endif // SSMQ_KERNELS_CHANGEGEMM_H
