//===- FormLaunches.cpp - Groups ops that one kernel computes -------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include <deque>

namespace mlir::ssm {
#define GEN_PASS_DEF_FORMLAUNCHES
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// Values that a work-group can keep for itself, in all prologues of a launch.
static constexpr int64_t kMostLocalValues = 8192;

static bool isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.hasPureTensorSemantics() && generic.getNumResults() == 1 &&
         generic.getNumParallelLoops() == generic.getNumLoops() &&
         generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity();
}
static bool isComputed(Operation *op) {
  return isElementwise(op) || (isa<SSMDialect>(op->getDialect()) && !isa<LaunchOp, YieldOp>(op));
}
/// Ops whose rows a work-group computes by itself.
static bool isRowOp(Operation *op) {
  return isa<RMSNormOp, LayerNormOp, QuantizeOp, FakeQuantizeOp, RotaryOp>(op);
}
static bool isLinear(Operation *op) { return isa<LinearOp, IntegerLinearOp>(op); }
/// Whether kernels take the value in blocks, as it lies in memory.
static bool readsBlocks(Operation *op, Value value) {
  if (auto scan = dyn_cast<SSDScanOp>(op))
    return scan.getC() == value;
  if (auto attention = dyn_cast<AttentionOp>(op))
    return attention.getQuery() == value;
  return isLinear(op);
}
static bool hasOneToken(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  return type && type.getRank() == 2 && type.getDimSize(0) == 1;
}
/// What has as many rows as an op's result and is there before it: the tokens' ids, for most.
static Value findRowSource(Value value) {
  Operation *op = value.getDefiningOp();
  auto result = dyn_cast<OpResult>(value);
  if (!op || !isComputed(op) || result.getResultNumber() != 0)
    return value;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    bool isInput = generic ? generic.isDpsInput(&operand) &&
                                 generic.getMatchingIndexingMap(&operand).isIdentity()
                           : operand.getOperandNumber() == 0;
    if (isInput && type && type.getRank() > 0 && type.isDynamicDim(0))
      return findRowSource(operand.get());
  }
  return value;
}
static int64_t countValues(Operation *op) {
  int64_t count = 0;
  for (Type type : op->getResultTypes())
    count += cast<RankedTensorType>(type).getNumElements();
  return count;
}

namespace {

/// Ops of one launch, in the order of the program; it will stand where the last of them stands.
struct Group {
  llvm::SetVector<Operation *> ops;
  bool holds(Operation *op) const { return ops.contains(op); }
};

/// Groups the ops of one block.
class LaunchFormer {
public:
  void run(Block &block, bool fuse) {
    SmallVector<Operation *> ops;
    for (Operation &op : block)
      if (isComputed(&op))
        ops.push_back(&op);
    for (Operation *op : ops) {
      groups.emplace_back().ops.insert(op);
      groupOf[op] = &groups.back();
      if (fuse && !joinProducer(op) && isLinear(op))
        joinSibling(op);
    }
    if (fuse)
      for (Operation *op : llvm::reverse(ops))
        joinReader(op);
    for (Group &group : groups)
      if (!group.ops.empty())
        build(group);
  }

private:
  void merge(Group &from, Group &into) {
    llvm::SetVector<Operation *> all(into.ops);
    for (Operation *op : from.ops) {
      all.insert(op);
      groupOf[op] = &into;
    }
    SmallVector<Operation *> ordered = all.takeVector();
    llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    into.ops.clear();
    into.ops.insert(ordered.begin(), ordered.end());
    from.ops.clear();
  }

  /// Whether an op of the launch reads the op, directly or through elementwise ops.
  static bool isRead(Operation *op, const llvm::SetVector<Operation *> &ops) {
    return llvm::any_of(op->getUsers(), [&](Operation *user) {
      return ops.contains(user) && (!isElementwise(user) || isRead(user, ops));
    });
  }

  /// The ops of the launch whose results an elementwise op takes in as they are stored.
  static void collectRoots(Operation *op, const llvm::SetVector<Operation *> &ops,
                           llvm::SmallPtrSetImpl<Operation *> &roots) {
    for (Value operand : op->getOperands()) {
      Operation *definition = operand.getDefiningOp();
      if (!definition || !ops.contains(definition))
        continue;
      if (isElementwise(definition))
        collectRoots(definition, ops, roots);
      else if (!isRead(definition, ops))
        roots.insert(definition);
    }
  }

  /// Whether two groups make a launch: no op takes in results of two ops, which other work-groups
  /// or other items of theirs have.
  static bool canMerge(const Group &a, const Group &b) {
    llvm::SetVector<Operation *> ops(a.ops);
    ops.insert(b.ops.begin(), b.ops.end());
    return llvm::none_of(ops, [&](Operation *op) {
      llvm::SmallPtrSet<Operation *, 4> roots;
      if (isElementwise(op) && !isRead(op, ops))
        collectRoots(op, ops, roots);
      return roots.size() > 1;
    });
  }

  /// Whether all that reads results of the group, but for its own ops, comes after `op`.
  static bool canMoveTo(const Group &group, Operation *op) {
    for (Operation *member : group.ops)
      for (Operation *user : member->getUsers())
        if (!group.holds(user) && user != op && !op->isBeforeInBlock(user))
          return false;
    return true;
  }

  /// Puts an elementwise op into the launch of what it reads element by element.
  bool joinProducer(Operation *op) {
    if (!isElementwise(op))
      return false;
    auto generic = cast<linalg::GenericOp>(op);
    for (OpOperand *input : generic.getDpsInputOperands()) {
      Operation *producer = input->get().getDefiningOp();
      if (!producer || !groupOf.contains(producer) ||
          !generic.getMatchingIndexingMap(input).isIdentity() ||
          cast<RankedTensorType>(input->get().getType()).getShape() !=
              cast<RankedTensorType>(op->getResult(0).getType()).getShape() ||
          cast<OpResult>(input->get()).getResultNumber() != 0 || isa<QuantizeOp>(producer))
        continue;
      Group &group = *groupOf[producer];
      // Every input must be there when the launch runs, and none come from it in another form.
      if (!canMoveTo(group, op) || readsOtherwise(op, group) || !canMerge(*groupOf[op], group))
        continue;
      merge(*groupOf[op], group);
      return true;
    }
    return false;
  }

  /// Whether an op reads results of a group through views, so that they must be in memory.
  static bool readsOtherwise(Operation *op, const Group &group) {
    for (Value operand : op->getOperands()) {
      Operation *definition = operand.getDefiningOp();
      while (definition && !isComputed(definition) && definition->getNumOperands() > 0 &&
             isa<tensor::TensorDialect>(definition->getDialect())) {
        definition = definition->getOperand(0).getDefiningOp();
        if (definition && group.holds(definition))
          return true;
      }
    }
    return false;
  }

  /// Puts a linear layer of one token beside an earlier one with the same input.
  void joinSibling(Operation *op) {
    if (!hasOneToken(op))
      return;
    for (Operation *user : op->getOperand(0).getUsers()) {
      if (user == op || !isLinear(user) || !groupOf.contains(user) || !user->isBeforeInBlock(op) ||
          groupOf[user] == groupOf[op] || user->getOperand(0) != op->getOperand(0))
        continue;
      Group &group = *groupOf[user];
      if (!llvm::all_of(group.ops, isLinear) || !canMoveTo(group, op))
        continue;
      merge(*groupOf[op], group);
      return;
    }
  }

  /// Puts an op into the launch of all that reads it, which computes it again or for itself.
  void joinReader(Operation *op) {
    if (!isElementwise(op) && !(isRowOp(op) && hasOneToken(op)))
      return;
    Group &group = *groupOf[op];
    if (!llvm::all_of(group.ops, [](Operation *o) { return isElementwise(o) || isRowOp(o); }))
      return;
    Group *reader = nullptr;
    for (Operation *member : group.ops)
      for (Operation *user : member->getUsers()) {
        if (group.holds(user))
          continue;
        if (!groupOf.contains(user) || (reader && groupOf[user] != reader))
          return;
        reader = groupOf[user];
        // Blocks of the one token are kept by each group; those of several are too many.
        if (!hasOneToken(member) && readsBlocks(user, member->getResult(0)))
          return;
        // Ops read element by element what an elementwise op computes, as often as they need.
        if (isa<StatefulOpInterface>(user) && llvm::is_contained(getStateOperands(user), member))
          return;
      }
    if (!reader || !canMerge(group, *reader))
      return;
    int64_t local = 0;
    for (Operation *member : llvm::concat<Operation *const>(group.ops, reader->ops))
      if ((isRowOp(member) || isElementwise(member)) && hasOneToken(member))
        local += countValues(member);
    if (local > kMostLocalValues)
      return;
    merge(group, *reader);
  }

  static SmallVector<Operation *> getStateOperands(Operation *op) {
    SmallVector<Operation *> definitions;
    for (auto [operand, next] : cast<StatefulOpInterface>(op).getStates())
      definitions.push_back(operand->get().getDefiningOp());
    return definitions;
  }

  static void build(Group &group) {
    Operation *last = group.ops.back();
    IRRewriter rewriter(last->getContext());
    rewriter.setInsertionPoint(last);
    SmallVector<Value> results;
    for (Operation *op : group.ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !group.holds(user); }))
          results.push_back(result);
    SmallVector<Location> locs =
        llvm::map_to_vector(group.ops, [](Operation *op) { return op->getLoc(); });
    auto launch = LaunchOp::create(rewriter, rewriter.getFusedLoc(locs),
                                   ValueRange(results).getTypes(), ValueRange());
    for (auto [result, replacement] : llvm::zip_equal(results, launch.getResults()))
      rewriter.replaceUsesWithIf(result, replacement,
                                 [&](OpOperand &use) { return !group.holds(use.getOwner()); });
    Block *body = rewriter.createBlock(&launch.getBody());
    for (Operation *op : group.ops)
      rewriter.moveOpBefore(op, body, body->end());
    rewriter.setInsertionPointToEnd(body);
    YieldOp::create(rewriter, launch.getLoc(), results);
    for (Operation &op : llvm::make_early_inc_range(*body))
      if (auto generic = dyn_cast<linalg::GenericOp>(op))
        standAlone(rewriter, generic);
    IRMapping copies;
    rewriter.setInsertionPointToStart(body);
    launch.getBody().walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands())
        if (!launch.getBody().isAncestor(operand.get().getParentRegion()))
          operand.set(copyScalar(rewriter, operand.get(), copies));
    });
    SmallVector<Value> inputs = makeRegionIsolatedFromAbove(rewriter, launch.getBody());
    launch.getInputsMutable().assign(inputs);
  }

  /// A scalar, as those that count tokens, is computed where it is read: inputs are tensors.
  static Value copyScalar(IRRewriter &rewriter, Value value, IRMapping &copies) {
    Operation *op = value.getDefiningOp();
    bool isScalar = op && isPure(op) && op->getNumRegions() == 0 &&
                    llvm::none_of(op->getResultTypes(), llvm::IsaPred<ShapedType>);
    if (!isScalar && !matchPattern(value, m_Constant()))
      return value;
    if (Value known = copies.lookupOrNull(value))
      return known;
    for (Value operand : op->getOperands())
      copies.map(operand, copyScalar(rewriter, operand, copies));
    rewriter.clone(*op, copies);
    return copies.lookup(value);
  }

  /// Constants that an elementwise op reads, and the tensor that gives it its shape, become its
  /// own.
  static void standAlone(IRRewriter &rewriter, linalg::GenericOp generic) {
    rewriter.setInsertionPointToStart(generic.getBody());
    for (Operation &inner : generic.getBody()->without_terminator())
      for (OpOperand &operand : inner.getOpOperands()) {
        Operation *constant = operand.get().getDefiningOp();
        if (constant && constant->getBlock() != generic.getBody() &&
            matchPattern(constant, m_Constant()))
          operand.set(rewriter.clone(*constant)->getResult(0));
      }
    rewriter.setInsertionPoint(generic);
    auto type = cast<RankedTensorType>(generic.getResult(0).getType());
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      for (OpOperand *input : generic.getDpsInputOperands()) {
        AffineMap map = generic.getMatchingIndexingMap(input);
        std::optional<unsigned> at = map.getResultPosition(rewriter.getAffineDimExpr(dim));
        if (at) {
          sizes.push_back(tensor::DimOp::create(rewriter, generic.getLoc(), input->get(), *at));
          break;
        }
      }
    }
    Value empty = tensor::EmptyOp::create(rewriter, generic.getLoc(), type, sizes);
    generic.getDpsInitsMutable()[0].set(empty);
  }

  std::deque<Group> groups;
  DenseMap<Operation *, Group *> groupOf;
};

struct FormLaunches : public ssm::impl::FormLaunchesBase<FormLaunches> {
  using FormLaunchesBase::FormLaunchesBase;

  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    Block &block = getOperation().getBody().front();
    // Who asks an op how many rows it gives would keep it from moving into a launch.
    for (auto dim : block.getOps<tensor::DimOp>())
      if (dim.getConstantIndex() == 0)
        dim.getSourceMutable().assign(findRowSource(dim.getSource()));
    LaunchFormer().run(block, fuse);
  }
};

} // namespace
