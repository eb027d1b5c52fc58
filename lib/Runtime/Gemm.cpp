//===- Gemm.cpp - Matrix product that compiled code calls -----------------===//

#include "ssmq/Runtime/Gemm.h"

#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Support/HalfFloat.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <thread>

using namespace ssmq;

void ssmq_gemm(int64_t x, int64_t xStride, int64_t w, int64_t weightType, int64_t y,
               int64_t yStride, int64_t m, int64_t n, int64_t k) {
  llvm::SmallVector<float, 0> wide;
  const auto *weight = reinterpret_cast<const float *>(w);
  if (weightType != SSMQ_GEMM_F32) {
    llvm::ArrayRef<uint16_t> narrow(reinterpret_cast<const uint16_t *>(w), n * k);
    wide.resize_for_overwrite(n * k);
    (weightType == SSMQ_GEMM_F16 ? convertHalfToFloat : convertBFloatToFloat)(narrow, wide.data());
    weight = wide.data();
  }
  gemmTransposed({reinterpret_cast<const float *>(x), xStride}, {weight, k},
                 {reinterpret_cast<float *>(y), yStride}, {m, n, k},
                 std::max(1u, std::thread::hardware_concurrency()),
                 isAvailable(GemmLibrary::OneDNN) ? GemmLibrary::OneDNN : GemmLibrary::Builtin);
}
