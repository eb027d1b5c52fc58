//===- SSMToLoops.cpp - Small code from stored formats --------------------===//

#include "ssmq/Conversion/SSMToLoops/SSMToLoops.h"

#include "ScanLoops.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

using namespace mlir;
using namespace mlir::ssm;
using Values = LoopBuilder::Values;

/// A matrix of known size; loops read each number.
static bool isKnown(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.hasStaticShape() && type.getRank() == 2;
}

/// y = x W^T + b, a number after the other.
static Value emitLinear(LoopBuilder &b, const StoredMatrix &weight, LinearOp op) {
  Value input = op.getInput(), bias = op.getBias();
  RankedTensorType type = op.getType();
  int64_t tokens = type.getDimSize(0), rows = type.getDimSize(1);
  int64_t columns = cast<RankedTensorType>(input.getType()).getDimSize(1);
  Value result = tensor::EmptyOp::create(b, type.getShape(), b.getF32Type());
  auto ofRow = [&](Value token, Value row, Value into) -> Value {
    StoredMatrix::Row opened = weight.open(b, row);
    bool isScaledLast = weight.hasScalePerRow();
    Value sum = b.loop(columns, b.real(0.0f), [&](Value column, ValueRange before) -> Values {
                   Value factor = isScaledLast ? weight.loadSteps(b, opened, column)
                                               : weight.load(b, opened, column);
                   Value x = b.widen(b.extract(input, {token, column}));
                   return {b.fma(factor, x, before[0])};
                 }).front();
    if (isScaledLast)
      sum = b.make<arith::MulFOp>(sum, opened.scale);
    if (bias)
      sum = b.make<arith::AddFOp>(sum, b.widen(b.extract(bias, row)));
    return b.insert(sum, into, {token, row});
  };
  return b
      .loop(tokens, result,
            [&](Value token, ValueRange outer) -> Values {
              return b.loop(rows, outer, [&](Value row, ValueRange inner) -> Values {
                return {ofRow(token, row, inner[0])};
              });
            })
      .front();
}

static LogicalResult convert(LinearOp op, const WeightLookup &lookup) {
  if (!isKnown(op.getInput()) || !op.getType().getElementType().isF32())
    return failure();
  FailureOr<StoredMatrix> weight = StoredMatrix::of(op, lookup);
  if (failed(weight))
    return failure();
  LoopBuilder b(op.getLoc(), op);
  op.replaceAllUsesWith(emitLinear(b, *weight, op));
  op.erase();
  return success();
}

static FailureOr<StoredScan> readScan(DiagonalScanOp op, const WeightLookup &lookup) {
  auto a = StoredMatrix::of(op.getA(), lookup), b = StoredMatrix::of(op.getB(), lookup),
       c = StoredMatrix::of(op.getC(), lookup);
  FailureOr<CodedState> state = CodedState::of(op);
  if (failed(a) || failed(b) || failed(c) || failed(state))
    return failure();
  StoredScan scan = {*a, *b, *c, std::nullopt, *state};
  if (op.getD()) {
    FailureOr<StoredMatrix> d = StoredMatrix::of(op.getD(), lookup);
    if (failed(d))
      return failure();
    scan.d = *d;
  }
  return scan;
}

static LogicalResult convert(DiagonalScanOp op, const WeightLookup &lookup) {
  if (!isKnown(op.getInput()))
    return failure();
  FailureOr<StoredScan> scan = readScan(op, lookup);
  if (failed(scan))
    return failure();
  Value state = op.getState(), next = op.getNextState(), grids;
  auto function = dyn_cast<func::FuncOp>(op->getParentOp());
  auto argument = dyn_cast<BlockArgument>(state);
  if (scan->state.getType() != state.getType()) {
    // Only what comes and goes as an argument can have another type.
    bool isOwn = function && argument && argument.hasOneUse() && next.hasOneUse() &&
                 isa<func::ReturnOp>(*next.user_begin());
    if (!isOwn)
      return failure();
    argument.setType(scan->state.getType());
    auto name =
        function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), SSMDialect::kStateAttrName);
    if (RankedTensorType type = scan->state.getGridsType()) {
      Builder builder(op.getContext());
      auto gridsName = builder.getStringAttr((name ? name.getValue() : "state") + ":grids");
      unsigned number = argument.getArgNumber() + 1;
      (void)function.insertArgument(
          number, type,
          builder.getDictionaryAttr(builder.getNamedAttr(SSMDialect::kStateAttrName, gridsName)),
          op.getLoc());
      grids = function.getArgument(number);
    }
  }
  LoopBuilder b(op.getLoc(), op);
  Values results = emitScan(b, *scan, op.getInput(), state, grids);
  Operation *terminator = grids ? *next.user_begin() : nullptr;
  unsigned place = grids ? next.use_begin()->getOperandNumber() : 0;
  op->getResult(0).replaceAllUsesWith(results[0]);
  next.replaceAllUsesWith(results[1]);
  if (grids)
    terminator->insertOperands(place + 1, results[2]);
  op.erase();
  if (function)
    function.setFunctionType(
        FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(),
                          function.getBody().front().getTerminator()->getOperandTypes()));
  return success();
}

/// Codes that only loops read need no ssm.dequantize any more.
static void eraseUnread(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PostOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : llvm::reverse(ops))
    if (isa<DequantizeOp, ml_program::GlobalLoadConstOp>(op) && op->use_empty())
      op->erase();
}

void mlir::ssm::convertToLoops(ModuleOp module, const WeightLookup &lookup) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<LinearOp, DiagonalScanOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    // What has no loops stays for kernels.
    if (auto linear = dyn_cast<LinearOp>(op))
      (void)convert(linear, lookup);
    else
      (void)convert(cast<DiagonalScanOp>(op), lookup);
  }
  eraseUnread(module);
}
