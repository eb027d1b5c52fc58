//===- Simd.h - Short vectors for the fast kernels --------------*- C++ -*-===//
//
// Clang extended vectors of W floats. Tails go through the same vector code as full vectors (zero
// filled), so that an element's bits never depend on its position or on how a loop was split.
// Multiply-adds are written out, since contraction is off.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_SIMD_H
#define SSMQ_KERNELS_SIMD_H

#include <cstdint>
#include <cstring>

namespace ssmq::simd {

template <int W>
struct VectorOf {
  typedef float type __attribute__((ext_vector_type(W)));
};
template <int W>
using Vector = typename VectorOf<W>::type;

using Float8 = Vector<8>;
typedef int32_t Int8 __attribute__((ext_vector_type(8)));
typedef uint32_t UInt8 __attribute__((ext_vector_type(8)));

template <typename V>
[[gnu::always_inline]] inline V load(const float *from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}

template <typename V>
[[gnu::always_inline]] inline void store(float *to, V v) {
  std::memcpy(to, &v, sizeof(V));
}

/// The first `count` lanes from memory, the others zero. Whole vectors take the short way.
[[gnu::always_inline]] inline Float8 loadPartial(const float *from, int64_t count) {
  if (count == 8)
    return load<Float8>(from);
  float lanes[8] = {};
  for (int64_t i = 0; i < count; ++i)
    lanes[i] = from[i];
  return load<Float8>(lanes);
}

[[gnu::always_inline]] inline void storePartial(float *to, Float8 v, int64_t count) {
  if (count == 8)
    return store(to, v);
  for (int64_t i = 0; i < count; ++i)
    to[i] = v[i];
}

template <typename V>
[[gnu::always_inline]] inline V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}

/// Sums lanes pairwise, always in the same order.
inline float sum(Float8 v) {
  auto a = v.lo + v.hi;
  auto b = a.lo + a.hi;
  return b.x + b.y;
}

inline Float8 bitsToFloat(UInt8 v) {
  Float8 f;
  std::memcpy(&f, &v, sizeof(f));
  return f;
}

inline UInt8 floatToBits(Float8 v) {
  UInt8 bits;
  std::memcpy(&bits, &v, sizeof(bits));
  return bits;
}

/// Lanes of `a` where the comparison mask is set (all ones), of `b` elsewhere.
inline Float8 select(Int8 mask, Float8 a, Float8 b) { return mask ? a : b; }

/// e^x by Cody-Waite reduction and Cephes' degree 5 polynomial; below 2 ulp, subnormal results
/// included.
inline Float8 exp(Float8 x) {
  constexpr float overflow = 89.0f, underflow = -104.0f;
  x = select(x > overflow, Float8(overflow), x); // comparisons are false for NaN, which passes
  x = select(x < underflow, Float8(underflow), x);
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, without a conversion that
  // is undefined for NaN.
  const Float8 magic(12582912.0f);
  Float8 shifted = fma(x, Float8(1.44269504f), magic);
  Float8 n = shifted - magic;
  Float8 r = fma(n, Float8(-0.693359375f), x);
  r = fma(n, Float8(2.12194440e-4f), r);
  Float8 p(1.9875691500e-4f);
  p = fma(p, r, Float8(1.3981999507e-3f));
  p = fma(p, r, Float8(8.3334519073e-3f));
  p = fma(p, r, Float8(4.1665795894e-2f));
  p = fma(p, r, Float8(1.6666665459e-1f));
  p = fma(p, r, Float8(5.0000001201e-1f));
  Float8 y = fma(p, r * r, r) + 1.0f;
  // 2^n in two factors, for n = 128 and n < -126 are no normal floats.
  UInt8 exponent = floatToBits(shifted) - floatToBits(magic);
  UInt8 half = (UInt8)((Int8)exponent >> 1);
  return y * bitsToFloat((half + 127) << 23) * bitsToFloat((exponent - half + 127) << 23);
}

/// log(1 + x) with the rounding error of 1 + x carried along and Cephes' log polynomial; below
/// 2 ulp.
inline Float8 log1p(Float8 x) {
  Float8 u = x + 1.0f;
  Float8 back = u - 1.0f;
  Float8 lost = (1.0f - (u - back)) + (x - back); // u + lost == 1 + x exactly

  const UInt8 sqrtHalf(0x3f3504f3);
  UInt8 bits = floatToBits(u) + (0x3f800000 - sqrtHalf);
  UInt8 biased = bits >> 23;
  Float8 e = __builtin_convertvector((Int8)(biased - 127), Float8);
  Float8 mantissa = bitsToFloat((bits & 0x7fffff) + sqrtHalf);
  // Nothing is lost in the top binade, whose inverse would wrap around to infinity.
  Float8 inverse = bitsToFloat((biased > 254 ? UInt8(0) : 254 - biased) << 23);
  Float8 f = fma(lost, inverse, mantissa - 1.0f);

  Float8 z = f * f;
  Float8 p(7.0376836292e-2f);
  p = fma(p, f, Float8(-1.1514610310e-1f));
  p = fma(p, f, Float8(1.1676998740e-1f));
  p = fma(p, f, Float8(-1.2420140846e-1f));
  p = fma(p, f, Float8(1.4249322787e-1f));
  p = fma(p, f, Float8(-1.6668057665e-1f));
  p = fma(p, f, Float8(2.0000714765e-1f));
  p = fma(p, f, Float8(-2.4999993993e-1f));
  p = fma(p, f, Float8(3.3333331174e-1f));
  Float8 y = f * z * p;
  y = fma(e, Float8(-2.12194440e-4f), y);
  y = fma(z, Float8(-0.5f), y);
  Float8 result = fma(e, Float8(0.693359375f), f + y);

  const Float8 infinity(__builtin_inff());
  result = select(x == -1.0f, -infinity, result);
  result = select(x < -1.0f, Float8(__builtin_nanf("")), result);
  // +inf, NaN and both zeros are their own images.
  return select((x == infinity) | (x != x) | (x == 0.0f), x, result);
}

/// Cephes' tanhf: a polynomial near zero, 1 - 2 / (e^2|x| + 1) elsewhere; below 2 ulp.
inline Float8 tanh(Float8 x) {
  Float8 magnitude = __builtin_elementwise_abs(x);
  Float8 large = 1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f);
  Float8 z = x * x;
  Float8 p(-5.70498872745e-3f);
  p = fma(p, z, Float8(2.06390887954e-2f));
  p = fma(p, z, Float8(-5.37397155531e-2f));
  p = fma(p, z, Float8(1.33314422036e-1f));
  p = fma(p, z, Float8(-3.33332819422e-1f));
  Float8 small = fma(p * z, x, x);
  return select(magnitude < 0.625f, small, __builtin_elementwise_copysign(large, x));
}

/// The largest of n >= 1 values; a NaN may be passed over.
inline float max(const float *x, int64_t n) {
  Float8 largest(x[0]);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    Float8 v = load<Float8>(x + i);
    largest = select(v > largest, v, largest);
  }
  for (; i < n; ++i)
    largest[0] = x[i] > largest[0] ? x[i] : largest[0];
  float result = largest[0];
  for (int lane = 1; lane < 8; ++lane)
    result = largest[lane] > result ? largest[lane] : result;
  return result;
}

/// out[i] = f(in[i]) in vectors of eight.
template <typename F>
void map(const float *in, float *out, int64_t n, F f) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    store(out + i, f(load<Float8>(in + i)));
  if (i < n)
    storePartial(out + i, f(loadPartial(in + i, n - i)), n - i);
}

template <typename F>
void map(const float *a, const float *b, float *out, int64_t n, F f) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    store(out + i, f(load<Float8>(a + i), load<Float8>(b + i)));
  if (i < n)
    storePartial(out + i, f(loadPartial(a + i, n - i), loadPartial(b + i, n - i)), n - i);
}

/// Sum of f(i, x[i..i+8)) over a row in a fixed order; f must send zero lanes to zero.
template <typename F>
float reduce(const float *x, int64_t n, F f) {
  Float8 even(0.0f), odd(0.0f);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    even += f(load<Float8>(x + i));
    odd += f(load<Float8>(x + i + 8));
  }
  if (i + 8 <= n) {
    even += f(load<Float8>(x + i));
    i += 8;
  }
  if (i < n)
    odd += f(loadPartial(x + i, n - i));
  return sum(even + odd);
}

} // namespace ssmq::simd

#endif // SSMQ_KERNELS_SIMD_H
