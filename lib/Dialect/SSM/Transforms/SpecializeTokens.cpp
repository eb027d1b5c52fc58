//===- SpecializeTokens.cpp - Programs for a known number of steps --------===//

#include "SplatToFill.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SPECIALIZETOKENS
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

/// The source of a cast that forgets static sizes; null for other values.
static Value getMoreStaticSource(Value value) {
  auto cast = value.getDefiningOp<tensor::CastOp>();
  if (!cast || !tensor::canFoldIntoConsumerOp(cast))
    return nullptr;
  return cast.getSource();
}

/// Shape with the static sizes that any of the operands knows.
static SmallVector<int64_t> joinShapes(ValueRange operands, RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  for (Value operand : operands)
    if (auto other = dyn_cast<RankedTensorType>(operand.getType()))
      if (other.getRank() == type.getRank())
        for (auto [size, known] : llvm::zip_equal(shape, other.getShape()))
          if (ShapedType::isDynamic(size))
            size = known;
  return shape;
}

namespace {

/// op(cast(x)) -> cast(op(x)) for ops whose result shapes follow from their operands'.
struct AbsorbCasts : public RewritePattern {
  AbsorbCasts(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    bool isElementwise = op->hasTrait<OpTrait::Elementwise>();
    auto inferable = dyn_cast<InferTypeOpInterface>(op);
    if ((!isElementwise && !inferable) || op->getNumRegions() || isa<tensor::CastOp>(op))
      return failure();
    SmallVector<Value> operands(op->getOperands());
    bool changed = false;
    for (Value &operand : operands)
      if (Value source = getMoreStaticSource(operand)) {
        operand = source;
        changed = true;
      }
    if (!changed)
      return failure();

    SmallVector<Type> types;
    if (isElementwise) {
      for (Type type : op->getResultTypes()) {
        auto ranked = dyn_cast<RankedTensorType>(type);
        if (!ranked)
          return failure();
        types.push_back(ranked.clone(joinShapes(operands, ranked)));
      }
      for (Value &operand : operands)
        if (auto type = dyn_cast<RankedTensorType>(operand.getType())) {
          RankedTensorType joined = type.clone(joinShapes(operands, type));
          if (joined != type)
            operand = tensor::CastOp::create(rewriter, op->getLoc(), joined, operand);
        }
    } else if (failed(inferable.inferReturnTypes(
                   op->getContext(), op->getLoc(), operands, op->getDiscardableAttrDictionary(),
                   op->getPropertiesStorage(), op->getRegions(), types))) {
      return failure();
    }

    Operation *refined = rewriter.clone(*op);
    refined->setOperands(operands);
    SmallVector<Value> results;
    for (auto [result, type, original] :
         llvm::zip_equal(refined->getResults(), types, op->getResultTypes())) {
      result.setType(type);
      results.push_back(
          type == original
              ? Value(result)
              : tensor::CastOp::create(rewriter, op->getLoc(), original, result).getResult());
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct SpecializeTokens : public ssm::impl::SpecializeTokensBase<SpecializeTokens> {
  using SpecializeTokensBase::SpecializeTokensBase;

  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (!forward || forward.isExternal() || !forward.getBody().hasOneBlock() ||
        forward.getNumArguments() == 0)
      return;
    auto inputs = dyn_cast<RankedTensorType>(forward.getArgument(0).getType());
    if (!inputs || inputs.getRank() == 0 || !inputs.isDynamicDim(0))
      return;
    if (steps > 0)
      return fix(forward, steps);
    if (inputs.getRank() != 1 || getOperation().lookupSymbol("decode"))
      return;
    OpBuilder builder(forward);
    builder.setInsertionPointAfter(forward);
    auto decode = cast<func::FuncOp>(builder.clone(*forward));
    decode.setName("decode");
    fix(decode, 1);
  }

  void fix(func::FuncOp function, int64_t count) {
    BlockArgument argument = function.getArgument(0);
    auto inputs = cast<RankedTensorType>(argument.getType());
    SmallVector<int64_t> shape(inputs.getShape());
    shape.front() = count;
    argument.setType(inputs.clone(shape));
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    auto cast = tensor::CastOp::create(builder, argument.getLoc(), inputs, argument);
    argument.replaceAllUsesExcept(cast, cast);

    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<AbsorbCasts>(context);
    ssm::populateSplatToFill(patterns);
    for (StringRef dialect : {"tensor", "linalg", "arith"})
      if (Dialect *loaded = context->getLoadedDialect(dialect))
        loaded->getCanonicalizationPatterns(patterns);
    for (RegisteredOperationName name : context->getRegisteredOperations())
      if (isa<tensor::TensorDialect, linalg::LinalgDialect, arith::ArithDialect>(name.getDialect()))
        name.getCanonicalizationPatterns(patterns, context);
    // A rewrite that does not converge leaves valid IR, only less static.
    (void)applyPatternsGreedily(function, std::move(patterns));

    auto terminator = llvm::cast<func::ReturnOp>(function.getBody().front().getTerminator());
    for (OpOperand &operand : terminator->getOpOperands())
      if (Value source = getMoreStaticSource(operand.get()))
        operand.set(source);
    function.setType(FunctionType::get(context, function.getBody().getArgumentTypes(),
                                       terminator.getOperandTypes()));
  }
};

} // namespace
