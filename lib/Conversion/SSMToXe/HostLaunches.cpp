//===- HostLaunches.cpp - Launches become calls of the runtime ------------===//

#include "HostCopies.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"
#include "ssmq/Conversion/SSMToXe/SSMToXe.h"
#include "ssmq/Runtime/OpenCL/Launch.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_HOSTLAUNCHES
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

StringRef ssm::getKernelSpirv(ModuleOp lowered) {
  auto global = lowered.lookupSymbol<LLVM::GlobalOp>(::ssmq::kSpirvSymbol);
  auto bytes = global ? dyn_cast_or_null<StringAttr>(global.getValueOrNull()) : nullptr;
  return bytes ? bytes.getValue() : StringRef();
}

namespace {

struct HostLaunches : public ssm::impl::HostLaunchesBase<HostLaunches> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(ssm::convertCopies(module)))
      return signalPassFailure();
    auto binaries = llvm::to_vector(module.getOps<gpu::BinaryOp>());
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    for (gpu::LaunchFuncOp launch : launches) {
      auto binary =
          SymbolTable::lookupNearestSymbolFrom<gpu::BinaryOp>(launch, launch.getKernelModuleName());
      if (!binary || binary.getObjects().size() != 1) {
        launch.emitError("the kernel has not been compiled; run --ssmq-compile-kernels first");
        return signalPassFailure();
      }
      convert(launch, cast<gpu::ObjectAttr>(binary.getObjects()[0]).getObject());
    }
    for (gpu::BinaryOp binary : binaries)
      binary.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }

  /// The address of a constant of bytes, made when it is first asked for.
  Value getBytes(ImplicitLocOpBuilder &b, StringRef name, StringRef bytes, unsigned alignment) {
    auto global = getOperation().lookupSymbol<LLVM::GlobalOp>(name);
    if (!global) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
      global = LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                                      b.getStringAttr(bytes), alignment);
    }
    return LLVM::AddressOfOp::create(b, global);
  }

  /// Numbers on the stack.
  static Value storeArray(ImplicitLocOpBuilder &b, ArrayRef<Value> numbers) {
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value count = LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(numbers.size()));
    Value array = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), count);
    for (auto [i, number] : llvm::enumerate(numbers)) {
      Value at = LLVM::GEPOp::create(b, pointer, b.getI64Type(), array,
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
      LLVM::StoreOp::create(b, number, at);
    }
    return array;
  }

  void convert(gpu::LaunchFuncOp launch, StringAttr spirv) {
    ImplicitLocOpBuilder b(launch.getLoc(), launch);
    auto i64 = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(value));
    };
    std::string name = launch.getKernelName().str();
    SmallVector<Value> sizes, arguments;
    gpu::KernelDim3 grid = launch.getGridSizeOperandValues(),
                    block = launch.getBlockSizeOperandValues();
    for (Value size : {grid.x, grid.y, grid.z, block.x, block.y, block.z})
      sizes.push_back(arith::IndexCastOp::create(b, b.getI64Type(), size));
    int64_t pointers = 0;
    for (auto [i, operand] : llvm::enumerate(launch.getKernelOperands())) {
      bool isPointer = isa<LLVM::LLVMPointerType>(operand.getType());
      pointers |= int64_t(isPointer) << i;
      arguments.push_back(
          isPointer ? LLVM::PtrToIntOp::create(b, b.getI64Type(), operand).getResult() : operand);
    }
    SmallVector<Value> operands = {
        getBytes(b, ::ssmq::kSpirvSymbol, spirv.getValue(), /*alignment=*/8),
        i64(spirv.getValue().size()),
        getBytes(b, "ssmq_name_" + name, StringRef(name.c_str(), name.size() + 1), 1),
        storeArray(b, sizes),
        storeArray(b, arguments),
        i64(arguments.size()),
        i64(pointers)};
    Type pointer = LLVM::LLVMPointerType::get(&getContext()), number = b.getI64Type();
    LLVM::LLVMFuncOp runtime =
        ssm::getRuntime(b, getOperation(), "ssmq_xe_launch",
                        {pointer, number, pointer, pointer, pointer, number, number});
    LLVM::CallOp::create(b, runtime, operands);
    launch.erase();
  }
};

} // namespace
