//===- GemmTest.cpp - Single precision matrix product ---------------------===//

#include "ssmq/Kernels/Gemm.h"

#include "../../../lib/Kernels/GemmTile.h"
#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

namespace {

struct Case {
  GemmShape shape;
  GemmLibrary library;
};

class GemmTest : public ::testing::TestWithParam<Case> {};

std::vector<Case> getCases() {
  std::vector<Case> cases;
  for (GemmLibrary library : {GemmLibrary::Builtin, GemmLibrary::OneDNN})
    for (GemmShape shape : std::initializer_list<GemmShape>{{1, 1, 1},
                                                            {1, 33, 17},
                                                            {2, 40, 8},
                                                            {3, 5, 31},
                                                            {4, 64, 64},
                                                            {5, 31, 7},
                                                            {17, 70, 385},
                                                            {8, 32, 384},
                                                            {241, 33, 9},
                                                            {64, 96, 800},
                                                            {3, 2, 0},
                                                            {7, 9, 0}})
      if (isAvailable(library))
        cases.push_back({shape, library});
  return cases;
}

TEST_P(GemmTest, MatchesDoubleSums) {
  auto [shape, library] = GetParam();
  auto [m, n, k] = shape;
  // Strides beyond the widths, and guard values behind each row of C.
  int64_t strideA = k + 3, strideB = k + 2, strideBT = n + 5, strideC = n + 1;
  Tensor a = random(1, {m, strideA}), b = random(2, {n, strideB});
  Tensor bT = Tensor::zeros(DType::F32, {k, strideBT}),
         expected = Tensor::zeros(DType::F32, {m, strideC});
  for (int64_t j = 0; j < n; ++j)
    for (int64_t p = 0; p < k; ++p)
      bT.mutableData<float>()[p * strideBT + j] = b.data<float>()[j * strideB + p];
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(a.data<float>()[i * strideA + p]) *
               b.data<float>()[j * strideB + p];
      expected.mutableData<float>()[i * strideC + j] = static_cast<float>(sum);
    }
    expected.mutableData<float>()[i * strideC + n] = 7;
  }
  for (unsigned threads : {1u, 3u}) {
    Tensor c = Tensor::empty(DType::F32, {m, strideC}), d = Tensor::empty(DType::F32, {m, strideC});
    std::fill_n(c.mutableData<float>().data(), m * strideC, 7.0f);
    std::fill_n(d.mutableData<float>().data(), m * strideC, 7.0f);
    ConstMatrix left = {a.data<float>().data(), strideA};
    gemmTransposed(left, {b.data<float>().data(), strideB},
                   {c.mutableData<float>().data(), strideC}, shape, threads, library);
    gemm(left, {bT.data<float>().data(), strideBT}, {d.mutableData<float>().data(), strideC}, shape,
         threads, library);
    expectClose(c, expected, 1e-6 * std::sqrt(k + 1.0));
    expectClose(d, expected, 1e-6 * std::sqrt(k + 1.0));
  }
}

std::string getCaseName(const ::testing::TestParamInfo<Case> &info) {
  auto [m, n, k] = info.param.shape;
  return (info.param.library == GemmLibrary::Builtin ? "Builtin_" : "OneDNN_") + std::to_string(m) +
         "x" + std::to_string(n) + "x" + std::to_string(k);
}

INSTANTIATE_TEST_SUITE_P(Shapes, GemmTest, ::testing::ValuesIn(getCases()), getCaseName);

TEST(GemmTile, BothInstructionSetsGiveTheSameSums) {
  for (const GemmTile *tile : {&getGemmTileAVX2(), getGemmTileAVX512()}) {
    if (!tile)
      continue;
    constexpr int64_t k = 5;
    Tensor a = random(1, {k, tile->rows}), b = random(2, {k, tile->columns});
    Tensor c = random(3, {tile->rows, tile->columns}), expected = c.clone();
    for (int64_t i = 0; i < tile->rows; ++i)
      for (int64_t j = 0; j < tile->columns; ++j) {
        float sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum = std::fma(a.data<float>()[p * tile->rows + i],
                         b.data<float>()[p * tile->columns + j], sum);
        expected.mutableData<float>()[i * tile->columns + j] += sum;
      }
    tile->multiply(k, a.data<float>().data(), b.data<float>().data(), c.mutableData<float>().data(),
                   tile->columns, /*accumulate=*/true);
    expectSameBits(c, expected);
  }
}

TEST(Gemm, ThreadCountDoesNotChangeBits) {
  for (GemmShape shape : {GemmShape{1, 100, 50}, GemmShape{9, 100, 400}}) {
    Tensor a = random(1, {shape.m, shape.k}), b = random(2, {shape.n, shape.k});
    auto run = [&](unsigned threads) {
      Tensor c = Tensor::empty(DType::F32, {shape.m, shape.n});
      gemmTransposed({a.data<float>().data(), shape.k}, {b.data<float>().data(), shape.k},
                     {c.mutableData<float>().data(), shape.n}, shape, threads);
      return c;
    };
    Tensor one = run(1);
    for (unsigned threads : {2u, 3u, 50u})
      expectSameBits(run(threads), one);
  }
}

} // namespace
