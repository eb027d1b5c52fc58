//===- ProgramSignature.cpp - What a program takes and gives --------------===//

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Dialect/SSM/Utils/ElementType.h"
#include <cmath>

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

static int64_t countIds(mlir::FunctionOpInterface function, int64_t vocabSize) {
  int64_t count = vocabSize;
  if (!function.isExternal())
    for (mlir::Operation *user : function.getArgument(0).getUsers())
      if (auto embedding = mlir::dyn_cast<mlir::ssm::EmbeddingOp>(user))
        count = std::min(count, mlir::ssm::getNumRows(embedding));
  return count;
}

Expected<ProgramSignature> ssmq::readSignature(mlir::ModuleOp module) {
  auto function = mlir::dyn_cast_or_null<mlir::FunctionOpInterface>(module.lookupSymbol("forward"));
  if (!function)
    return createStringError("the module has no function @forward; import a checkpoint first");

  llvm::ArrayRef<mlir::Type> arguments = function.getArgumentTypes();
  llvm::ArrayRef<mlir::Type> results = function.getResultTypes();
  bool bufferized = results.empty();
  auto inputs = arguments.empty() ? nullptr : mlir::dyn_cast<mlir::ShapedType>(arguments.front());
  bool isRanked = inputs && inputs.hasRank();
  bool readsTokens =
      isRanked && inputs.getRank() == 1 && inputs.getElementType().isSignlessInteger(32);
  bool readsFeatures = isRanked && inputs.getRank() == 2 && inputs.getElementType().isF32() &&
                       !inputs.isDynamicDim(1) && inputs.getDimSize(1) > 0;
  if ((!readsTokens && !readsFeatures) || (bufferized && arguments.size() < 2))
    return createStringError("@forward must take tokens, a 1-D tensor or memref of i32, or "
                             "features, a 2-D one of f32, first");

  auto logits = mlir::dyn_cast<mlir::ShapedType>(bufferized ? arguments.back() : results.front());
  if (!logits || !logits.hasRank() || logits.getRank() != 2 || !logits.getElementType().isF32() ||
      logits.isDynamicDim(1) || logits.getDimSize(1) < 1 ||
      logits.getDimSize(1) > std::numeric_limits<int32_t>::max())
    return createStringError(
        "@forward must give logits of type f32 and shape steps x vocabulary or 1 x classes");

  unsigned numStates = arguments.size() - 1 - bufferized;
  if (!bufferized && results.size() != numStates + 1)
    return createStringError("@forward takes %u states and returns %zu", numStates,
                             results.size() - 1);

  ProgramSignature signature;
  signature.vocabSize = logits.getDimSize(1);
  signature.numIds = countIds(function, signature.vocabSize);
  signature.numFeatures = readsFeatures ? inputs.getDimSize(1) : 0;
  signature.isClassifier =
      !logits.isDynamicDim(0) && logits.getDimSize(0) == 1 && inputs.getShape().front() != 1;
  if (!inputs.isDynamicDim(0))
    signature.numTokens = inputs.getDimSize(0);
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

Error ssmq::checkInputs(const ProgramSignature &signature, const Tensor &inputs) {
  if (signature.numFeatures) {
    if (inputs.getDType() != DType::F32 || inputs.getRank() != 2 ||
        inputs.getDim(1) != signature.numFeatures)
      return createStringError("the program reads features, f32 [steps, %lld], not tokens or other "
                               "features",
                               static_cast<long long>(signature.numFeatures));
    for (float value : inputs.data<float>())
      if (!std::isfinite(value))
        return createStringError("a feature is not finite");
  } else {
    if (inputs.getDType() != DType::I32 || inputs.getRank() != 1)
      return createStringError("the program reads tokens, i32 [steps], not features");
    for (int32_t token : inputs.data<int32_t>())
      if (token < 0 || token >= signature.numIds)
        return createStringError("token %d is outside the vocabulary of %lld", token,
                                 static_cast<long long>(signature.numIds));
  }
  if (signature.numTokens && inputs.getDim(0) != *signature.numTokens)
    return createStringError("@forward takes exactly %lld tokens at a time, not %lld",
                             static_cast<long long>(*signature.numTokens),
                             static_cast<long long>(inputs.getDim(0)));
  return Error::success();
}

Error ssmq::checkFeed(const ProgramSignature &signature, const Tensor &inputs,
                      const ProgramState &state) {
  if (Error error = checkInputs(signature, inputs))
    return error;
  int64_t numSteps = inputs.getDim(0);
  if (state.length < 0 || state.length > state.capacity || numSteps > state.capacity - state.length)
    return createStringError("%lld tokens after %lld do not fit a state made for %lld; create it "
                             "with a larger capacity",
                             static_cast<long long>(numSteps), static_cast<long long>(state.length),
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
