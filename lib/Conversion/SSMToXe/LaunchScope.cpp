//===- LaunchScope.cpp - Values of one launch -----------------------------===//

#include "LaunchScope.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ssm;

static bool isElementwise(Operation *op) { return isa<linalg::GenericOp>(op); }

bool ssm::liesInMemory(Value tensor) {
  if (auto widened = tensor.getDefiningOp<arith::ExtFOp>())
    tensor = widened.getIn();
  return isa<BlockArgument>(tensor);
}

/// Whether an op that is not elementwise reads the op's results, itself or through those that are.
static bool isReadByOthers(Operation *op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isElementwise(user) ? isReadByOthers(user)
                               : !isa<YieldOp, arith::TruncFOp, tensor::DimOp>(user);
  });
}

/// Whether an elementwise op reads, directly or through others, an op that work-groups share.
static bool derivesFromRoot(Operation *op) {
  return llvm::any_of(cast<linalg::GenericOp>(op).getDpsInputs(), [](Value input) {
    Operation *definition = input.getDefiningOp();
    return definition && !liesInMemory(input) &&
           (isElementwise(definition) ? derivesFromRoot(definition) : !isReadByOthers(definition));
  });
}

/// Whether others of the launch read the op's results otherwise than as they are stored.
static bool isPrologue(Operation *op) {
  return isReadByOthers(op) ||
         (isElementwise(op) && llvm::any_of(op->getUsers(), isElementwise) && !derivesFromRoot(op));
}

LaunchParts::LaunchParts(LaunchOp launch) {
  for (Operation &op : launch.getBody().front().without_terminator()) {
    if (isa<tensor::TensorDialect>(op.getDialect()) || matchPattern(&op, m_Constant()) ||
        isa<arith::ExtFOp, arith::TruncFOp>(op) ||
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
  for (auto widened : body.getOps<arith::ExtFOp>())
    if (auto input = dyn_cast<BlockArgument>(widened.getIn()))
      places[widened] = inputs[input.getArgNumber()];
  for (auto [yielded, result] : llvm::zip_equal(launch.getYield().getResults(), results)) {
    auto rounded = yielded.getDefiningOp<arith::TruncFOp>();
    outputs[rounded ? rounded.getIn() : yielded] = result;
  }
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

Value LaunchScope::evaluate(linalg::GenericOp op, ValueRange indices, const Numbers &known) {
  IRMapping values;
  for (OpOperand *input : op.getDpsInputOperands()) {
    SmallVector<Value> at;
    for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      at.push_back(dim ? indices[dim.getPosition()]
                       : k.index(cast<AffineConstantExpr>(expr).getValue()));
    }
    Value number;
    if (auto computed = known.find(input->get()); computed != known.end()) {
      number = computed->second;
    } else if (const Place *place = getPlace(input->get())) {
      number = k.loadRaw(*place, at);
      if (place->element != getElementTypeOrSelf(input->get().getType()))
        number = k.widen(number);
    } else {
      number = evaluate(input->get().getDefiningOp<linalg::GenericOp>(), at, known);
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
  Numbers known;
  store(result, indices, number, known);
}

void LaunchScope::store(Value result, ValueRange indices, Value number, Numbers &known) {
  known[result] = number;
  if (const Place *place = getPlace(result))
    k.store(number, *place, indices);
  if (const Place *place = getOutput(result))
    k.store(number, *place, indices);
  SmallVector<Operation *> users;
  for (Operation *user : result.getUsers())
    if (isElementwise(user) && !isPrologue(user))
      users.push_back(user);
  // Where one reads another, that comes first.
  llvm::sort(users, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *user : users) {
    if (known.contains(user->getResult(0)))
      continue;
    Value next = evaluate(cast<linalg::GenericOp>(user), indices, known);
    store(user->getResult(0), indices, next, known);
  }
}
