//===- Peaks.cpp - What a machine reaches ---------------------------------===//

#include "ssmq/Runtime/Peaks.h"

#include "ssmq/Runtime/Profile.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>
#include <atomic>
#include <vector>

using namespace ssmq;

#if defined(__x86_64__)
#include <immintrin.h>

static constexpr int64_t kTrials = 5, kFootprint = int64_t(256) << 20, kRounds = 2'000'000;
/// Enough to hide the latency of a multiply-add on two pipes.
static constexpr int64_t kChains = 10;

/// Keeps a value in its register, unknown to the compiler.
#define OPAQUE(value) __asm__ volatile("" : "+x"(value))

// One loop for each instruction; the compiler must see the registers' type in each.
#define DEFINE_CHAINS(NAME, TARGET, TYPE, ZERO, STEP)                                              \
  __attribute__((target(TARGET))) static void NAME() {                                             \
    TYPE sums[kChains], a = ZERO, b = ZERO;                                                        \
    for (TYPE &sum : sums)                                                                         \
      sum = ZERO;                                                                                  \
    for (int64_t round = 0; round < kRounds; ++round)                                              \
      for (TYPE &sum : sums) {                                                                     \
        sum = STEP;                                                                                \
        OPAQUE(sum);                                                                               \
      }                                                                                            \
  }
DEFINE_CHAINS(chainFloats, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(a, b, sum))
DEFINE_CHAINS(chainWideFloats, "avx512f", __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(a, b, sum))
DEFINE_CHAINS(chainBytes, "avx2", __m256i, _mm256_setzero_si256(),
              _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(sum, b), a)))
DEFINE_CHAINS(chainDots, "avxvnni", __m256i, _mm256_setzero_si256(),
              _mm256_dpbusd_avx_epi32(sum, a, b))
DEFINE_CHAINS(chainWideDots, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
              _mm512_dpbusd_epi32(sum, a, b))

/// Units a second when each thread does its share of `units` by body(begin, end).
static double measure(unsigned threads, int64_t units,
                      llvm::function_ref<void(int64_t, int64_t)> body) {
  int64_t best = INT64_MAX;
  for (int64_t trial = 0; trial < kTrials; ++trial) {
    int64_t begin = getProfileTime();
    parallelFor(threads, units, body);
    best = std::min(best, getProfileTime() - begin);
  }
  return 1e9 * units / best;
}

/// Multiply-adds a second of a chain whose steps do `lanes` of them.
static double measureChains(unsigned threads, int64_t lanes, void (*chain)()) {
  double calls = measure(threads, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      chain();
  });
  return calls * kRounds * kChains * lanes;
}

static double measureReads(unsigned threads) {
  std::vector<uint64_t> data(kFootprint / sizeof(uint64_t), 1);
  std::atomic<uint64_t> sink = 0;
  double words = measure(threads, data.size(), [&](int64_t begin, int64_t end) {
    uint64_t sum = 0;
    for (int64_t i = begin; i < end; ++i)
      sum += data[i];
    sink += sum;
  });
  return words * sizeof(uint64_t);
}

MachinePeaks ssmq::measurePeaks(unsigned threads) {
  MachinePeaks peaks;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    return peaks;
  peaks.bandwidth = measureReads(threads);
  bool isWide = __builtin_cpu_supports("avx512f");
  peaks.floatRate =
      isWide ? measureChains(threads, 16, chainWideFloats) : measureChains(threads, 8, chainFloats);
  peaks.integerRate = __builtin_cpu_supports("avx512vnni")
                          ? measureChains(threads, 64, chainWideDots)
                      : __builtin_cpu_supports("avxvnni") ? measureChains(threads, 32, chainDots)
                                                          : measureChains(threads, 32, chainBytes);
  return peaks;
}
#else
MachinePeaks ssmq::measurePeaks(unsigned) { return {}; }
#endif
