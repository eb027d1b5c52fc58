//===- EntryABI.cpp - Entries take buffers and return nothing -------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_ENTRYABI
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

static MemRefType getBufferType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !MemRefType::isValidElementType(tensor.getElementType()))
    return nullptr;
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

/// Numbers of the arguments that hold states; failure when they do not match the results.
static FailureOr<SmallVector<unsigned>> getStateArguments(func::FuncOp function) {
  unsigned numArguments = function.getNumArguments(), numResults = function.getNumResults();
  SmallVector<unsigned> states;
  for (unsigned i = 0; i < numArguments; ++i)
    if (function.getArgAttr(i, ssm::SSMDialect::kStateAttrName))
      states.push_back(i);
  if (states.empty() && numResults <= numArguments)
    for (unsigned i = numArguments - (numResults - 1); i < numArguments; ++i)
      states.push_back(i);
  if (states.size() != numResults - 1)
    return function.emitError("returns ")
           << numResults - 1 << " states after its output, but takes " << states.size();
  for (auto [i, argument] : llvm::enumerate(states))
    if (function.getArgumentTypes()[argument] != function.getResultTypes()[i + 1])
      return function.emitError("argument ")
             << argument << " and result " << i + 1 << " are one state, but have the types "
             << function.getArgumentTypes()[argument] << " and "
             << function.getResultTypes()[i + 1];
  return states;
}

namespace {

struct EntryABI : public ssm::impl::EntryABIBase<EntryABI> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (usesTensors(function) && failed(convert(function)))
        return signalPassFailure();
  }

  static bool usesTensors(func::FuncOp function) {
    return llvm::any_of(
        llvm::concat<const Type>(function.getArgumentTypes(), function.getResultTypes()),
        [](Type type) { return isa<TensorType>(type); });
  }

  LogicalResult convert(func::FuncOp function) {
    if (function.isExternal() || function.isPrivate())
      return function.emitError("functions on tensors that are no entries must have been inlined");
    if (function.getNumResults() == 0)
      return function.emitError("an entry must return its output");
    if (!function.getBody().hasOneBlock())
      return function.emitError("an entry must be one block");
    FailureOr<SmallVector<unsigned>> states = getStateArguments(function);
    if (failed(states))
      return failure();
    for (Type type :
         llvm::concat<const Type>(function.getArgumentTypes(), function.getResultTypes()))
      if (!getBufferType(type))
        return function.emitError("an entry takes and returns ranked tensors of numbers, but here "
                                  "is ")
               << type;

    Block &body = function.getBody().front();
    auto terminator = cast<func::ReturnOp>(body.getTerminator());
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    for (BlockArgument argument : body.getArguments()) {
      Type tensorType = argument.getType();
      argument.setType(getBufferType(tensorType));
      auto tensor = bufferization::ToTensorOp::create(
          builder, argument.getLoc(), tensorType, argument, /*restrict=*/true,
          /*writable=*/llvm::is_contained(*states, argument.getArgNumber()));
      argument.replaceAllUsesExcept(tensor.getResult(), tensor);
    }

    builder.setInsertionPoint(terminator);
    Value output =
        body.addArgument(getBufferType(terminator.getOperand(0).getType()), terminator.getLoc());
    SmallVector<Value> destinations = {output};
    for (unsigned argument : *states)
      destinations.push_back(body.getArgument(argument));
    SmallVector<Value> sources;
    for (auto [source, destination] : llvm::zip_equal(terminator.getOperands(), destinations))
      sources.push_back(detach(builder, source, destination));
    for (auto [source, destination] : llvm::zip_equal(sources, destinations))
      bufferization::MaterializeInDestinationOp::create(builder, terminator.getLoc(), Type(),
                                                        source, destination, /*restrict=*/true,
                                                        /*writable=*/true);
    terminator.getOperandsMutable().clear();

    SmallVector<Type> inputs(body.getArgumentTypes());
    SmallVector<DictionaryAttr> attributes;
    function.getAllArgAttrs(attributes);
    attributes.resize(inputs.size(), DictionaryAttr::get(&getContext()));
    function.setType(FunctionType::get(&getContext(), inputs, {}));
    function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
    function.setAllArgAttrs(attributes);
    function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), UnitAttr::get(&getContext()));
    return success();
  }

  /// Results are written one after the other: one that may be (a view of) another state's old
  /// value is copied before any is written.
  Value detach(OpBuilder &builder, Value source, Value destination) {
    Operation *definition = source.getDefiningOp();
    if (auto argument = dyn_cast<bufferization::ToTensorOp>(definition))
      if (argument.getBuffer() == destination)
        return source;
    if (!isa<bufferization::ToTensorOp>(definition) &&
        !isa<tensor::TensorDialect>(definition->getDialect()))
      return source;
    auto type = cast<RankedTensorType>(source.getType());
    return bufferization::AllocTensorOp::create(builder, source.getLoc(), type, ValueRange(),
                                                source);
  }
};

} // namespace
