//===- LaunchKernel.cpp - The kernel of a launch --------------------------===//

#include "LaunchKernel.h"

#include "Emitters.h"
#include "HostCopies.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "ssmq/Conversion/Rounding/CheckFormats.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr StringLiteral kModuleName = "ssmq_kernels";
/// Attribute of a launching function: what it was made from.
static constexpr StringLiteral kLaunchAttrName = "ssm.launch";
static constexpr unsigned kGlobalSpace = 1;

/// Equal keys have equal kernels: the body without the paths of its ops, and the buffers.
static StringAttr getKey(LaunchOp launch, TypeRange buffers) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OwningOpRef<Operation *> body = launch->clone();
  body->walk([](Operation *op) {
    op->removeAttr("path");
    op->removeAttr("ssm.sites");
  });
  body->print(stream, OpPrintingFlags().useLocalScope());
  // The names of the inputs are those of the program.
  text.erase(0, text.find('{'));
  for (Type buffer : buffers)
    stream << ' ' << buffer;
  return StringAttr::get(launch.getContext(), text);
}

static gpu::GPUModuleOp getKernels(ModuleOp module) {
  if (auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kModuleName))
    return kernels;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), builder.getUnitAttr());
  return gpu::GPUModuleOp::create(builder, module.getLoc(), kModuleName);
}

static bool isCache(Value input) {
  return llvm::any_of(input.getUsers(), [&](Operation *user) {
    auto attention = dyn_cast<AttentionOp>(user);
    return attention && (attention.getKeyCache() == input || attention.getValueCache() == input);
  });
}

/// Inputs of the launch with rows of unknown number that are a cache, or are not.
static SmallVector<int64_t> findDynamic(LaunchOp launch, bool caches) {
  SmallVector<int64_t> result;
  for (BlockArgument input : launch.getBody().getArguments()) {
    auto type = cast<RankedTensorType>(input.getType());
    if (type.getRank() > 0 && type.isDynamicDim(0) && isCache(input) == caches)
      result.push_back(input.getArgNumber());
  }
  return result;
}

/// Fails at ops, prologues among them, that kernels cannot compute.
static LogicalResult checkKernel(Operation *op) {
  auto scan = dyn_cast<DiagonalScanOp>(op);
  bool isRounded = scan && roundsStateInLanes(scan);
  if (failed(checkWeight(op)) || (!isRounded && failed(checkFormats(op))))
    return failure();
  if (auto fake = dyn_cast<FakeQuantizeOp>(op); fake && fake.getInput().getType().getRank() != 2)
    return fake.emitError("rounds values that are not tokens x channels, which no kernel for Xe "
                          "GPUs does; run the interpreter");
  bool isTensor = llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
  if (isa<arith::ExtFOp>(op) && isTensor && !liesInMemory(op->getResult(0)))
    return op->emitError("widens what is no input of the launch, which no kernel for Xe GPUs does");
  if (isa<arith::TruncFOp>(op) && isTensor && !llvm::all_of(op->getUsers(), llvm::IsaPred<YieldOp>))
    return op->emitError("rounds what is no result of the launch, which no kernel for Xe GPUs "
                         "does");
  if (auto stateful = dyn_cast<StatefulOpInterface>(op))
    for (auto [state, next] : stateful.getStates())
      if (!isa<BlockArgument>(state->get()))
        return op->emitError("has a state that is a constant, which no kernel for Xe GPUs updates");
  return success();
}

static Place makePlace(Value pointer, MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  Place place = {pointer, type.getElementType(), strides, nullptr};
  if (!ShapedType::isDynamic(offset))
    place.offset = offset;
  return place;
}

static void emitPrologue(LaunchScope &scope, Operation *op) {
  XeBuilder &k = scope.k;
  bool isMaterialized = isRowOp(op) || llvm::any_of(op->getUsers(), [](Operation *user) {
                          return isa<LinearOp, IntegerLinearOp>(user);
                        });
  if (!isMaterialized)
    return;
  for (Value result : op->getResults()) {
    auto type = cast<RankedTensorType>(result.getType());
    scope.place(result, k.local(type.getElementType(), type.getShape()));
  }
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    k.overColumns(cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(1),
                  [&](Value column) {
                    SmallVector<Value> indices = {k.index(0), column};
                    scope.store(op->getResult(0), indices, scope.evaluate(generic, indices));
                  });
  else
    emitRow(scope, op, k.index(0));
  k.barrier();
}

static void emitBody(XeBuilder &k, LaunchScope &scope, const LaunchParts &parts) {
  for (Operation *op : parts.prologues)
    emitPrologue(scope, op);
  Value group = gpu::BlockIdOp::create(k, gpu::Dimension::x);
  Value tokenBlock = gpu::BlockIdOp::create(k, gpu::Dimension::y);
  int64_t first = 0;
  for (Operation *op : parts.roots) {
    Grid grid = *getGrid(op);
    Value own = k.createOrFold<arith::SubIOp>(group, k.index(first));
    auto emit = [&] {
      emitRoot(scope, op, {own, k.mul(tokenBlock, std::max<int64_t>(grid.tokens, 1))});
    };
    if (parts.roots.size() == 1)
      return emit();
    Value isOwn = arith::AndIOp::create(
        k, arith::CmpIOp::create(k, arith::CmpIPredicate::sge, group, k.index(first)),
        k.isLess(group, k.index(first + grid.groups)));
    k.ifThen(isOwn, emit);
    first += grid.groups;
  }
}

static gpu::GPUFuncOp makeKernel(LaunchOp launch, gpu::GPUModuleOp module, StringRef name,
                                 const LaunchParts &parts, TypeRange buffers) {
  MLIRContext *context = launch.getContext();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(context, kGlobalSpace);
  SmallVector<Type> inputs(buffers.size(), pointer);
  SmallVector<int64_t> caches = findDynamic(launch, /*caches=*/true);
  // Tokens, and the rows of each cache.
  inputs.append(1 + caches.size(), builder.getI64Type());
  auto kernel =
      gpu::GPUFuncOp::create(builder, launch.getLoc(), name, builder.getFunctionType(inputs, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  kernel->setAttr("intel_reqd_sub_group_size", builder.getI32IntegerAttr(XeBuilder::kLanes));
  kernel.setKnownBlockSizeAttr(
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(XeBuilder::kItems), 1, 1}));
  builder.setInsertionPointToEnd(&kernel.getBody().front());
  XeBuilder k(launch.getLoc(), builder, module);
  SmallVector<Place> places;
  for (auto [argument, type] : llvm::zip(kernel.getArguments(), buffers))
    places.push_back(makePlace(argument, cast<MemRefType>(type)));
  auto toIndex = [&](Value number) -> Value {
    return arith::IndexCastOp::create(k, k.getIndexType(), number);
  };
  ValueRange counts = kernel.getArguments().drop_front(buffers.size());
  Value tokens = toIndex(counts.front());
  for (auto [cache, rows] : llvm::zip_equal(caches, counts.drop_front()))
    places[cache].rows = toIndex(rows);
  size_t numInputs = launch.getInputs().size();
  LaunchScope scope(k, launch, ArrayRef(places).take_front(numInputs),
                    ArrayRef(places).drop_front(numInputs), tokens);
  emitBody(k, scope, parts);
  gpu::ReturnOp::create(k);
  return kernel;
}

/// The function's body: pointers to where the buffers begin, and the launch.
static void launchFrom(func::FuncOp function, gpu::GPUFuncOp kernel, const LaunchParts &parts,
                       LaunchOp launch) {
  ImplicitLocOpBuilder b(function.getLoc(), function.getContext());
  b.setInsertionPointToEnd(function.addEntryBlock());
  SmallVector<Value> operands;
  for (Value buffer : function.getArguments())
    operands.push_back(getStart(b, buffer, kGlobalSpace));
  Value one = arith::ConstantIndexOp::create(b, 1), tokens = one;
  auto countRows = [&](int64_t input) -> Value {
    return memref::DimOp::create(b, function.getArgument(input), 0);
  };
  if (SmallVector<int64_t> counting = findDynamic(launch, /*caches=*/false); !counting.empty())
    tokens = countRows(counting.front());
  operands.push_back(arith::IndexCastOp::create(b, b.getI64Type(), tokens));
  for (int64_t cache : findDynamic(launch, /*caches=*/true))
    operands.push_back(arith::IndexCastOp::create(b, b.getI64Type(), countRows(cache)));
  int64_t groups = 0;
  Value blocks = one;
  for (Operation *op : parts.roots) {
    Grid grid = *getGrid(op);
    groups += grid.groups;
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (grid.tokens > 0 && type.getRank() > 0) {
      Value rows = type.isDynamicDim(0)
                       ? tokens
                       : arith::ConstantIndexOp::create(b, type.getDimSize(0)).getResult();
      blocks =
          b.createOrFold<arith::CeilDivUIOp>(rows, arith::ConstantIndexOp::create(b, grid.tokens));
    }
  }
  gpu::LaunchFuncOp::create(
      b, kernel, gpu::KernelDim3{arith::ConstantIndexOp::create(b, groups), blocks, one},
      gpu::KernelDim3{arith::ConstantIndexOp::create(b, XeBuilder::kItems), one, one},
      /*dynamicSharedMemorySize=*/Value(), operands);
  func::ReturnOp::create(b);
}

LogicalResult ssm::checkLaunch(LaunchOp launch) {
  for (Operation &op : launch.getBody().front())
    if (failed(checkKernel(&op)))
      return failure();
  for (Operation *op : LaunchParts(launch).roots)
    if (!getGrid(op))
      return op->emitError("has no kernel for Xe GPUs");
  return success();
}

FailureOr<func::FuncOp> ssm::getLaunchFunction(LaunchOp launch, ModuleOp module,
                                               TypeRange buffers) {
  StringAttr key = getKey(launch, buffers);
  unsigned number = 0;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr(kLaunchAttrName))
      continue;
    if (function->getAttr(kLaunchAttrName) == key)
      return function;
    ++number;
  }
  // Bufferization by upstream's pass comes here unchecked.
  if (failed(checkLaunch(launch)))
    return failure();
  LaunchParts parts(launch);
  std::string name = "ssmq_launch";
  for (Operation *op : parts.roots)
    name += "_" + (isa<linalg::GenericOp>(op) ? "elementwise" : op->getName().stripDialect()).str();
  name += "_" + std::to_string(number);
  gpu::GPUFuncOp kernel = makeKernel(launch, getKernels(module), name, parts, buffers);
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, launch.getLoc(), name, builder.getFunctionType(buffers, {}));
  function.setPrivate();
  function->setAttr(kLaunchAttrName, key);
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal));
  launchFrom(function, kernel, parts, launch);
  return function;
}
