//===- ForwardBuilder.cpp - Builds @forward from weights ------------------===//

#include "ForwardBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ThreadPool.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::ssm;

int64_t mlir::ssm::getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

static Type getElementType(Builder &builder, ::ssmq::DType type) {
  switch (type) {
  case ::ssmq::DType::F32: return builder.getF32Type();
  case ::ssmq::DType::F16: return builder.getF16Type();
  case ::ssmq::DType::BF16: return builder.getBF16Type();
  default: return nullptr;
  }
}

static std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(shape, os);
  return text + "]";
}

ForwardBuilder::ForwardBuilder(MLIRContext *context, const ::ssmq::WeightStore &weights,
                               StringRef directory, int64_t numFeatures)
    : builder(context), weights(weights) {
  context->loadDialect<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                       math::MathDialect, ml_program::MLProgramDialect, tensor::TensorDialect,
                       SSMDialect>();
  Location unknown = builder.getUnknownLoc();
  module = ModuleOp::create(unknown);
  // The module may be used from another working directory.
  SmallString<256> absolute(directory);
  llvm::sys::fs::make_absolute(absolute);
  module.get()->setAttr(SSMDialect::kCheckpointAttrName, builder.getStringAttr(absolute));
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, unknown, "forward", builder.getFunctionType({}, {}));
  entry = function.addEntryBlock();
  Type i32 = builder.getI32Type();
  entry->addArgument(
      numFeatures ? RankedTensorType::get({ShapedType::kDynamic, numFeatures}, builder.getF32Type())
                  : RankedTensorType::get({ShapedType::kDynamic}, i32),
      unknown);
  builder.setInsertionPointToEnd(entry);
  numTokens = tensor::DimOp::create(builder, unknown, getInputs(), 0);
  addState("position", {}, i32);
}

void ForwardBuilder::enter(const Twine &newPath) { path = newPath.str(); }

std::string ForwardBuilder::pathOf(StringRef name) const {
  if (path.empty() || name.empty())
    return path + name.str();
  return path + "." + name.str();
}

StringAttr ForwardBuilder::pathAttr(StringRef name) { return builder.getStringAttr(pathOf(name)); }

Location ForwardBuilder::locationOf(StringRef name) {
  std::string full = pathOf(name);
  if (full.empty())
    return builder.getUnknownLoc();
  return NameLoc::get(builder.getStringAttr(full));
}

void ForwardBuilder::fail(const Twine &message) {
  if (numErrors++ == 0)
    firstError = message.str();
}

//===----------------------------------------------------------------------===//
// Weights and states
//===----------------------------------------------------------------------===//

RankedTensorType ForwardBuilder::resolve(StringRef name, ArrayRef<int64_t> shape) {
  Type elementType;
  auto found = weights.lookup(name);
  if (!found) {
    fail(llvm::toString(found.takeError()));
  } else {
    elementType = getElementType(builder, found->getDType());
    if (found->getShape() != shape)
      fail("tensor " + ::ssmq::quote(name) + " has shape " + formatShape(found->getShape()) +
           ", but config.json implies " + formatShape(shape));
    else if (!elementType)
      fail("tensor " + ::ssmq::quote(name) + " holds " + getName(found->getDType()) +
           ", but weights must be f32, f16 or bf16");
  }
  return RankedTensorType::get(shape, elementType ? elementType : builder.getF32Type());
}

Value ForwardBuilder::weight(StringRef name, ArrayRef<int64_t> shape) {
  std::string full = pathOf(name);
  Value &value = loaded[full];
  if (value)
    return value;
  RankedTensorType type = resolve(full, shape);
  Location loc = NameLoc::get(builder.getStringAttr(full));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(function);
    ml_program::GlobalOp::create(builder, loc, full, type, /*is_mutable=*/false,
                                 ml_program::ExternAttr::get(builder.getContext(), type),
                                 builder.getStringAttr("private"));
  }
  value = ml_program::GlobalLoadConstOp::create(builder, loc, type,
                                                SymbolRefAttr::get(builder.getContext(), full));
  return value;
}

Value ForwardBuilder::wideWeight(StringRef name, ArrayRef<int64_t> shape) {
  Value narrow = weight(name, shape);
  auto type = cast<RankedTensorType>(narrow.getType());
  if (type.getElementType().isF32())
    return narrow;
  return arith::ExtFOp::create(builder, locationOf(name), type.clone(builder.getF32Type()), narrow);
}

Value ForwardBuilder::addState(StringRef name, ArrayRef<int64_t> shape, Type elementType) {
  stateNames.push_back(pathOf(name));
  nextStates.push_back(nullptr);
  return entry->addArgument(RankedTensorType::get(shape, elementType), locationOf(name));
}

void ForwardBuilder::setNext(Value state, Value next) {
  // Tokens come before the states.
  nextStates[cast<BlockArgument>(state).getArgNumber() - 1] = next;
}

Value ForwardBuilder::nextPosition() {
  Location loc = builder.getUnknownLoc();
  Value count = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), numTokens);
  Value scalar = tensor::FromElementsOp::create(
      builder, loc, RankedTensorType::get({}, builder.getI32Type()), count);
  return arith::AddIOp::create(builder, loc, getPosition(), scalar);
}

LogicalResult ForwardBuilder::checkWeights() {
  if (numErrors > 0) {
    InFlightDiagnostic diagnostic = emitError(builder.getUnknownLoc()) << firstError;
    if (numErrors > 1)
      diagnostic << " (and " << numErrors - 1 << " more tensors that are missing or do not fit)";
    return diagnostic;
  }
  if (auto error = weights.checkFinite(builder.getContext()->getNumThreads()))
    return emitError(builder.getUnknownLoc(), llvm::toString(std::move(error)));
  SmallVector<StringRef> unused;
  llvm::copy_if(weights.getNames(), std::back_inserter(unused),
                [&](StringRef name) { return !loaded.contains(name); });
  if (!unused.empty())
    emitRemark(builder.getUnknownLoc())
        << unused.size() << " tensors of the checkpoint are not used, the first is "
        << ::ssmq::quote(unused.front());
  return success();
}

FailureOr<OwningOpRef<ModuleOp>> ForwardBuilder::finish(Value logits) {
  enter("");
  if (!nextStates.front())
    setNext(getPosition(), nextPosition());
  SmallVector<Value> results = {logits};
  llvm::append_range(results, nextStates);
  func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
  function.setType(
      builder.getFunctionType(entry->getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [i, name] : llvm::enumerate(stateNames))
    function.setArgAttr(i + 1, SSMDialect::kStateAttrName, builder.getStringAttr(name));
  if (failed(checkWeights()) || failed(verify(*module)))
    return failure();
  return std::move(module);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Value ForwardBuilder::embedding(StringRef name, int64_t rows, int64_t columns) {
  Value table = weight((name + ".weight").str(), {rows, columns});
  return EmbeddingOp::create(builder, locationOf(name), getInputs(), table, /*scales=*/nullptr,
                             /*zero_points=*/nullptr, /*group_size=*/nullptr,
                             /*packed_bits=*/nullptr, /*tile_rows=*/nullptr, /*rows=*/nullptr,
                             /*columns=*/nullptr, pathAttr(name));
}

Value ForwardBuilder::linear(StringRef name, Value input, int64_t outputs, bool bias) {
  Value matrix = weight((name + ".weight").str(), {outputs, getWidth(input)});
  Value offset = bias ? weight((name + ".bias").str(), {outputs}) : nullptr;
  return LinearOp::create(builder, locationOf(name), input, matrix, /*scales=*/nullptr,
                          /*zero_points=*/nullptr, offset, /*group_size=*/nullptr,
                          /*packed_bits=*/nullptr, /*tile_rows=*/nullptr, /*rows=*/nullptr,
                          pathAttr(name));
}

/// Like transformers, which ties only what is equal when a checkpoint has both tables.
bool ForwardBuilder::hasOwnHead(StringRef embedding) const {
  if (!weights.contains("lm_head.weight"))
    return false;
  auto own = weights.lookup("lm_head.weight"),
       shared = weights.lookup((embedding + ".weight").str());
  if (!own || !shared) {
    llvm::consumeError(llvm::joinErrors(own.takeError(), shared.takeError()));
    return true;
  }
  return own->getDType() != shared->getDType() || own->getShape() != shared->getShape() ||
         std::memcmp(own->getRawData(), shared->getRawData(), own->getNumBytes()) != 0;
}

Value ForwardBuilder::head(Value input, int64_t vocabSize, bool tied, StringRef embedding) {
  enter("");
  if (!tied || hasOwnHead(embedding))
    return linear("lm_head", input, vocabSize, /*bias=*/false);
  Value matrix = weight((embedding + ".weight").str(), {vocabSize, getWidth(input)});
  return LinearOp::create(builder, locationOf("lm_head"), input, matrix, /*scales=*/nullptr,
                          /*zero_points=*/nullptr, /*bias=*/nullptr, /*group_size=*/nullptr,
                          /*packed_bits=*/nullptr, /*tile_rows=*/nullptr, /*rows=*/nullptr,
                          pathAttr("lm_head"));
}

Value ForwardBuilder::rmsNorm(StringRef name, Value input, float eps, int64_t groups) {
  Value scales = weight((name + ".weight").str(), {getWidth(input)});
  return RMSNormOp::create(builder, locationOf(name), input, scales, APFloat(eps), groups,
                           pathAttr(name));
}

Value ForwardBuilder::layerNorm(StringRef name, Value input, float eps) {
  Value scales = weight((name + ".weight").str(), {getWidth(input)});
  Value offsets = weight((name + ".bias").str(), {getWidth(input)});
  return LayerNormOp::create(builder, locationOf(name), input, scales, offsets, APFloat(eps),
                             pathAttr(name));
}

Value ForwardBuilder::causalConv1d(StringRef name, Value input, int64_t taps, bool bias) {
  int64_t channels = getWidth(input);
  Value filter = weight((name + ".weight").str(), {channels, 1, taps});
  Value offset = bias ? weight((name + ".bias").str(), {channels}) : nullptr;
  Value state = addState("conv", {taps - 1, channels}, builder.getF32Type());
  auto op = CausalConv1dOp::create(builder, locationOf(name), input, filter, /*scales=*/nullptr,
                                   /*zero_points=*/nullptr, offset, state, /*group_size=*/nullptr,
                                   /*packed_bits=*/nullptr, /*state_format=*/nullptr,
                                   /*state_ranges=*/nullptr, pathAttr(name));
  setNext(state, op.getNextState());
  return op.getResult();
}

Value ForwardBuilder::selectiveScan(Value input, Value dt, Value a, Value b, Value c, Value d) {
  Value state = addState("scan", {getWidth(input), getWidth(b)}, builder.getF32Type());
  auto op = SelectiveScanOp::create(builder, locationOf("scan"), input, dt, a, b, c, d, state,
                                    /*state_scales=*/nullptr, /*state_format=*/nullptr,
                                    /*state_ranges=*/nullptr, pathAttr("scan"));
  setNext(state, op.getNextState());
  return op.getResult();
}

Value ForwardBuilder::ssdScan(Value input, Value dt, Value a, Value b, Value c, Value d,
                              int64_t stateSize) {
  int64_t heads = getWidth(dt);
  Value state = addState("scan", {heads, getWidth(input) / heads, stateSize}, builder.getF32Type());
  auto op = SSDScanOp::create(builder, locationOf("scan"), input, dt, a, b, c, d, state,
                              /*state_scales=*/nullptr, /*state_format=*/nullptr,
                              /*state_ranges=*/nullptr, pathAttr("scan"));
  setNext(state, op.getNextState());
  return op.getResult();
}

Value ForwardBuilder::diagonalScan(Value input, Value a, Value b, Value c, Value d) {
  auto shape = cast<RankedTensorType>(a.getType()).getShape();
  Location loc = locationOf("");
  auto join = [&](Value value) -> Value {
    return tensor::CollapseShapeOp::create(builder, loc, value,
                                           ArrayRef<ReassociationIndices>{{0}, {1, 2}});
  };
  Value state = addState("state", {shape[0], 2 * shape[1]}, builder.getF32Type());
  auto op = DiagonalScanOp::create(builder, loc, input, join(a), join(b), join(c), d, state,
                                   /*state_scales=*/nullptr, /*state_format=*/nullptr,
                                   /*state_ranges=*/nullptr, pathAttr(""), /*stable=*/false);
  setNext(state, op.getNextState());
  return op.getResult();
}

Value ForwardBuilder::attention(Value query, Value key, Value value, int64_t headDim, float scale) {
  SmallVector<int64_t> shape = {ShapedType::kDynamic, getWidth(key)};
  Value keyCache = addState("key", shape, builder.getF32Type());
  Value valueCache = addState("value", shape, builder.getF32Type());
  auto op = AttentionOp::create(builder, locationOf(""), query, key, value, keyCache, valueCache,
                                getPosition(), headDim, APFloat(scale), /*window=*/0, pathAttr(""));
  setNext(keyCache, op.getNextKeyCache());
  setNext(valueCache, op.getNextValueCache());
  return op.getResult();
}

Value ForwardBuilder::rotary(Value input, int64_t headDim, int64_t rotaryDim, float theta) {
  return RotaryOp::create(builder, locationOf(""), input, getPosition(), headDim, rotaryDim,
                          APFloat(theta));
}
