//===- LogitRow.cpp - Sums over one row of logits -------------------------===//

#include "LogitRow.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace ssmq;

namespace {
constexpr int width = 8;
typedef float Floats __attribute__((ext_vector_type(width)));
typedef double Doubles __attribute__((ext_vector_type(width)));
typedef int64_t Longs __attribute__((ext_vector_type(width)));
typedef int32_t Ints __attribute__((ext_vector_type(width)));
} // namespace

static inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return __builtin_elementwise_fma(a, b, c);
}

static inline double sumLanes(Doubles v) {
  auto four = v.lo + v.hi;
  auto two = four.lo + four.hi;
  return two.x + two.y;
}

/// e^x for x <= 0 within 2 ulp: Cody-Waite reduction and the Taylor polynomial of degree 12, whose
/// remainder on |r| <= ln(2) / 2 is below 2e-16. Results below 1e-300 are flattened to about that.
static inline Doubles exp(Doubles x) {
  const Doubles lowest(-690.0);
  x = x < lowest ? lowest : x;
  // Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits.
  const Doubles magic(0x1.8p52);
  Doubles shifted = fma(x, Doubles(0x1.71547652b82fep0), magic);
  Doubles n = shifted - magic;
  Doubles r = fma(n, Doubles(-0x1.62e42fefa3800p-1), x);
  r = fma(n, Doubles(-0x1.ef35793c76730p-45), r);
  // Estrin's scheme: short chains keep both multiply-add units busy.
  Doubles r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
  Doubles p01 = r + 1.0;
  Doubles p23 = fma(r, Doubles(1.0 / 6), Doubles(1.0 / 2));
  Doubles p45 = fma(r, Doubles(1.0 / 120), Doubles(1.0 / 24));
  Doubles p67 = fma(r, Doubles(1.0 / 5040), Doubles(1.0 / 720));
  Doubles p89 = fma(r, Doubles(1.0 / 362880), Doubles(1.0 / 40320));
  Doubles pAB = fma(r, Doubles(1.0 / 39916800), Doubles(1.0 / 3628800));
  Doubles low = fma(fma(r2, p67, p45), r4, fma(r2, p23, p01));
  Doubles high = fma(r4, Doubles(1.0 / 479001600), fma(r2, pAB, p89));
  Doubles y = fma(r8, high, low);
  Longs bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits + 1023) << 52; // only the low 12 bits of n + 1023 remain
  Doubles scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return y * scale;
}

/// The next eight values, or the last ones followed by `padding`.
static inline Floats loadNext(llvm::ArrayRef<float> row, size_t i, float padding) {
  Floats v(padding);
  if (i + width <= row.size()) {
    std::memcpy(&v, row.data() + i, sizeof(v));
    return v;
  }
  for (size_t lane = 0; i + lane < row.size(); ++lane)
    v[lane] = row[i + lane];
  return v;
}

static inline Doubles widen(Floats v) { return __builtin_convertvector(v, Doubles); }

Peak ssmq::findPeak(llvm::ArrayRef<float> row) {
  Floats largest(row[0]), smallest(row[0]);
  Ints finite(-1);
  const Floats maximum(std::numeric_limits<float>::max());
  for (size_t i = 0; i < row.size(); i += width) {
    Floats v = loadNext(row, i, row[0]);
    largest = v > largest ? v : largest;
    smallest = v < smallest ? v : smallest;
    finite &= __builtin_elementwise_abs(v) <= maximum;
  }
  Peak peak{largest[0], smallest[0], 0, true};
  for (int lane = 0; lane < width; ++lane) {
    peak.largest = std::max(peak.largest, largest[lane]);
    peak.smallest = std::min(peak.smallest, smallest[lane]);
    peak.allFinite &= finite[lane] != 0;
  }
  if (!peak.allFinite)
    return peak;
  while (row[peak.index] != peak.largest)
    ++peak.index;
  return peak;
}

ExpSums ssmq::sumExp(llvm::ArrayRef<float> x, llvm::ArrayRef<float> y, float shift) {
  Doubles exps(0.0), weighted(0.0), squares(0.0);
  // Padding far below any shift adds e^-690, and no difference.
  const float padding = -std::numeric_limits<float>::max();
  for (size_t i = 0; i < x.size(); i += width) {
    Doubles a = widen(loadNext(x, i, padding)), b = widen(loadNext(y, i, padding));
    Doubles e = exp(a - static_cast<double>(shift)), d = a - b;
    exps += e;
    weighted = fma(e, d, weighted);
    squares = fma(d, d, squares);
  }
  return {sumLanes(exps), sumLanes(weighted), sumLanes(squares)};
}

double ssmq::sumSquares(llvm::ArrayRef<float> row) {
  Doubles sum(0.0);
  for (size_t i = 0; i < row.size(); i += width) {
    Doubles v = widen(loadNext(row, i, 0));
    sum = fma(v, v, sum);
  }
  return sumLanes(sum);
}
