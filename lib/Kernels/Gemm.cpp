//===- Gemm.cpp - Single precision matrix product -------------------------===//

#include "ssmq/Kernels/Gemm.h"

#include "GemmOneDNN.h"
#include "GemmTile.h"
#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

using namespace ssmq;
using namespace ssmq::simd;

namespace {
// A block of A (rowBlock x depthBlock) stays in the second-level cache while panels of B stream
// past; a panel of B (depthBlock x tile columns) stays in the first.
constexpr int64_t rowBlock = 264; // a multiple of both tiles' rows, and one block for 256 tokens
constexpr int64_t depthBlock = 384;
/// Up to here rows are multiplied without packing: packing would cost as much as the product.
constexpr int64_t fewRows = 4;

/// Scratch that lives as long as its thread, since mapping fresh pages costs more than small
/// products do.
class Scratch {
public:
  float *get(size_t count) {
    if (count > capacity) {
      memory.reset(
          static_cast<float *>(::operator new(count * sizeof(float), std::align_val_t(64))));
      capacity = count;
    }
    return memory.get();
  }

private:
  struct Free {
    void operator()(float *p) const { ::operator delete(p, std::align_val_t(64)); }
  };
  std::unique_ptr<float, Free> memory;
  size_t capacity = 0;
};
} // namespace

[[gnu::always_inline]] static inline void transpose8(Float8 v[8]) {
  Float8 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      b[i + j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + j + 2] = __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/// to[p * width + i] = from[i * stride + p] for i < rows, zero for rows <= i < width. Stores run
/// ahead in p and are eight wide, so `to` needs eight floats of slack and width at most 8 per call
/// or a multiple of 8.
static void packTransposed(ConstMatrix from, int64_t rows, int64_t depth, int64_t width,
                           float *to) {
  for (int64_t first = 0; first < width; first += 8) {
    int64_t present = std::clamp<int64_t>(rows - first, 0, 8);
    const float *source = from.data + first * from.stride;
    int64_t p = 0;
    for (; p + 8 <= depth; p += 8) {
      Float8 block[8];
      for (int i = 0; i < 8; ++i)
        block[i] = i < present ? load<Float8>(source + i * from.stride + p) : Float8(0.0f);
      transpose8(block);
      for (int i = 0; i < 8; ++i)
        store(to + (p + i) * width + first, block[i]);
    }
    for (; p < depth; ++p)
      for (int64_t i = 0; i < std::min<int64_t>(8, width - first); ++i)
        to[p * width + first + i] = i < present ? source[i * from.stride + p] : 0.0f;
  }
}

/// to[p * width + j] = from[p * stride + j] for j < columns, zero beyond.
static void packStraight(ConstMatrix from, int64_t columns, int64_t depth, int64_t width,
                         float *to) {
  for (int64_t p = 0; p < depth; ++p, to += width) {
    std::copy_n(from.data + p * from.stride, columns, to);
    std::fill(to + columns, to + width, 0.0f);
  }
}

/// All of C's columns [begin, end), for any number of rows.
static void multiplyBlocked(const GemmTile &tile, ConstMatrix a, ConstMatrix b, bool transposedB,
                            MutableMatrix c, GemmShape shape, int64_t begin, int64_t end) {
  static thread_local Scratch scratch;
  const int64_t blockSize = rowBlock * depthBlock, panelSize = depthBlock * tile.columns;
  const int64_t slack = 16;
  float *packedA = scratch.get(blockSize + panelSize + tile.rows * tile.columns + 2 * slack);
  float *packedB = packedA + blockSize + slack;
  float *edge = packedB + panelSize + slack;

  for (int64_t row = 0; row < shape.m; row += rowBlock) {
    int64_t rows = std::min(rowBlock, shape.m - row);
    for (int64_t p = 0; p < shape.k; p += depthBlock) {
      int64_t depth = std::min(depthBlock, shape.k - p);
      for (int64_t i = 0; i < rows; i += tile.rows)
        packTransposed({a.data + (row + i) * a.stride + p, a.stride}, std::min(tile.rows, rows - i),
                       depth, tile.rows, packedA + i * depth);
      for (int64_t j = begin; j < end; j += tile.columns) {
        int64_t columns = std::min(tile.columns, end - j);
        if (transposedB)
          packTransposed({b.data + j * b.stride + p, b.stride}, columns, depth, tile.columns,
                         packedB);
        else
          packStraight({b.data + p * b.stride + j, b.stride}, columns, depth, tile.columns,
                       packedB);
        for (int64_t i = 0; i < rows; i += tile.rows) {
          int64_t tileRows = std::min(tile.rows, rows - i);
          float *target = c.data + (row + i) * c.stride + j;
          if (tileRows == tile.rows && columns == tile.columns) {
            tile.multiply(depth, packedA + i * depth, packedB, target, c.stride, p > 0);
            continue;
          }
          tile.multiply(depth, packedA + i * depth, packedB, edge, tile.columns, false);
          for (int64_t r = 0; r < tileRows; ++r)
            for (int64_t s = 0; s < columns; ++s) {
              float previous = p > 0 ? target[r * c.stride + s] : 0.0f;
              target[r * c.stride + s] = previous + edge[r * tile.columns + s];
            }
        }
      }
    }
  }
}

/// Rows x 2 dot products at once, so that each row of B is read once.
template <int Rows>
static void multiplyFewRowsTransposed(ConstMatrix a, ConstMatrix b, MutableMatrix c,
                                      GemmShape shape, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; ++j) {
    const float *row = b.data + j * b.stride;
    Float8 even[Rows] = {}, odd[Rows] = {};
    int64_t p = 0;
    for (; p + 16 <= shape.k; p += 16) {
      Float8 first = load<Float8>(row + p), second = load<Float8>(row + p + 8);
      for (int i = 0; i < Rows; ++i) {
        even[i] = fma(load<Float8>(a.data + i * a.stride + p), first, even[i]);
        odd[i] = fma(load<Float8>(a.data + i * a.stride + p + 8), second, odd[i]);
      }
    }
    for (; p < shape.k; p += 8) {
      int64_t count = std::min<int64_t>(8, shape.k - p);
      Float8 tail = loadPartial(row + p, count);
      for (int i = 0; i < Rows; ++i)
        even[i] = fma(loadPartial(a.data + i * a.stride + p, count), tail, even[i]);
    }
    for (int i = 0; i < Rows; ++i)
      c.data[i * c.stride + j] = sum(even[i] + odd[i]);
  }
}

/// Up to four vectors of a row of C at once, down all of B's rows.
static void multiplyRow(const float *a, ConstMatrix b, float *c, int64_t k, int64_t begin,
                        int64_t end) {
  int64_t j = begin;
  for (; j + 32 <= end; j += 32) {
    Float8 sums[4] = {};
    for (int64_t p = 0; p < k; ++p)
      for (int v = 0; v < 4; ++v)
        sums[v] = fma(Float8(a[p]), load<Float8>(b.data + p * b.stride + j + v * 8), sums[v]);
    for (int v = 0; v < 4; ++v)
      store(c + j + v * 8, sums[v]);
  }
  for (; j < end; j += 8) {
    int64_t count = std::min<int64_t>(8, end - j);
    Float8 sums(0.0f);
    for (int64_t p = 0; p < k; ++p)
      sums = fma(Float8(a[p]), loadPartial(b.data + p * b.stride + j, count), sums);
    storePartial(c + j, sums, count);
  }
}

static void multiplyFewRows(ConstMatrix a, ConstMatrix b, bool transposedB, MutableMatrix c,
                            GemmShape shape, int64_t begin, int64_t end) {
  if (!transposedB) {
    for (int64_t i = 0; i < shape.m; ++i)
      multiplyRow(a.data + i * a.stride, b, c.data + i * c.stride, shape.k, begin, end);
    return;
  }
  switch (shape.m) {
  case 1: return multiplyFewRowsTransposed<1>(a, b, c, shape, begin, end);
  case 2: return multiplyFewRowsTransposed<2>(a, b, c, shape, begin, end);
  case 3: return multiplyFewRowsTransposed<3>(a, b, c, shape, begin, end);
  default: return multiplyFewRowsTransposed<4>(a, b, c, shape, begin, end);
  }
}

static void multiply(ConstMatrix a, ConstMatrix b, bool transposedB, MutableMatrix c,
                     GemmShape shape, unsigned threads, GemmLibrary library) {
  if (shape.m == 0 || shape.n == 0)
    return;
  if (shape.k == 0) {
    for (int64_t i = 0; i < shape.m; ++i)
      std::fill_n(c.data + i * c.stride, shape.n, 0.0f);
    return;
  }
  if (library == GemmLibrary::OneDNN && multiplyOneDNN(a, b, transposedB, c, shape, threads))
    return;
  const GemmTile &tile = getGemmTile();
  // Threads share out whole column panels, so that an element's sum does not depend on the split.
  int64_t panels = (shape.n + tile.columns - 1) / tile.columns;
  parallelFor(threads, panels, [&](int64_t first, int64_t last) {
    int64_t begin = first * tile.columns, end = std::min(last * tile.columns, shape.n);
    if (shape.m <= fewRows)
      multiplyFewRows(a, b, transposedB, c, shape, begin, end);
    else
      multiplyBlocked(tile, a, b, transposedB, c, shape, begin, end);
  });
}

void ssmq::gemmTransposed(ConstMatrix a, ConstMatrix b, MutableMatrix c, GemmShape shape,
                          unsigned threads, GemmLibrary library) {
  multiply(a, b, /*transposedB=*/true, c, shape, threads, library);
}

void ssmq::gemm(ConstMatrix a, ConstMatrix b, MutableMatrix c, GemmShape shape, unsigned threads,
                GemmLibrary library) {
  multiply(a, b, /*transposedB=*/false, c, shape, threads, library);
}
