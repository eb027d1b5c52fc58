//===- KernelWalk.cpp - Follows the code of one work-group ----------------===//

#include "KernelWalk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/XeGPU/IR/XeGPU.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

/// Work-items of a sub-group.
static constexpr int64_t kLanes = 16;

static int64_t getBytes(Type type) {
  int64_t count = 1;
  if (auto vector = dyn_cast<VectorType>(type)) {
    count = vector.getNumElements();
    type = vector.getElementType();
  }
  return count * llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

LogicalResult KernelWalk::run(int64_t x, int64_t y) {
  groupX = x;
  groupY = y;
  known.clear();
  traffic.loaded.resize(kernel.getNumArguments());
  traffic.stored.resize(kernel.getNumArguments());
  Lanes once;
  once.fill(1);
  return walk(kernel.getBody().front(), once);
}

LogicalResult KernelWalk::walk(Block &block, const Lanes &times) {
  for (Operation &op : block)
    if (failed(walk(op, times)))
      return failure();
  return success();
}

LogicalResult KernelWalk::walk(Operation &op, const Lanes &times) {
  if (std::optional<Lanes> value = evaluate(op)) {
    known[op.getResult(0)] = *value;
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](scf::ForOp loop) { return walkLoop(loop, times); })
      .Case([&](scf::IfOp branch) { return walkBranch(branch, times); })
      .Case([&](LLVM::LoadOp load) {
        count(traffic.loaded, load.getAddr(), getBytes(load.getType()), times);
        return success();
      })
      .Case([&](LLVM::StoreOp store) {
        count(traffic.stored, store.getAddr(), getBytes(store.getValue().getType()), times);
        return success();
      })
      .Case([&](xegpu::LoadNdOp load) {
        xegpu::TensorDescType block = load.getTensorDescType();
        int64_t bytes = block.getNumElements() * block.getElementTypeBitWidth() / 8;
        if (int64_t i = findArgument(load.getTensorDesc()); i >= 0)
          traffic.loaded[i] += bytes * countSubgroups(times);
        return success();
      })
      .Case([&](xegpu::StoreNdOp store) {
        xegpu::TensorDescType block = store.getTensorDescType();
        int64_t bytes = block.getNumElements() * block.getElementTypeBitWidth() / 8;
        if (int64_t i = findArgument(store.getTensorDesc()); i >= 0)
          traffic.stored[i] += bytes * countSubgroups(times);
        return success();
      })
      .Case([&](xegpu::DpasOp dpas) {
        // Each lane holds a column of the result and a share of A and B.
        int64_t rows = cast<VectorType>(dpas.getResult().getType()).getNumElements();
        int64_t depth = cast<VectorType>(dpas.getRhs().getType()).getNumElements();
        int64_t count = countSubgroups(times);
        traffic.dpas += count;
        traffic.dpasMultiplyAdds += count * rows * depth * kLanes;
        return success();
      })
      .Default([](Operation *) { return success(); });
}

int64_t KernelWalk::countSubgroups(const Lanes &times) {
  int64_t sum = 0;
  for (size_t i = 0; i < kItems; i += kLanes)
    sum += times[i];
  return sum;
}

int64_t KernelWalk::findArgument(Value pointer) const {
  while (Operation *op = pointer.getDefiningOp()) {
    if (!isa<LLVM::GEPOp, LLVM::PtrToIntOp, LLVM::IntToPtrOp, xegpu::CreateNdDescOp,
             xegpu::UpdateNdOffsetOp, arith::AddIOp, LLVM::AddOp>(op))
      return -1;
    pointer = op->getOperand(0);
  }
  auto argument = dyn_cast<BlockArgument>(pointer);
  return argument && argument.getOwner() == &kernel.getBody().front() ? argument.getArgNumber()
                                                                      : -1;
}

void KernelWalk::count(SmallVectorImpl<int64_t> &counts, Value pointer, int64_t bytes,
                       const Lanes &times) {
  if (int64_t i = findArgument(pointer); i >= 0)
    for (int64_t n : times)
      counts[i] += n * bytes;
}

std::optional<KernelWalk::Lanes> KernelWalk::evaluate(Operation &op) const {
  auto each = [](auto number) {
    Lanes lanes;
    for (size_t i = 0; i < kItems; ++i)
      lanes[i] = number(i);
    return lanes;
  };
  auto all = [&](int64_t number) { return each([&](size_t) { return number; }); };
  if (op.getNumResults() != 1)
    return std::nullopt;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto number = dyn_cast<IntegerAttr>(constant.getValue());
    return number ? std::optional(all(number.getValue().getSExtValue())) : std::nullopt;
  }
  if (isa<gpu::ThreadIdOp>(op))
    return each([](size_t i) { return int64_t(i); });
  if (isa<gpu::LaneIdOp>(op))
    return each([](size_t i) { return int64_t(i) % kLanes; });
  if (isa<gpu::SubgroupIdOp>(op))
    return each([](size_t i) { return int64_t(i) / kLanes; });
  if (auto block = dyn_cast<gpu::BlockIdOp>(op))
    return all(block.getDimension() == gpu::Dimension::x ? groupX : groupY);
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    int64_t argument = findArgument(load.getAddr());
    return argument >= 0 && facts.isPosition[argument] ? std::optional(all(facts.position))
                                                       : std::nullopt;
  }
  if (!isa<arith::ArithDialect>(op.getDialect()))
    return std::nullopt;
  SmallVector<const Lanes *, 3> operands;
  for (Value operand : op.getOperands()) {
    auto value = known.find(operand);
    if (value != known.end()) {
      operands.push_back(&value->second);
      continue;
    }
    // The last argument is the number of tokens.
    if (operand == kernel.getArguments().back())
      return all(facts.tokens);
    return std::nullopt;
  }
  auto with = [&](auto combine) {
    return each([&](size_t i) { return combine((*operands[0])[i], (*operands[1])[i]); });
  };
  return llvm::TypeSwitch<Operation *, std::optional<Lanes>>(&op)
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(
          [&](auto) { return *operands[0]; })
      .Case([&](arith::AddIOp) { return with([](int64_t a, int64_t b) { return a + b; }); })
      .Case([&](arith::SubIOp) { return with([](int64_t a, int64_t b) { return a - b; }); })
      .Case([&](arith::MulIOp) { return with([](int64_t a, int64_t b) { return a * b; }); })
      .Case<arith::DivUIOp, arith::DivSIOp>(
          [&](auto) { return with([](int64_t a, int64_t b) { return b ? a / b : 0; }); })
      .Case<arith::RemUIOp, arith::RemSIOp>(
          [&](auto) { return with([](int64_t a, int64_t b) { return b ? a % b : 0; }); })
      .Case<arith::MinSIOp, arith::MinUIOp>(
          [&](auto) { return with([](int64_t a, int64_t b) { return std::min(a, b); }); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>(
          [&](auto) { return with([](int64_t a, int64_t b) { return std::max(a, b); }); })
      .Case([&](arith::AndIOp) { return with([](int64_t a, int64_t b) { return a & b; }); })
      .Case([&](arith::OrIOp) { return with([](int64_t a, int64_t b) { return a | b; }); })
      .Case([&](arith::XOrIOp) { return with([](int64_t a, int64_t b) { return a ^ b; }); })
      .Case([&](arith::SelectOp) {
        return each([&](size_t i) { return (*operands[(*operands[0])[i] ? 1 : 2])[i]; });
      })
      .Case([&](arith::CmpIOp compare) {
        return with([&](int64_t a, int64_t b) {
          return int64_t(arith::applyCmpPredicate(compare.getPredicate(), APInt(64, a, true),
                                                  APInt(64, b, true)));
        });
      })
      .Default([](Operation *) { return std::nullopt; });
}

bool KernelWalk::dependsOnIteration(scf::ForOp loop) const {
  llvm::SetVector<Value> varying;
  for (Value value : loop.getBody()->getArguments())
    varying.insert(value);
  bool depends = false;
  loop.getBody()->walk<WalkOrder::PreOrder>([&](Operation *op) {
    bool varies = llvm::any_of(op->getOperands(), [&](Value v) { return varying.contains(v); });
    if (auto inner = dyn_cast<scf::ForOp>(op)) {
      depends |= varying.contains(inner.getLowerBound()) ||
                 varying.contains(inner.getUpperBound()) || varying.contains(inner.getStep());
      for (Value value : inner.getBody()->getArguments())
        varying.insert(value);
    } else if (auto inner = dyn_cast<scf::IfOp>(op)) {
      depends |= varying.contains(inner.getCondition());
    }
    if (varies || isa<LLVM::LoadOp>(op))
      for (Value result : op->getResults())
        varying.insert(result);
  });
  return depends;
}

LogicalResult KernelWalk::walkLoop(scf::ForOp loop, const Lanes &times) {
  auto begin = known.find(loop.getLowerBound()), end = known.find(loop.getUpperBound()),
       step = known.find(loop.getStep());
  if (begin == known.end() || end == known.end() || step == known.end())
    return loop.emitError("what the kernel does depends on data");
  const Lanes first = begin->second, last = end->second, by = step->second;
  Lanes trips;
  int64_t most = 0;
  for (size_t i = 0; i < kItems; ++i) {
    trips[i] = by[i] > 0 && last[i] > first[i] ? llvm::divideCeil(last[i] - first[i], by[i]) : 0;
    most = std::max(most, times[i] ? trips[i] : 0);
  }
  Lanes now;
  if (!dependsOnIteration(loop)) {
    for (size_t i = 0; i < kItems; ++i)
      now[i] = times[i] * trips[i];
    return walk(*loop.getBody(), now);
  }
  for (int64_t trip = 0; trip < most; ++trip) {
    Lanes number;
    for (size_t i = 0; i < kItems; ++i) {
      now[i] = trip < trips[i] ? times[i] : 0;
      number[i] = first[i] + trip * by[i];
    }
    known[loop.getInductionVar()] = number;
    if (failed(walk(*loop.getBody(), now)))
      return failure();
  }
  return success();
}

LogicalResult KernelWalk::walkBranch(scf::IfOp branch, const Lanes &times) {
  auto condition = known.find(branch.getCondition());
  if (condition == known.end())
    return branch.emitError("what the kernel does depends on data");
  Lanes taken, other;
  for (size_t i = 0; i < kItems; ++i) {
    taken[i] = condition->second[i] ? times[i] : 0;
    other[i] = condition->second[i] ? 0 : times[i];
  }
  auto isTaken = [](const Lanes &lanes) {
    return llvm::any_of(lanes, [](int64_t n) { return n; });
  };
  if (isTaken(taken) && failed(walk(*branch.thenBlock(), taken)))
    return failure();
  if (branch.elseBlock() && isTaken(other))
    return walk(*branch.elseBlock(), other);
  return success();
}
