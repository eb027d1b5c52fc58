//===- LaunchScope.cpp - Values of one launch -----------------------------===//

#include "LaunchScope.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ssm;

static bool isElementwise(Operation *op) { return isa<linalg::GenericOp>(op); }

/// Whether an elementwise op reads, directly or through others, an op that work-groups share.
static bool derivesFromRoot(Operation *op);

/// Whether others of the launch read the op's results otherwise than as they are stored.
static bool isPrologue(Operation *op) {
  return llvm::any_of(op->getUsers(), [&](Operation *user) {
    if (isa<YieldOp>(user))
      return false;
    if (!isElementwise(user))
      return !isa<tensor::DimOp>(user);
    return isPrologue(user) || (isElementwise(op) && !derivesFromRoot(op));
  });
}

static bool derivesFromRoot(Operation *op) {
  return llvm::any_of(cast<linalg::GenericOp>(op).getDpsInputs(), [](Value input) {
    Operation *definition = input.getDefiningOp();
    return definition &&
           (isElementwise(definition) ? derivesFromRoot(definition) : !isPrologue(definition));
  });
}

LaunchParts::LaunchParts(LaunchOp launch) {
  for (Operation &op : launch.getBody().front().without_terminator()) {
    if (isa<tensor::TensorDialect>(op.getDialect()) || matchPattern(&op, m_Constant()) ||
        llvm::none_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>))
      continue;
    if (isPrologue(&op))
      prologues.push_back(&op);
    else if (!isElementwise(&op) || !derivesFromRoot(&op))
      roots.push_back(&op);
  }
}

LaunchScope::LaunchScope(XeBuilder &k, LaunchOp launch, ArrayRef<Place> inputs,
                         ArrayRef<Place> results, Value tokens)
    : k(k), tokens(tokens) {
  Block &body = launch.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), inputs))
    places[argument] = input;
  for (auto [yielded, result] : llvm::zip_equal(launch.getYield().getResults(), results))
    outputs[yielded] = result;
}

const Place *LaunchScope::getPlace(Value tensor) const {
  auto known = places.find(tensor);
  return known == places.end() ? nullptr : &known->second;
}

const Place *LaunchScope::getOutput(Value result) const {
  auto known = outputs.find(result);
  return known == outputs.end() ? nullptr : &known->second;
}

Value LaunchScope::countTokens(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.isDynamicDim(0) ? tokens : k.index(type.getDimSize(0));
}

Value LaunchScope::load(Value tensor, ValueRange indices) {
  if (const Place *place = getPlace(tensor))
    return k.load(*place, indices);
  return k.widen(evaluate(tensor.getDefiningOp<linalg::GenericOp>(), indices));
}

Value LaunchScope::evaluateScalar(Value scalar) {
  Operation *op = scalar.getDefiningOp();
  // Only tokens are of unknown number.
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return countTokens(dim.getSource());
  IRMapping values;
  for (Value operand : op->getOperands())
    if (!isa<ShapedType>(operand.getType()))
      values.map(operand, evaluateScalar(operand));
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    auto indices = llvm::map_to_vector(extract.getIndices(),
                                       [&](Value index) { return values.lookup(index); });
    return k.loadRaw(*getPlace(extract.getTensor()), indices);
  }
  return k.clone(*op, values)->getResult(cast<OpResult>(scalar).getResultNumber());
}

Value LaunchScope::evaluate(linalg::GenericOp op, ValueRange indices, Value stored, Value known) {
  IRMapping values;
  for (OpOperand *input : op.getDpsInputOperands()) {
    SmallVector<Value> at;
    for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      at.push_back(dim ? indices[dim.getPosition()]
                       : k.index(cast<AffineConstantExpr>(expr).getValue()));
    }
    Value number;
    if (input->get() == stored) {
      number = known;
    } else if (const Place *place = getPlace(input->get())) {
      number = k.loadRaw(*place, at);
    } else {
      number = evaluate(input->get().getDefiningOp<linalg::GenericOp>(), at, stored, known);
    }
    values.map(op.getMatchingBlockArgument(input), number);
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() && !values.contains(operand))
        values.map(operand, evaluateScalar(operand));
    k.clone(inner, values);
  }
  return values.lookup(op.getBody()->getTerminator()->getOperand(0));
}

void LaunchScope::store(Value result, ValueRange indices, Value number) {
  if (const Place *place = getPlace(result))
    k.store(number, *place, indices);
  if (const Place *place = getOutput(result))
    k.store(number, *place, indices);
  llvm::SmallSetVector<Operation *, 2> users;
  for (Operation *user : result.getUsers())
    if (isElementwise(user) && !isPrologue(user))
      users.insert(user);
  for (Operation *user : users)
    store(user->getResult(0), indices,
          evaluate(cast<linalg::GenericOp>(user), indices, result, number));
}
