//===- ProgramSignature.cpp - What a program takes and gives --------------===//

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/ElementType.h"

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

static Expected<StateSignature> readState(mlir::FunctionOpInterface function, unsigned index) {
  StateSignature state;
  if (auto name =
          function.getArgAttrOfType<mlir::StringAttr>(index, mlir::ssm::SSMDialect::kStateAttrName))
    state.name = name.str();
  else
    state.name = "state" + std::to_string(index - 1);

  auto shaped = mlir::dyn_cast<mlir::ShapedType>(function.getArgumentTypes()[index]);
  std::optional<DType> type = shaped ? getElementType(shaped.getElementType()) : std::nullopt;
  if (!shaped || !shaped.hasRank() || !type)
    return createStringError("state '%s' of @forward must be a ranked tensor or memref of i8, i16, "
                             "i32, i64, f16, bf16, f32 or f64",
                             state.name.c_str());
  state.type = *type;
  state.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  // Only the dynamic dimensions wait for the capacity; the rest must fit memory by itself.
  if (!getCheckedNumBytes(state.type, getStateShape(state, 0)) ||
      !getCheckedNumBytes(state.type, getStateShape(state, 1)))
    return createStringError("state '%s' of @forward is too large", state.name.c_str());
  return state;
}

Expected<ProgramSignature> ssmq::readSignature(mlir::ModuleOp module) {
  auto function = mlir::dyn_cast_or_null<mlir::FunctionOpInterface>(module.lookupSymbol("forward"));
  if (!function)
    return createStringError("the module has no function @forward; import a checkpoint first");

  llvm::ArrayRef<mlir::Type> arguments = function.getArgumentTypes();
  llvm::ArrayRef<mlir::Type> results = function.getResultTypes();
  bool bufferized = results.empty();
  auto tokens = arguments.empty() ? nullptr : mlir::dyn_cast<mlir::ShapedType>(arguments.front());
  if (!tokens || !tokens.hasRank() || tokens.getRank() != 1 ||
      !tokens.getElementType().isSignlessInteger(32) || (bufferized && arguments.size() < 2))
    return createStringError("@forward must take tokens, a 1-D tensor or memref of i32, first");

  auto logits = mlir::dyn_cast<mlir::ShapedType>(bufferized ? arguments.back() : results.front());
  if (!logits || !logits.hasRank() || logits.getRank() != 2 || !logits.getElementType().isF32() ||
      logits.isDynamicDim(1) || logits.getDimSize(1) < 1 ||
      logits.getDimSize(1) > std::numeric_limits<int32_t>::max())
    return createStringError("@forward must give logits of type f32 and shape tokens x vocabulary");

  unsigned numStates = arguments.size() - 1 - bufferized;
  if (!bufferized && results.size() != numStates + 1)
    return createStringError("@forward takes %u states and returns %zu", numStates,
                             results.size() - 1);

  ProgramSignature signature;
  signature.vocabSize = logits.getDimSize(1);
  if (!tokens.isDynamicDim(0))
    signature.numTokens = tokens.getDimSize(0);
  for (unsigned i = 0; i < numStates; ++i) {
    Expected<StateSignature> state = readState(function, i + 1);
    if (!state)
      return state.takeError();
    signature.states.push_back(std::move(*state));
  }
  return signature;
}

Shape ssmq::getStateShape(const StateSignature &state, int64_t capacity) {
  Shape shape = state.shape;
  for (int64_t &dim : shape)
    if (mlir::ShapedType::isDynamic(dim))
      dim = capacity;
  return shape;
}

Expected<ProgramState> ssmq::createZeroState(const ProgramSignature &signature, int64_t capacity) {
  ProgramState state;
  state.capacity = capacity;
  if (capacity < 0)
    return createStringError("the capacity is %lld tokens; it cannot be negative",
                             static_cast<long long>(capacity));
  for (const StateSignature &one : signature.states) {
    Shape shape = getStateShape(one, capacity);
    if (!getCheckedNumBytes(one.type, shape))
      return createStringError(
          "state '%s' is too large for %lld tokens; ask for a smaller capacity", one.name.c_str(),
          static_cast<long long>(capacity));
    state.values.push_back(Tensor::zeros(one.type, shape));
  }
  return state;
}

Error ssmq::checkFeed(const ProgramSignature &signature, llvm::ArrayRef<int32_t> tokens,
                      const ProgramState &state) {
  if (signature.numTokens && static_cast<int64_t>(tokens.size()) != *signature.numTokens)
    return createStringError("@forward takes exactly %lld tokens at a time, not %zu",
                             static_cast<long long>(*signature.numTokens), tokens.size());
  for (int32_t token : tokens)
    if (token < 0 || token >= signature.vocabSize)
      return createStringError("token %d is outside the vocabulary of %lld", token,
                               static_cast<long long>(signature.vocabSize));
  if (state.length < 0 || state.length > state.capacity ||
      static_cast<int64_t>(tokens.size()) > state.capacity - state.length)
    return createStringError("%zu tokens after %lld do not fit a state made for %lld; create it "
                             "with a larger capacity",
                             tokens.size(), static_cast<long long>(state.length),
                             static_cast<long long>(state.capacity));
  if (state.values.size() != signature.states.size())
    return createStringError("the state has %zu values and the program %zu", state.values.size(),
                             signature.states.size());
  for (auto [value, expected] : llvm::zip_equal(state.values, signature.states))
    if (!value || value.getDType() != expected.type ||
        value.getShape() != llvm::ArrayRef<int64_t>(getStateShape(expected, state.capacity)))
      return createStringError("state '%s' is not of this program; make it by createState",
                               expected.name.c_str());
  return Error::success();
}
