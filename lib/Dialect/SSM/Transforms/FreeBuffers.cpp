//===- FreeBuffers.cpp - Free each buffer after its last use --------------===//

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_FREEBUFFERS
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct FreeBuffers : public ssm::impl::FreeBuffersBase<FreeBuffers> {
  void runOnOperation() override {
    BufferViewFlowAnalysis views(getOperation());
    SmallVector<std::pair<memref::AllocOp, Operation *>> frees;
    getOperation().walk([&](memref::AllocOp alloc) {
      if (Operation *last = findLastUse(alloc, views))
        frees.push_back({alloc, last});
    });
    for (auto [alloc, last] : frees) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(last);
      memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
    }
  }

  /// Null when the buffer must not be freed in its block.
  Operation *findLastUse(memref::AllocOp alloc, const BufferViewFlowAnalysis &views) {
    Block *block = alloc->getBlock();
    Operation *last = alloc;
    for (Value alias : views.resolve(alloc.getResult()))
      for (Operation *user : alias.getUsers()) {
        Operation *ancestor = block->findAncestorOpInBlock(*user);
        if (!ancestor || ancestor->hasTrait<OpTrait::IsTerminator>() ||
            isa<memref::DeallocOp>(user))
          return nullptr;
        if (last->isBeforeInBlock(ancestor))
          last = ancestor;
      }
    return last;
  }
};

} // namespace
