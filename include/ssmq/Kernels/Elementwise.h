//===- Elementwise.h - Elementwise f32 maths --------------------*- C++ -*-===//
//
// What the arith and math dialects need on f32 tensors. Reference calls libm; Fast uses vector
// polynomials for exp, log1p and tanh (below 2 ulp, all of inf, NaN, -0 and subnormals kept) and
// machine vectors for arithmetic.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_ELEMENTWISE_H
#define SSMQ_KERNELS_ELEMENTWISE_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

enum class UnaryOp : uint8_t { Neg, Abs, Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Tanh, Erf, Sin, Cos };

/// Maximum and Minimum return NaN when either operand is NaN (arith.maximumf); MaxNum and MinNum
/// return the other operand (arith.maxnumf).
enum class BinaryOp : uint8_t { Add, Sub, Mul, Div, Maximum, Minimum, MaxNum, MinNum, Pow };

/// Spans have equal length; `out` may be an input.
void applyUnary(UnaryOp op, llvm::ArrayRef<float> in, llvm::MutableArrayRef<float> out,
                const KernelOptions &options);
void applyBinary(BinaryOp op, llvm::ArrayRef<float> lhs, llvm::ArrayRef<float> rhs,
                 llvm::MutableArrayRef<float> out, const KernelOptions &options);

/// The same on tensors of equal shape.
Tensor applyUnary(UnaryOp op, const Tensor &in, const KernelOptions &options);
Tensor applyBinary(BinaryOp op, const Tensor &lhs, const Tensor &rhs, const KernelOptions &options);

} // namespace ssmq

#endif // SSMQ_KERNELS_ELEMENTWISE_H
