//===- ExpandMath.cpp - Transcendental functions as arithmetic ------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_EXPANDMATH
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

/// e^x as lib/Kernels/Simd.h computes it, for numbers and vectors.
struct ExpandExp : public OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type floatType = op.getType();
    auto vectorType = dyn_cast<VectorType>(floatType);
    Type intType = vectorType ? Type(vectorType.clone(b.getI32Type())) : b.getI32Type();
    auto constant = [&](Type type, TypedAttr value) -> Value {
      if (!vectorType)
        return arith::ConstantOp::create(b, value);
      return arith::ConstantOp::create(b, SplatElementsAttr::get(cast<ShapedType>(type), value));
    };
    auto real = [&](float value) { return constant(floatType, b.getF32FloatAttr(value)); };
    auto integer = [&](int32_t value) { return constant(intType, b.getI32IntegerAttr(value)); };
    auto fma = [&](Value x, Value y, Value z) -> Value { return math::FmaOp::create(b, x, y, z); };
    auto bits = [&](Value value) -> Value { return arith::BitcastOp::create(b, intType, value); };
    auto multiply = [&](Value x, Value y) -> Value { return arith::MulFOp::create(b, x, y); };
    auto add = [&](Value x, Value y) -> Value { return arith::AddFOp::create(b, x, y); };
    auto power = [&](Value exponent) -> Value {
      Value biased = arith::AddIOp::create(b, exponent, integer(127));
      Value shifted = arith::ShLIOp::create(b, biased, integer(23));
      return arith::BitcastOp::create(b, floatType, shifted);
    };

    // Ordered comparisons are false for NaN, which passes.
    Value x = op.getOperand();
    for (auto [bound, predicate] : {std::pair(89.0f, arith::CmpFPredicate::OGT),
                                    std::pair(-104.0f, arith::CmpFPredicate::OLT)}) {
      Value outside = arith::CmpFOp::create(b, predicate, x, real(bound));
      x = arith::SelectOp::create(b, outside, real(bound), x);
    }
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    Value magic = real(12582912.0f);
    Value shifted = fma(x, real(1.44269504f), magic);
    Value n = arith::SubFOp::create(b, shifted, magic);
    Value r = fma(n, real(2.12194440e-4f), fma(n, real(-0.693359375f), x));
    Value p = real(1.9875691500e-4f);
    for (float coefficient :
         {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
      p = fma(p, r, real(coefficient));
    Value y = add(fma(p, multiply(r, r), r), real(1.0f));
    // 2^n in two factors, for n = 128 and n < -126 are no normal floats.
    Value exponent = arith::SubIOp::create(b, bits(shifted), bits(magic));
    Value half = arith::ShRSIOp::create(b, exponent, integer(1));
    Value rest = arith::SubIOp::create(b, exponent, half);
    rewriter.replaceOp(op, multiply(multiply(y, power(half)), power(rest)));
    return success();
  }
};

struct ExpandMath : public ssm::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp>(&getContext(), /*benefit=*/2);
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return llvm::is_contained({"math.log", "math.log1p", "math.expm1", "math.tanh", "math.erf"},
                                name);
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
