//===- ChangeGemm.cpp - Products of small changes in bytes ----------------===//

#include "ssmq/Kernels/ChangeGemm.h"

#include "ByteTile.h"
#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

using namespace ssmq;
using namespace ssmq::simd;

static const ByteTile *chooseTile() {
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    return &byteTileAVX512;
  return __builtin_cpu_supports("avxvnni") ? &byteTileAVX : nullptr;
}

const ByteTile *ssmq::getByteTile() {
  static const ByteTile *const tile = chooseTile();
  return tile;
}

bool ssmq::hasByteProducts() { return getByteTile() != nullptr; }

namespace {
struct RowSize {
  float largest;
  double meanSize;
  /// Of rounding the row to 255 steps, over the energy of its bulk.
  double getNoise() const {
    double step = largest / (127.0 * meanSize);
    return meanSize == 0 ? 0 : step * step / 12;
  }
};
} // namespace

static RowSize measureRow(const float *row, int64_t k) {
  Float8 largest(0.0f), total(0.0f);
  for (int64_t i = 0; i < k; i += 8) {
    Float8 v = __builtin_elementwise_abs(loadPartial(row + i, std::min<int64_t>(8, k - i)));
    largest = __builtin_elementwise_max(largest, v);
    total += v;
  }
  RowSize size{0, sum(total) / static_cast<double>(k)};
  for (int lane = 0; lane < 8; ++lane)
    size.largest = std::max(size.largest, largest[lane]);
  return size;
}

/// Calls store(i, codes of row[i .. i + 8)) for each eight, the last padded with zeros.
template <typename Store>
static void roundRow(const float *row, int64_t k, float inverse, Store store) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const Float8 magic(0x1.8p23f);
  for (int64_t i = 0; i < k; i += 8) {
    Float8 v = loadPartial(row + i, std::min<int64_t>(8, k - i));
    Float8 rounded = fma(v, Float8(inverse), magic) - magic;
    store(i, rounded);
  }
}

static int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::unique_ptr<ByteWeight> ByteWeight::create(ConstMatrix weight, int64_t n, int64_t k,
                                               unsigned threads) {
  const ByteTile *tile = getByteTile();
  // 255 * 127 * 2^16 still fits an i32.
  if (!tile || n == 0 || k == 0 || k > (1 << 16))
    return nullptr;
  std::unique_ptr<ByteWeight> result(new ByteWeight(n, k));
  int64_t width = tile->columns, padded = roundUp(n, width), depth = roundUp(k, 4);
  result->codes.assign(padded * depth, 128);
  result->scales.assign(padded, 0.0f);
  std::atomic<bool> noisy{false};
  parallelFor(threads, padded / width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * width; row < std::min(end * width, n); ++row) {
      const float *from = weight.data + row * weight.stride;
      RowSize size = measureRow(from, k);
      if (!(size.getNoise() <= largestNoise))
        noisy = true;
      if (size.largest == 0)
        continue;
      result->scales[row] = size.largest / 127.0f;
      uint8_t *to = result->codes.data() + row / width * width * depth + row % width * 4;
      roundRow(from, k, 127.0f / size.largest, [&](int64_t i, Float8 codes) {
        for (int64_t lane = 0; lane < std::min<int64_t>(8, k - i); ++lane)
          to[(i + lane) / 4 * 4 * width + (i + lane) % 4] =
              static_cast<uint8_t>(static_cast<int>(codes[lane]) + 128);
      });
    }
  });
  return noisy ? nullptr : std::move(result);
}

namespace {
/// Rows of changes in bytes. A row takes one digit, or two where one would be too coarse: value =
/// scale (first + second / 254).
struct ByteRows {
  std::vector<int8_t> codes; // [digits][k rounded up to 4]
  std::vector<ByteTile::Row> rows;
  /// Rows of zeros, and rows that hold a NaN or an infinity.
  std::vector<int64_t> unchanged, notFinite;
};
} // namespace

static ByteRows roundChanges(ConstMatrix change, int64_t m, int64_t k) {
  int64_t depth = roundUp(k, 4);
  ByteRows result;
  std::vector<RowSize> sizes(m);
  int64_t digits = 0;
  auto isCoarse = [&](int64_t row) { return sizes[row].getNoise() > largestNoise; };
  for (int64_t row = 0; row < m; ++row) {
    sizes[row] = measureRow(change.data + row * change.stride, k);
    if (!std::isfinite(sizes[row].meanSize)) {
      result.notFinite.push_back(row);
      sizes[row] = {0, 0};
    }
    digits += sizes[row].largest == 0 ? 0 : isCoarse(row) ? 2 : 1;
  }
  result.codes.assign(digits * depth + 8, 0);
  result.rows.reserve(digits);
  int8_t *to = result.codes.data();
  std::vector<float> rest;
  for (int64_t row = 0; row < m; ++row) {
    if (sizes[row].largest == 0) {
      result.unchanged.push_back(row);
      continue;
    }
    const float *from = change.data + row * change.stride;
    float scale = sizes[row].largest / 127.0f, inverse = 127.0f / sizes[row].largest;
    auto addDigit = [&](const float *values, float inverseStep, float step, bool isSecond) {
      Int8 total(0);
      roundRow(values, k, inverseStep, [&](int64_t i, Float8 codes) {
        Int8 integers = __builtin_convertvector(codes, Int8);
        total += integers;
        typedef int8_t Bytes __attribute__((ext_vector_type(8)));
        Bytes bytes = __builtin_convertvector(integers, Bytes);
        std::memcpy(to + i, &bytes, std::min<int64_t>(8, depth - i));
      });
      int32_t sum = 0;
      for (int lane = 0; lane < 8; ++lane)
        sum += total[lane];
      result.rows.push_back({to, row, isSecond, step, sum});
      to += depth;
    };
    addDigit(from, inverse, scale, false);
    if (!isCoarse(row))
      continue;
    rest.resize(k);
    const int8_t *first = result.rows.back().codes;
    for (int64_t i = 0; i < k; ++i)
      rest[i] = from[i] - scale * static_cast<float>(first[i]);
    addDigit(rest.data(), inverse * 254.0f, scale / 254.0f, true);
  }
  return result;
}

void ssmq::addProduct(ConstMatrix base, ConstMatrix change, const ByteWeight &weight,
                      MutableMatrix y, int64_t m, unsigned threads) {
  const ByteTile &tile = *getByteTile();
  int64_t n = weight.n, depth = roundUp(weight.k, 4), width = tile.columns;
  ByteRows changes = roundChanges(change, m, weight.k);
  auto numRows = static_cast<int64_t>(changes.rows.size());
  if (base.data != y.data)
    for (int64_t row : changes.unchanged)
      std::copy_n(base.data + row * base.stride, n, y.data + row * y.stride);
  for (int64_t row : changes.notFinite)
    std::fill_n(y.data + row * y.stride, n, std::numeric_limits<float>::quiet_NaN());
  parallelFor(threads, (n + width - 1) / width, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      int64_t column = panel * width;
      ByteTile::Panel source{weight.codes.data() + column * depth, weight.scales.data() + column,
                             depth / 4, std::min(width, n - column)};
      for (int64_t i = 0; i < numRows; i += tile.rows)
        tile.add(&changes.rows[i], std::min(tile.rows, numRows - i), source, base.data + column,
                 y.data + column, y.stride);
    }
  });
}
