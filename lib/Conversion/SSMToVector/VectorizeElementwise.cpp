//===- VectorizeElementwise.cpp - Elementwise loops become kernels --------===//

#include "KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/VectorInterfaces.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_VECTORIZEELEMENTWISE
#include "ssmq/Conversion/SSMToVector/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// Whether an operand is read a vector at a time along the innermost loop, or is the same number
/// for all of it.
static bool hasVectorAccess(AffineMap map, MemRefType type, unsigned innermost) {
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim && !isa<AffineConstantExpr>(expr))
      return false;
    bool isLast = i + 1 == map.getNumResults();
    if (dim && dim.getPosition() == innermost && (!isLast || !type.isLastDimUnitStride()))
      return false;
  }
  return true;
}

static bool canVectorize(linalg::GenericOp op) {
  unsigned loops = op.getNumLoops();
  if (!op.hasPureBufferSemantics() || loops == 0 || op.getNumParallelLoops() != loops ||
      op.getNumDpsInits() != 1)
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type || !type.getElementType().isIntOrFloat() ||
        !hasVectorAccess(op.getMatchingIndexingMap(&operand), type, loops - 1))
      return false;
  }
  OpOperand *out = op.getDpsInitOperand(0);
  if (!op.getMatchingIndexingMap(out).isIdentity() || op.payloadUsesValueFromOperand(out) ||
      ShapedType::isDynamic(cast<MemRefType>(out->get().getType()).getShape().back()))
    return false;
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return matchPattern(&inner, m_Constant()) || OpTrait::hasElementwiseMappableTraits(&inner);
  });
}

/// Additions' worth of one element.
static int64_t getCost(linalg::GenericOp op) {
  int64_t cost = 0;
  for (Operation &inner : op.getBody()->without_terminator())
    cost += isa<math::MathDialect>(inner.getDialect()) && !isa<math::AbsFOp, math::FmaOp>(inner)
                ? KernelBuilder::workOfExp
                : 1;
  return cost;
}

/// Equal bodies over buffers of equal types; values from outside do not matter.
static bool isSameKernel(linalg::GenericOp a, linalg::GenericOp b) {
  if (a->getOperandTypes() != b->getOperandTypes())
    return false;
  DenseMap<Value, Value> known;
  auto isInside = [&](Value value) {
    return a->isProperAncestor(value.getParentBlock()->getParentOp()) ||
           value.getParentRegion()->getParentOp() == a;
  };
  return OperationEquivalence::isEquivalentTo(
      a, b,
      [&](Value left, Value right) {
        return success(!isInside(left) || known.lookup(left) == right);
      },
      [&](Value left, Value right) { known[left] = right; },
      OperationEquivalence::IgnoreLocations | OperationEquivalence::IgnoreDiscardableAttrs);
}

/// Captured constants move into the body, so that it stands alone; false when it captures others.
static bool isolateBody(linalg::GenericOp op) {
  OpBuilder builder = OpBuilder::atBlockBegin(op.getBody());
  DenseMap<Operation *, Operation *> clones;
  for (Operation &inner : llvm::make_early_inc_range(*op.getBody()))
    for (OpOperand &operand : inner.getOpOperands()) {
      if (operand.get().getParentRegion() == &op.getRegion())
        continue;
      Operation *constant = operand.get().getDefiningOp();
      if (!constant || !matchPattern(constant, m_Constant()))
        return false;
      Operation *&clone = clones[constant];
      if (!clone)
        clone = builder.clone(*constant);
      operand.set(clone->getResult(0));
    }
  return true;
}

namespace {

/// Writes the loops of one generic op over the buffers `operands`.
class ElementwiseEmitter {
public:
  ElementwiseEmitter(KernelBuilder &k, linalg::GenericOp op, ValueRange operands)
      : k(k), op(op), operands(operands), loops(op.getNumLoops()) {}
  void run();

private:
  void overLoop(unsigned dim, SmallVector<Value> &indices);
  void columns(ArrayRef<Value> outer, Value column, int64_t lanes);
  Value load(OpOperand &operand, ArrayRef<Value> indices, int64_t lanes);

  KernelBuilder &k;
  linalg::GenericOp op;
  ValueRange operands;
  unsigned loops;
};

} // namespace

Value ElementwiseEmitter::load(OpOperand &operand, ArrayRef<Value> indices, int64_t lanes) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value buffer = operands[operand.getOperandNumber()];
  SmallVector<Value> at;
  bool isVector = false;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    at.push_back(dim ? indices[dim.getPosition()]
                     : k.index(cast<AffineConstantExpr>(expr).getValue()));
    isVector |= dim && dim.getPosition() + 1 == loops;
  }
  if (isVector)
    return k.loadRaw(buffer, at, lanes);
  return k.splat(memref::LoadOp::create(k, buffer, at), lanes);
}

void ElementwiseEmitter::columns(ArrayRef<Value> outer, Value column, int64_t lanes) {
  SmallVector<Value> indices(outer);
  indices.push_back(column);
  IRMapping values;
  for (OpOperand *input : op.getDpsInputOperands())
    values.map(op.getMatchingBlockArgument(input), load(*input, indices, lanes));
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (matchPattern(&inner, m_Constant())) {
      values.map(inner.getResult(0), k.splat(k.clone(inner)->getResult(0), lanes));
      continue;
    }
    Operation *vectorized = k.clone(inner, values);
    for (Value result : vectorized->getResults())
      result.setType(VectorType::get({lanes}, result.getType()));
  }
  Value last = op.getBody()->getTerminator()->getOperand(0);
  k.store(values.lookup(last), operands.back(), indices);
}

void ElementwiseEmitter::overLoop(unsigned dim, SmallVector<Value> &indices) {
  if (dim + 1 == loops) {
    int64_t extent = cast<MemRefType>(operands.back().getType()).getShape().back();
    k.overColumns(extent, k.lanesFor(extent),
                  [&](Value column, int64_t lanes) { columns(indices, column, lanes); });
    return;
  }
  auto body = [&](Value i) {
    indices.push_back(i);
    overLoop(dim + 1, indices);
    indices.pop_back();
  };
  Value extent = k.dim(operands.back(), dim);
  if (dim != 0)
    return k.loop(k.index(0), extent, 1, body);
  Value work = k.index(getCost(op));
  for (unsigned d = 0; d < loops; ++d)
    work = k.mul(work, k.dim(operands.back(), d));
  k.parallel(extent, work, body);
}

void ElementwiseEmitter::run() {
  SmallVector<Value> indices;
  overLoop(0, indices);
}

namespace {

struct VectorizeElementwise : public ssm::impl::VectorizeElementwiseBase<VectorizeElementwise> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (canVectorize(op) && isolateBody(op))
        ops.push_back(op);
    });
    // The first op of each kernel stands for it until all have been compared.
    SmallVector<std::pair<linalg::GenericOp, func::FuncOp>> kernels;
    for (linalg::GenericOp op : ops) {
      auto *known =
          llvm::find_if(kernels, [&](auto kernel) { return isSameKernel(kernel.first, op); });
      func::FuncOp kernel = known != kernels.end() ? known->second : makeKernel(op, kernels.size());
      if (known == kernels.end())
        kernels.push_back({op, kernel});
      OpBuilder builder(op);
      func::CallOp::create(builder, op.getLoc(), kernel, op->getOperands());
    }
    for (linalg::GenericOp op : ops)
      op.erase();
  }

  func::FuncOp makeKernel(linalg::GenericOp op, unsigned number) {
    ModuleOp module = getOperation();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    std::string name;
    do
      name = ("ssmq_elementwise_" + Twine(number++)).str();
    while (module.lookupSymbol(name));
    auto type = builder.getFunctionType(op->getOperandTypes(), {});
    auto kernel = func::FuncOp::create(builder, op.getLoc(), name, type);
    kernel.setPrivate();
    kernel->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));
    builder.setInsertionPointToEnd(kernel.addEntryBlock());
    KernelTarget target = KernelTarget::get(module);
    KernelBuilder k(op.getLoc(), builder, target);
    ElementwiseEmitter(k, op, kernel.getArguments()).run();
    func::ReturnOp::create(k);
    return kernel;
  }
};

} // namespace
