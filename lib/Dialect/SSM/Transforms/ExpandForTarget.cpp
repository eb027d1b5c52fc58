//===- ExpandForTarget.cpp - Arithmetic in the place of library calls ------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Support/Target.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_EXPANDFORTARGET
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

/// Builds ops on numbers or vectors of one shape.
class Builder : public ImplicitLocOpBuilder {
public:
  Builder(Location loc, PatternRewriter &rewriter, Type shape)
      : ImplicitLocOpBuilder(loc, rewriter), shape(shape) {}

  Type like(Type element) {
    auto vector = dyn_cast<VectorType>(shape);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value real(float value) { return constant(getF32FloatAttr(value)); }
  Value integer(uint32_t value) {
    return constant(getIntegerAttr(getI32Type(), static_cast<int32_t>(value)));
  }
  Value cast(Value value, Type element) {
    return arith::BitcastOp::create(*this, like(element), value);
  }
  Value bits(Value value) { return cast(value, getI32Type()); }
  Value real(Value bits) { return cast(bits, getF32Type()); }
  template <typename OpTy>
  Value make(Value lhs, Value rhs) {
    return OpTy::create(*this, lhs, rhs);
  }
  Value atLeast(Value lhs, uint32_t bound) {
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::uge, lhs, integer(bound));
  }
  Value select(Value condition, Value then, Value otherwise) {
    return arith::SelectOp::create(*this, condition, then, otherwise);
  }

private:
  Value constant(TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(shape))
      return arith::ConstantOp::create(
          *this, SplatElementsAttr::get(vector.clone(value.getType()), value));
    return arith::ConstantOp::create(*this, value);
  }

  Type shape;
};

template <typename OpTy>
struct SplitFMA : public OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Value product =
        arith::MulFOp::create(rewriter, op.getLoc(), op->getOperand(0), op->getOperand(1));
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op->getOperand(2));
    return success();
  }
};

/// arith.maximumf and minimumf: NaN when one of the numbers is.
template <typename OpTy, arith::CmpFPredicate takesFirst>
struct ExpandExtremum : public OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Builder b(op.getLoc(), rewriter, op.getType());
    Value lhs = op.getLhs(), rhs = op.getRhs();
    Value first = arith::CmpFOp::create(b, takesFirst, lhs, rhs);
    Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, rhs, rhs);
    rewriter.replaceOp(op, b.select(isNaN, rhs, b.select(first, lhs, rhs)));
    return success();
  }
};

struct ExpandRoundEven : public OpRewritePattern<math::RoundEvenOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::RoundEvenOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    Builder b(op.getLoc(), rewriter, op.getType());
    // From 2^23 on, and below in sums with it, floats are integers.
    Value x = op.getOperand(), whole = b.real(0x1p23f);
    Value magnitude = math::AbsFOp::create(b, x);
    Value rounded = b.make<arith::SubFOp>(b.make<arith::AddFOp>(magnitude, whole), whole);
    Value hasFraction = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude, whole);
    rewriter.replaceOp(op, b.select(hasFraction, b.make<math::CopySignOp>(rounded, x), x));
    return success();
  }
};

struct ExpandFromHalf : public OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn().getType()).isF16() ||
        !getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    Builder b(op.getLoc(), rewriter, op.getType());
    Value half =
        arith::ExtUIOp::create(b, b.like(b.getI32Type()), b.cast(op.getIn(), b.getI16Type()));
    Value sign =
        b.make<arith::ShLIOp>(b.make<arith::AndIOp>(half, b.integer(0x8000)), b.integer(16));
    Value rest = b.make<arith::AndIOp>(half, b.integer(0x7fff));
    Value moved = b.make<arith::ShLIOp>(rest, b.integer(13));
    // The exponents' zeros are 112 apart, for subnormal numbers too.
    Value finite = b.bits(b.make<arith::MulFOp>(b.real(moved), b.real(0x1p112f)));
    Value other = b.make<arith::OrIOp>(moved, b.integer(0x7f800000));
    Value magnitude = b.select(b.atLeast(rest, 0x7c00), other, finite);
    rewriter.replaceOp(op, b.real(b.make<arith::OrIOp>(magnitude, sign)));
    return success();
  }
};

struct ExpandToHalf : public OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn().getType()).isF32() ||
        !getElementTypeOrSelf(op.getType()).isF16())
      return failure();
    Builder b(op.getLoc(), rewriter, op.getType());
    Value word = b.bits(op.getIn());
    Value rest = b.make<arith::AndIOp>(word, b.integer(0x7fffffff));
    Value sign =
        b.make<arith::AndIOp>(b.make<arith::ShRUIOp>(word, b.integer(16)), b.integer(0x8000));
    // To nearest, ties to even: half of the last place that stays is added, less one when it is
    // even. Numbers beyond the largest carry into the exponent of infinity.
    Value odd = b.make<arith::AndIOp>(b.make<arith::ShRUIOp>(rest, b.integer(13)), b.integer(1));
    Value carried =
        b.make<arith::AddIOp>(b.make<arith::AddIOp>(rest, odd), b.integer(0xfff - (112u << 23)));
    Value normal = b.make<arith::ShRUIOp>(carried, b.integer(13));
    // The last place of numbers from 1/2 on is that of subnormal halves.
    Value sum = b.bits(b.make<arith::AddFOp>(b.real(rest), b.real(0.5f)));
    Value subnormal = b.make<arith::SubIOp>(sum, b.integer(0x3f000000));
    Value magnitude = b.select(b.atLeast(rest, 0x38800000), normal, subnormal);
    magnitude = b.select(b.atLeast(rest, 0x47800000), b.integer(0x7c00), magnitude);
    magnitude = b.select(b.atLeast(rest, 0x7f800001), b.integer(0x7e00), magnitude);
    Value half =
        arith::TruncIOp::create(b, b.like(b.getI16Type()), b.make<arith::OrIOp>(magnitude, sign));
    rewriter.replaceOp(op, b.cast(half, b.getF16Type()));
    return success();
  }
};

struct ExpandForTarget : public ssm::impl::ExpandForTargetBase<ExpandForTarget> {
  using ExpandForTargetBase::ExpandForTargetBase;

  void runOnOperation() override {
    llvm::Expected<::ssmq::Target> known = ::ssmq::resolveTarget(target, features);
    if (!known) {
      getOperation()->emitError(llvm::toString(known.takeError()));
      return signalPassFailure();
    }
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    if (!known->hasFMA)
      patterns.add<SplitFMA<math::FmaOp>, SplitFMA<vector::FMAOp>,
                   ExpandExtremum<arith::MaximumFOp, arith::CmpFPredicate::UGT>,
                   ExpandExtremum<arith::MinimumFOp, arith::CmpFPredicate::ULT>>(context);
    if (!known->hasRoundEven)
      patterns.add<ExpandRoundEven>(context);
    if (!known->hasHalf)
      patterns.add<ExpandFromHalf, ExpandToHalf>(context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
