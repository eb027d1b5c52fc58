//===- NarrowLaunches.cpp - Activations of 16 bits between launches -------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_NARROWLAUNCHES
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// Rows of f32.
static bool isMatrix(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 1 && tensor.getElementType().isF32();
}

/// The input of an elementwise op that an addend is, but for constant factors; null where it is
/// none, or one of which rows share a number, as a bias.
static Value findAddend(linalg::GenericOp op, Value number) {
  while (auto product = number.getDefiningOp<arith::MulFOp>()) {
    auto isKnown = [](Value factor) { return factor.getDefiningOp<arith::ConstantOp>(); };
    if (!isKnown(product.getLhs()) && !isKnown(product.getRhs()))
      return nullptr;
    number = isKnown(product.getLhs()) ? product.getRhs() : product.getLhs();
  }
  auto argument = dyn_cast<BlockArgument>(number);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return nullptr;
  Value input = op.getDpsInputs()[argument.getArgNumber()];
  AffineMap map = op.getIndexingMapsArray()[argument.getArgNumber()];
  return map.isIdentity() && isMatrix(input.getType()) ? input : nullptr;
}

/// The sums of activations that an elementwise op takes, as what a layer adds to its input.
static SmallVector<std::pair<Value, Value>> findSums(linalg::GenericOp op) {
  SmallVector<std::pair<Value, Value>> sums;
  for (auto sum : op.getBody()->getOps<arith::AddFOp>()) {
    Value lhs = findAddend(op, sum.getLhs()), rhs = findAddend(op, sum.getRhs());
    if (lhs && rhs)
      sums.push_back({lhs, rhs});
  }
  return sums;
}

static bool isAddend(BlockArgument input) {
  return llvm::any_of(input.getUsers(), [&](Operation *user) {
    auto generic = dyn_cast<linalg::GenericOp>(user);
    return generic && llvm::any_of(findSums(generic), [&](auto sum) {
             return sum.first == input || sum.second == input;
           });
  });
}

namespace {

/// A result of a launch that goes to launches alone, whole or in part.
class PassedValue {
public:
  explicit PassedValue(OpResult result) : result(result), isPassed(collect(result)) {}

  /// Whether it is of activations that may have less bits.
  bool isNarrowable() const {
    Value yielded = getYield().get();
    // Scales of codes stay as exact as the codes are.
    return isPassed && !uses.empty() && isMatrix(result.getType()) &&
           cast<RankedTensorType>(result.getType()).isDynamicDim(0) &&
           !yielded.getDefiningOp<QuantizeOp>() &&
           llvm::none_of(getLaunch().getStates(),
                         [&](auto state) { return state.second == result; });
  }

  /// Whether it is a sum of activations, or goes into one: what all layers add to.
  bool isResidual() const {
    auto generic = getYield().get().getDefiningOp<linalg::GenericOp>();
    return (generic && !findSums(generic).empty()) ||
           llvm::any_of(uses, [](OpOperand *use) { return isAddend(getInput(*use)); });
  }

  void narrow(Type element) {
    OpOperand &yielded = getYield();
    auto toNarrow = [&](Type type) { return cast<RankedTensorType>(type).clone(element); };
    OpBuilder builder(yielded.getOwner());
    yielded.set(arith::TruncFOp::create(builder, yielded.getOwner()->getLoc(),
                                        toNarrow(result.getType()), yielded.get()));
    result.setType(toNarrow(result.getType()));
    for (tensor::ExtractSliceOp part : parts)
      part.getResult().setType(toNarrow(part.getType()));
    for (OpOperand *use : uses) {
      BlockArgument input = getInput(*use);
      Type wide = input.getType();
      input.setType(toNarrow(wide));
      builder.setInsertionPointToStart(input.getOwner());
      auto widened = arith::ExtFOp::create(builder, input.getLoc(), wide, input);
      input.replaceAllUsesExcept(widened, widened);
    }
  }

private:
  static BlockArgument getInput(OpOperand &use) {
    return cast<LaunchOp>(use.getOwner()).getBody().getArgument(use.getOperandNumber());
  }
  LaunchOp getLaunch() const { return cast<LaunchOp>(result.getOwner()); }
  OpOperand &getYield() const {
    return getLaunch().getYield().getResultsMutable()[result.getResultNumber()];
  }

  /// Whether no use is one of another kind.
  bool collect(Value value) {
    return llvm::all_of(value.getUses(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (auto part = dyn_cast<tensor::ExtractSliceOp>(user)) {
        parts.insert(part);
        return collect(part.getResult());
      }
      if (auto launch = dyn_cast<LaunchOp>(user)) {
        uses.push_back(&use);
        return llvm::none_of(launch.getStates(), [&](auto state) { return state.first == &use; });
      }
      return isa<tensor::DimOp>(user);
    });
  }

  OpResult result;
  SmallVector<OpOperand *> uses;
  llvm::SetVector<tensor::ExtractSliceOp> parts;
  bool isPassed;
};

struct NarrowLaunches : public ssm::impl::NarrowLaunchesBase<NarrowLaunches> {
  using NarrowLaunchesBase::NarrowLaunchesBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    std::optional<Type> element = llvm::StringSwitch<std::optional<Type>>(type)
                                      .Case("f16", Float16Type::get(context))
                                      .Case("bf16", BFloat16Type::get(context))
                                      .Case("off", Type())
                                      .Default(std::nullopt);
    if (!element) {
      getOperation().emitError("type must be f16, bf16 or off, but is ") << type;
      return signalPassFailure();
    }
    if (!*element)
      return;
    // All are found before any changes, as sums are known by their types.
    SmallVector<PassedValue> values;
    getOperation().walk([&](LaunchOp launch) {
      for (OpResult result : launch->getResults()) {
        PassedValue value(result);
        if (value.isNarrowable() && (residual || !value.isResidual()))
          values.push_back(std::move(value));
      }
    });
    for (PassedValue &value : values)
      value.narrow(*element);
  }
};

} // namespace
