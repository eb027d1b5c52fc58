//===- StructuredModels.cpp - Evaluation of structured linalg ops ---------===//
//
// All structured ops of linalg, named or generic, are loops over an iteration space around a scalar
// body, with an affine map from the loops to each operand. They are evaluated as that: the loops
// run outermost first, as the op defines them, but for one parallel loop that is run as rows.
//
//===----------------------------------------------------------------------===//

#include "HostScalar.h"
#include "Models.h"
#include "ScalarBody.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

namespace {

/// Where an operand is read or written: base + sum of index[d] * steps[d], in elements.
struct Access {
  int64_t base = 0;
  SmallVector<int64_t> steps;

  int64_t at(ArrayRef<int64_t> index) const {
    int64_t offset = base;
    for (auto [i, step] : llvm::zip_equal(index, steps))
      offset += i * step;
    return offset;
  }
};

class StructuredLoops {
public:
  StructuredLoops(linalg::LinalgOp op, ArrayRef<Tensor> operands)
      : op(op), operands(operands.take_front(op->getNumOperands())),
        captured(operands.drop_front(op->getNumOperands())) {}

  Results run();

private:
  LogicalResult findSizes();
  LogicalResult findAccesses();
  /// The last parallel loop along which all results move; -1 when there is none.
  int chooseLaneDim();
  void load(unsigned operand, const Tensor &tensor, ArrayRef<int64_t> index, int64_t lanes,
            ScalarRow &row) const;
  void store(Tensor &tensor, const Access &access, ArrayRef<int64_t> index, int64_t lanes,
             const ScalarRow &row) const;

  linalg::LinalgOp op;
  ArrayRef<Tensor> operands, captured;
  SmallVector<int64_t> sizes;
  SmallVector<Access> accesses;
  int laneDim = -1;
};

} // namespace

LogicalResult StructuredLoops::findSizes() {
  sizes.assign(op.getNumLoops(), -1);
  for (OpOperand &operand : op->getOpOperands()) {
    const Tensor &tensor = operands[operand.getOperandNumber()];
    for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      int64_t &size = sizes[loop.getPosition()];
      if (size >= 0 && size != tensor.getDim(dim))
        return op.emitOpError("has operands of sizes ")
               << size << " and " << tensor.getDim(dim) << " along one loop";
      size = tensor.getDim(dim);
    }
  }
  if (llvm::is_contained(sizes, -1))
    return op.emitOpError("has a loop whose size no operand tells");
  return success();
}

/// The coefficient of each loop and, behind them, the constant; nothing when it is not linear.
static std::optional<SmallVector<int64_t>> getCoefficients(AffineExpr expr, unsigned numLoops) {
  SmallVector<int64_t> sum(numLoops + 1, 0);
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    sum[dim.getPosition()] = 1;
    return sum;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    sum.back() = constant.getValue();
    // No size reaches this, and products of sizes with less do not overflow.
    if (std::abs(constant.getValue() / 2) >= (int64_t(1) << 20))
      return std::nullopt;
    return sum;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto lhs = getCoefficients(binary.getLHS(), numLoops);
  auto rhs = getCoefficients(binary.getRHS(), numLoops);
  if (!lhs || !rhs)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add) {
    for (auto [a, b] : llvm::zip_equal(*lhs, *rhs))
      a += b;
    return lhs;
  }
  // Affine expressions are multiplied by constants on the right only.
  if (expr.getKind() != AffineExprKind::Mul || !isa<AffineConstantExpr>(binary.getRHS()))
    return std::nullopt;
  for (int64_t &a : *lhs)
    a *= rhs->back();
  return lhs;
}

LogicalResult StructuredLoops::findAccesses() {
  unsigned numLoops = sizes.size();
  bool isEmpty = llvm::is_contained(sizes, 0);
  for (OpOperand &operand : op->getOpOperands()) {
    const Tensor &tensor = operands[operand.getOperandNumber()];
    Access &access = accesses.emplace_back();
    access.steps.assign(numLoops, 0);
    int64_t stride = 1;
    ArrayRef<AffineExpr> exprs = op.getMatchingIndexingMap(&operand).getResults();
    for (int64_t dim = exprs.size(); dim-- > 0;) {
      auto coefficients = getCoefficients(exprs[dim], numLoops);
      if (!coefficients)
        return op.emitOpError("is evaluated with linear indexing maps of small numbers only");
      int64_t low = coefficients->back(), high = low;
      for (unsigned loop = 0; loop < numLoops; ++loop) {
        int64_t step = (*coefficients)[loop];
        (step < 0 ? low : high) += step * (sizes[loop] - 1);
        access.steps[loop] += step * stride;
      }
      if (!isEmpty && (low < 0 || high >= tensor.getDim(dim)))
        return op.emitOpError("reads elements ")
               << low << " to " << high << " of dimension " << dim << " of operand "
               << operand.getOperandNumber() << ", which has " << tensor.getDim(dim);
      access.base += coefficients->back() * stride;
      stride *= tensor.getDim(dim);
    }
  }
  return success();
}

int StructuredLoops::chooseLaneDim() {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (int dim = sizes.size(); dim-- > 0;)
    if (iterators[dim] == utils::IteratorType::parallel &&
        llvm::all_of(ArrayRef(accesses).take_back(op.getNumDpsInits()),
                     [&](const Access &access) { return access.steps[dim] != 0; }))
      return dim;
  return -1;
}

void StructuredLoops::load(unsigned operand, const Tensor &tensor, ArrayRef<int64_t> index,
                           int64_t lanes, ScalarRow &row) const {
  const Access &access = accesses[operand];
  int64_t offset = access.at(index), step = laneDim < 0 ? 0 : access.steps[laneDim];
  if (row.floats.empty()) {
    for (int64_t i = 0; i < lanes; ++i)
      row.integers[i] = getInteger(tensor, offset + i * step);
    if (tensor.getDType() == DType::Bool) // true is -1, as sign extension makes it
      for (int64_t &value : row.integers)
        value = value ? -1 : 0;
    return;
  }
  if (tensor.getDType() == DType::F32) {
    const float *from = tensor.data<float>().data() + offset;
    for (int64_t i = 0; i < lanes; ++i)
      row.floats[i] = from[i * step];
    return;
  }
  for (int64_t i = 0; i < lanes; ++i)
    row.floats[i] = getFloat(tensor, offset + i * step);
}

void StructuredLoops::store(Tensor &tensor, const Access &access, ArrayRef<int64_t> index,
                            int64_t lanes, const ScalarRow &row) const {
  int64_t offset = access.at(index), step = laneDim < 0 ? 0 : access.steps[laneDim];
  auto copy = [&](auto *to, const auto &from) {
    for (int64_t i = 0; i < lanes; ++i)
      to[offset + i * step] = from[i];
  };
  switch (tensor.getDType()) {
  case DType::F32: return copy(tensor.mutableData<float>().data(), row.floats);
  case DType::I64: return copy(tensor.mutableData<int64_t>().data(), row.integers);
  case DType::I32: return copy(tensor.mutableData<int32_t>().data(), row.integers);
  case DType::I16: return copy(tensor.mutableData<int16_t>().data(), row.integers);
  case DType::I8: return copy(tensor.mutableData<int8_t>().data(), row.integers);
  case DType::Bool:
    for (int64_t i = 0; i < lanes; ++i)
      tensor.mutableData<uint8_t>()[offset + i * step] = row.integers[i] != 0;
    return;
  default: return;
  }
}

Results StructuredLoops::run() {
  if (failed(findSizes()) || failed(findAccesses()))
    return failure();
  unsigned numInputs = op.getNumDpsInputs();
  SmallVector<Tensor> results;
  for (const Tensor &init : operands.drop_front(numInputs))
    results.push_back(init.clone());
  if (llvm::is_contained(sizes, 0))
    return results;

  laneDim = chooseLaneDim();
  int64_t lanes = laneDim < 0 ? 1 : sizes[laneDim];
  FailureOr<ScalarBody> body = ScalarBody::create(op, captured, lanes);
  if (failed(body))
    return failure();
  SmallVector<int64_t> index(sizes.size(), 0);
  while (true) {
    for (BlockArgument argument : op.getBlock()->getArguments()) {
      unsigned i = argument.getArgNumber();
      if (!argument.use_empty())
        load(i, i < numInputs ? operands[i] : results[i - numInputs], index, lanes,
             body->getArgument(i));
    }
    if (failed(body->run({index, laneDim}, lanes)))
      return failure();
    for (auto [i, result] : llvm::enumerate(results))
      store(result, accesses[numInputs + i], index, lanes, body->getYielded(i));

    int dim = sizes.size();
    while (dim-- > 0) {
      if (dim == laneDim)
        continue;
      if (++index[dim] < sizes[dim])
        break;
      index[dim] = 0;
    }
    if (dim < 0)
      return results;
  }
}

namespace {

template <typename OpTy>
struct StructuredModel : EvaluableOpInterface::ExternalModel<StructuredModel<OpTy>, OpTy> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    auto structured = cast<linalg::LinalgOp>(op);
    if (!structured.hasPureTensorSemantics()) {
      op->emitOpError("is evaluated on tensors only");
      return failure();
    }
    return StructuredLoops(structured, operands).run();
  }
};

} // namespace

template <typename... OpTys>
static void attachTo(MLIRContext *context) {
  (OpTys::template attachInterface<StructuredModel<OpTys>>(*context), ...);
}

void mlir::ssm::attachStructuredModels(MLIRContext *context) {
  using namespace linalg;
  attachTo<GenericOp, MapOp, ReduceOp, TransposeOp, FillOp, CopyOp, ElementwiseOp, ContractOp>(
      context);
  attachTo<MatmulOp, BatchMatmulOp, BatchReduceMatmulOp, MatvecOp, VecmatOp, BatchMatvecOp,
           BatchVecmatOp, DotOp>(context);
  attachTo<AddOp, SubOp, MulOp, DivOp, MaxOp, MinOp, PowFOp, SelectOp>(context);
  attachTo<AbsOp, CeilOp, ErfOp, ExpOp, FloorOp, LogOp, NegFOp, ReciprocalOp, RoundOp, RsqrtOp,
           SqrtOp, SquareOp, TanhOp>(context);
}
