//===- PlanBuffers.cpp - Buffers of a function share a block --------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Dialect/SSM/Utils/Workspace.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_PLANBUFFERS
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

/// A cache line, and as large as any vector; small machines have few bytes to lose.
static constexpr int64_t kAlignment = 64, kSmallAlignment = 8;

namespace {

struct Buffer {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;
  /// The first and last op of the scope's block during which the buffer is used.
  Operation *first, *last;
  /// Of all, or of one row where the number of rows is known only when the program runs.
  int64_t numBytes = 0, offset = 0;

  bool overlaps(const Buffer &other) const {
    return !last->isBeforeInBlock(other.first) && !other.last->isBeforeInBlock(first);
  }
};

struct PlanBuffers : public ssm::impl::PlanBuffersBase<PlanBuffers> {
  using PlanBuffersBase::PlanBuffersBase;

  void runOnOperation() override {
    // By the number of rows, null for static sizes.
    llvm::MapVector<std::pair<Block *, Value>, SmallVector<Buffer>> scopes;
    getOperation().walk([&](memref::AllocOp alloc) {
      Operation *scope = findScope(alloc);
      std::optional<int64_t> numBytes = getNumBytes(alloc.getType());
      memref::DeallocOp dealloc = findDealloc(alloc);
      if (!scope || !numBytes || !dealloc)
        return;
      Value rows = alloc.getDynamicSizes().empty() ? Value() : alloc.getDynamicSizes().front();
      Region *region = alloc->getParentRegion();
      while (region->getParentOp() != scope)
        region = region->getParentOp()->getParentRegion();
      if (!region->hasOneBlock())
        return;
      Block &block = region->front();
      if (rows && (!isa<func::FuncOp>(scope) || rows.getParentBlock() != &block))
        return;
      scopes[{&block, rows}].push_back({alloc, dealloc, block.findAncestorOpInBlock(*alloc),
                                        block.findAncestorOpInBlock(*dealloc), *numBytes});
    });
    bool isEntry =
        workspace && getOperation()->hasAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName());
    if (isEntry)
      addWorkspace(scopes[{&getOperation().getBody().front(), Value()}]);
    for (auto &[scope, buffers] : scopes)
      if (!buffers.empty())
        share(*scope.first, scope.second, buffers);
  }

  /// Takes the buffers.
  void addWorkspace(SmallVector<Buffer> &buffers) {
    func::FuncOp function = getOperation();
    OpBuilder builder(function);
    int64_t numBytes = plan(buffers);
    function->setAttr(ssm::kWorkspaceAttrName, builder.getI64IntegerAttr(numBytes));
    auto type = MemRefType::get({numBytes}, builder.getI8Type());
    (void)function.insertArgument(function.getNumArguments(), type, /*argAttrs=*/nullptr,
                                  function.getLoc());
    place(function.getArguments().back(), Value(), buffers);
    buffers.clear();
  }

  /// What is entered once for all iterations of the loops inside, by one thread; null when other
  /// ops with threads or memory of their own come first.
  static Operation *findScope(Operation *op) {
    do
      op = op->getParentWithTrait<OpTrait::AutomaticAllocationScope>();
    while (isa_and_present<scf::ForOp, scf::WhileOp>(op));
    return isa_and_present<func::FuncOp, omp::ParallelOp>(op) ? op : nullptr;
  }

  int64_t getAlignment() const { return workspace ? kSmallAlignment : kAlignment; }

  /// Bytes of the buffer, or of one of its rows; nullopt for buffers of which more than the number
  /// of rows is dynamic, or that are not plain.
  std::optional<int64_t> getNumBytes(MemRefType type) {
    bool hasRows = !type.hasStaticShape();
    if (type.getNumDynamicDims() > (hasRows && type.isDynamicDim(0)) ||
        !type.getLayout().isIdentity() || type.getMemorySpace() ||
        !type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() % 8)
      return std::nullopt;
    int64_t elements = llvm::product_of(type.getShape().drop_front(hasRows));
    return llvm::alignTo(elements * type.getElementTypeBitWidth() / 8, getAlignment());
  }

  /// The op that frees the buffer in its own block, whenever control gets there; else null.
  static memref::DeallocOp findDealloc(memref::AllocOp alloc) {
    for (Operation *user : alloc->getUsers())
      if (auto dealloc = dyn_cast<memref::DeallocOp>(user))
        if (dealloc->getBlock() == alloc->getBlock())
          return dealloc;
    return nullptr;
  }

  /// Gives each buffer, the largest first, the lowest place that none of its time has taken.
  static int64_t plan(MutableArrayRef<Buffer> buffers) {
    SmallVector<Buffer *> bySize;
    for (Buffer &buffer : buffers)
      bySize.push_back(&buffer);
    // By their places in `buffers` where sizes are equal, so that plans do not vary.
    llvm::sort(bySize, [](Buffer *a, Buffer *b) {
      return a->numBytes != b->numBytes ? a->numBytes > b->numBytes : a < b;
    });
    SmallVector<Buffer *> placed;
    int64_t total = 0;
    for (Buffer *buffer : bySize) {
      for (const Buffer *other : placed) // by rising offset
        if (buffer->overlaps(*other) && buffer->offset < other->offset + other->numBytes &&
            other->offset < buffer->offset + buffer->numBytes)
          buffer->offset = other->offset + other->numBytes;
      total = std::max(total, buffer->offset + buffer->numBytes);
      auto *after = llvm::upper_bound(placed, buffer,
                                      [](Buffer *a, Buffer *b) { return a->offset < b->offset; });
      placed.insert(after, buffer);
    }
    return total;
  }

  static Value toBytes(OpBuilder &builder, Location loc, int64_t bytes, Value rows) {
    Value constant = arith::ConstantIndexOp::create(builder, loc, bytes);
    return rows ? arith::MulIOp::create(builder, loc, rows, constant).getResult() : constant;
  }

  void share(Block &block, Value rows, MutableArrayRef<Buffer> buffers) {
    int64_t total = plan(buffers);
    OpBuilder builder = OpBuilder::atBlockBegin(&block);
    if (rows && rows.getDefiningOp())
      builder.setInsertionPointAfterValue(rows);
    Location loc = block.getParentOp()->getLoc();
    IntegerAttr alignment = builder.getI64IntegerAttr(getAlignment());
    Value arena;
    if (!rows && (workspace || total <= maxStackBytes)) {
      auto type = MemRefType::get({total}, builder.getI8Type());
      arena = memref::AllocaOp::create(builder, loc, type, alignment);
    } else {
      // Threads of a parallel region would each pay for one.
      if (!isa<func::FuncOp>(block.getParentOp()))
        return;
      auto type = MemRefType::get({rows ? ShapedType::kDynamic : total}, builder.getI8Type());
      SmallVector<Value, 1> size;
      if (rows)
        size.push_back(toBytes(builder, loc, total, rows));
      arena = memref::AllocOp::create(builder, loc, type, size, alignment);
      OpBuilder atEnd(block.getTerminator());
      memref::DeallocOp::create(atEnd, loc, arena);
    }
    place(arena, rows, buffers);
  }

  void place(Value arena, Value rows, ArrayRef<Buffer> buffers) {
    OpBuilder builder(arena.getContext());
    for (Buffer buffer : buffers) {
      builder.setInsertionPoint(buffer.alloc);
      auto view = memref::ViewOp::create(
          builder, buffer.alloc.getLoc(), buffer.alloc.getType(), arena,
          toBytes(builder, arena.getLoc(), buffer.offset, rows), buffer.alloc.getDynamicSizes());
      buffer.dealloc.erase();
      buffer.alloc.replaceAllUsesWith(view.getResult());
      buffer.alloc.erase();
    }
  }
};

} // namespace
