//===- RowComparison.cpp - One position of student and teacher ------------===//

#include "RowComparison.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace ssmq;

// What runs in two instruction sets is inlined into the function of each.
#define SSMQ_INLINE [[gnu::always_inline]] static inline

namespace {
constexpr int lanes = rowBlock;
/// Blocks that are added up in float before the sums go to double.
constexpr size_t blocksInFloat = 8;
/// Rows up to this length are summed in double.
constexpr size_t smallVocabulary = 4096;

typedef float Floats __attribute__((ext_vector_type(lanes)));
typedef double Doubles __attribute__((ext_vector_type(lanes)));
typedef int32_t Ints __attribute__((ext_vector_type(lanes)));
typedef int64_t Longs __attribute__((ext_vector_type(lanes)));

struct Sums {
  Doubles m{}, s{}, t{}, squares{};
  Floats largest{}, smallest{};
};
} // namespace

template <typename V>
SSMQ_INLINE V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}

SSMQ_INLINE Floats load(const float *from) {
  Floats v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

SSMQ_INLINE Doubles widen(Floats v) { return __builtin_convertvector(v, Doubles); }

template <typename V>
SSMQ_INLINE V getMax(V a, V b) {
  return a > b ? a : b;
}
template <typename V>
SSMQ_INLINE V getMin(V a, V b) {
  return a < b ? a : b;
}

namespace {
/// x = n ln 2 + r with |r| <= ln(2) / 2, and 2^n.
template <typename V>
struct Reduced {
  V n, r, power;
};
} // namespace

/// Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
SSMQ_INLINE Reduced<Floats> reduce(Floats x) {
  const Floats magic(0x1.8p23f);
  Floats shifted = fma(x, Floats(0x1.715476p0f), magic), n = shifted - magic;
  Floats r = fma(n, Floats(0x1.bd0106p-13f), fma(n, Floats(-0x1.63p-1f), x));
  Ints bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits << 23) + 0x3f800000;
  Floats power;
  std::memcpy(&power, &bits, sizeof(power));
  return {n, r, power};
}

SSMQ_INLINE Reduced<Doubles> reduce(Doubles x) {
  const Doubles magic(0x1.8p52);
  Doubles shifted = fma(x, Doubles(0x1.71547652b82fep0), magic), n = shifted - magic;
  Doubles r = fma(n, Doubles(-0x1.ef35793c76730p-45), fma(n, Doubles(-0x1.62e42fefa3800p-1), x));
  Longs bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits << 52) + 0x3ff0000000000000;
  Doubles power;
  std::memcpy(&power, &bits, sizeof(power));
  return {n, r, power};
}

// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2: Chebyshev fits, relative errors 9e-9 and 2e-16. The
// first coefficient is exact, so that small differences have no bias.
SSMQ_INLINE Floats getExcessFactor(Floats r, Floats r2) {
  Floats p01 = fma(r, Floats(0x1.555556p-3f), Floats(0.5f));
  Floats p23 = fma(r, Floats(0x1.1110f6p-7f), Floats(0x1.55551ap-5f));
  Floats p45 = fma(r, Floats(0x1.a0f89ap-13f), Floats(0x1.6d113cp-10f));
  return fma(r2, fma(r2, p45, p23), p01);
}

SSMQ_INLINE Doubles getExcessFactor(Doubles r, Doubles r2) {
  Doubles p01 = fma(r, Doubles(0x1.5555555555556p-3), Doubles(0x1.0000000000001p-1));
  Doubles p23 = fma(r, Doubles(0x1.11111111109adp-7), Doubles(0x1.5555555553d4fp-5));
  Doubles p45 = fma(r, Doubles(0x1.a01a01a7c8d47p-13), Doubles(0x1.6c16c17893833p-10));
  Doubles p67 = fma(r, Doubles(0x1.71de0d9c145d0p-19), Doubles(0x1.a019b8ef67c6cp-16));
  Doubles p89 = fma(r, Doubles(0x1.af38d53857513p-26), Doubles(0x1.2891a8c1d838dp-22));
  return fma(r2, fma(r2, fma(r2, fma(r2, p89, p67), p45), p23), p01);
}

template <typename V>
SSMQ_INLINE V exp(V x) {
  Reduced<V> reduced = reduce(x);
  V r = reduced.r, r2 = r * r;
  return reduced.power * (fma(r2, getExcessFactor(r, r2), r) + 1);
}

/// e^x - 1 - x, relatively right near 0: with x = n ln 2 + r and e the same of r,
/// 2^n e + (2^n - 1) (1 + r) - n ln 2.
template <typename V>
SSMQ_INLINE V getExcess(V x) {
  Reduced<V> reduced = reduce(x);
  V r = reduced.r, r2 = r * r, power = reduced.power;
  V low = fma(reduced.n, V(-0x1.62e42fefa39efp-1), power * (r2 * getExcessFactor(r, r2)));
  return fma(power - 1, r + 1, low);
}

template <typename V>
SSMQ_INLINE void addTerms(V p, V q, V peak, V offset, V &m, V &s, V &t, V &squares) {
  V raw = q - p, d = raw - offset;
  V weight = exp<V>(p - peak), excess = getExcess<V>(d), weighted = weight * d;
  m += weighted;
  s = fma(weight, excess, s);
  t = fma(weighted, d + excess, t);
  squares = fma(raw, raw, squares);
}

SSMQ_INLINE void addBlock(Sums &sums, Floats p, Floats q, float peak, float offset) {
  addTerms<Doubles>(widen(p), widen(q), Doubles(peak), Doubles(offset), sums.m, sums.s, sums.t,
                    sums.squares);
}

SSMQ_INLINE void addLightBlocks(Sums &sums, const float *p, const float *q, size_t begin,
                                size_t end, float peak, float offset) {
  while (begin < end) {
    Floats m(0.0f), s(0.0f), t(0.0f), squares(0.0f);
    size_t stop = std::min(end, begin + blocksInFloat);
    for (; begin < stop; ++begin) {
      Floats student = load(q + begin * lanes);
      sums.largest = getMax(student, sums.largest);
      sums.smallest = getMin(student, sums.smallest);
      addTerms<Floats>(load(p + begin * lanes), student, Floats(peak), Floats(offset), m, s, t,
                       squares);
    }
    sums.m += widen(m);
    sums.s += widen(s);
    sums.t += widen(t);
    sums.squares += widen(squares);
  }
}

template <typename V>
SSMQ_INLINE double sumLanes(V v) {
  double sum = 0;
  for (int i = 0; i < lanes; ++i)
    sum += v[i];
  return sum;
}

SSMQ_INLINE RowComparison compare(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak,
                                  float offset, llvm::ArrayRef<uint32_t> heavyBlocks) {
  Sums sums;
  sums.largest = sums.smallest = Floats(q.front());
  size_t numBlocks = p.size() / lanes, next = 0;
  auto addHeavyBlock = [&](size_t block) __attribute__((always_inline)) {
    Floats student = load(q.data() + block * lanes);
    sums.largest = getMax(student, sums.largest);
    sums.smallest = getMin(student, sums.smallest);
    addBlock(sums, load(p.data() + block * lanes), student, peak, offset);
  };
  if (p.size() <= smallVocabulary) {
    for (; next < numBlocks; ++next)
      addHeavyBlock(next);
  } else {
    for (uint32_t heavy : heavyBlocks) {
      addLightBlocks(sums, p.data(), q.data(), next, heavy, peak, offset);
      addHeavyBlock(heavy);
      next = heavy + 1;
    }
    addLightBlocks(sums, p.data(), q.data(), next, numBlocks, peak, offset);
  }

  RowComparison result;
  result.largest = sums.largest[0];
  result.smallest = sums.smallest[0];
  for (int i = 1; i < lanes; ++i) {
    result.largest = std::max(result.largest, sums.largest[i]);
    result.smallest = std::min(result.smallest, sums.smallest[i]);
  }
  if (size_t rest = p.size() % lanes) {
    // Padding has equal logits of no weight.
    Floats teacher(peak - maxRowDifference * 8), student = teacher;
    for (size_t i = 0; i < rest; ++i) {
      teacher[i] = p[numBlocks * lanes + i];
      student[i] = q[numBlocks * lanes + i];
      result.largest = std::max(result.largest, student[i]);
      result.smallest = std::min(result.smallest, student[i]);
    }
    addBlock(sums, teacher, student, peak, offset);
  }
  result.m = sumLanes(sums.m);
  result.s = sumLanes(sums.s);
  result.t = sumLanes(sums.t);
  result.squares = sumLanes(sums.squares);
  return result;
}

RowComparison ssmq::compareRowsAVX2(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak,
                                    float offset, llvm::ArrayRef<uint32_t> heavyBlocks) {
  return compare(p, q, peak, offset, heavyBlocks);
}

static __attribute__((target("avx512f,avx512dq"))) RowComparison
compareRowsAVX512(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak, float offset,
                  llvm::ArrayRef<uint32_t> heavyBlocks) {
  return compare(p, q, peak, offset, heavyBlocks);
}

RowComparison ssmq::compareRows(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak,
                                float offset, llvm::ArrayRef<uint32_t> heavyBlocks) {
  static const bool isWide =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  return (isWide ? compareRowsAVX512 : compareRowsAVX2)(p, q, peak, offset, heavyBlocks);
}

void ssmq::appendHeavyBlocks(llvm::ArrayRef<float> p, float peak, double expSum,
                             std::vector<uint32_t> &blocks) {
  if (p.size() <= smallVocabulary)
    return;
  float threshold = static_cast<float>(peak + std::log(expSum * 0x1p-10));
  for (size_t block = 0; block < p.size() / lanes; ++block) {
    Floats row = load(p.data() + block * lanes);
    if (__builtin_reduce_max(row) > threshold)
      blocks.push_back(block);
  }
}
