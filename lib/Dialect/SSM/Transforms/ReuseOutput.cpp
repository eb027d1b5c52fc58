//===- ReuseOutput.cpp - Outputs are computed where they go ---------------===//

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_REUSEOUTPUT
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct ReuseOutput : public ssm::impl::ReuseOutputBase<ReuseOutput> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    BufferViewFlowAnalysis views(getOperation());
    SmallVector<memref::CopyOp> copies;
    for (BlockArgument argument : getOperation().getArguments()) {
      if (!argument.hasOneUse())
        continue;
      auto copy = dyn_cast<memref::CopyOp>(*argument.getUsers().begin());
      if (copy && copy.getTarget() == argument && isLastUse(copy, views))
        copies.push_back(copy);
    }
    for (memref::CopyOp copy : copies) {
      Operation *alloc = copy.getSource().getDefiningOp();
      alloc->getResult(0).replaceAllUsesWith(copy.getTarget());
      copy.erase();
      alloc->erase();
    }
  }

  /// Whether the source is a buffer of the same type that nothing touches after the copy.
  static bool isLastUse(memref::CopyOp copy, const BufferViewFlowAnalysis &views) {
    auto alloc = copy.getSource().getDefiningOp<memref::AllocOp>();
    Block *block = copy->getBlock();
    if (!alloc || alloc->getBlock() != block || alloc.getType() != copy.getTarget().getType())
      return false;
    for (Value alias : views.resolve(alloc.getResult()))
      for (Operation *user : alias.getUsers()) {
        Operation *ancestor = block->findAncestorOpInBlock(*user);
        if (!ancestor || copy->isBeforeInBlock(ancestor))
          return false;
      }
    return true;
  }
};

} // namespace
