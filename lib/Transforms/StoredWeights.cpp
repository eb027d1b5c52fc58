//===- StoredWeights.cpp - Weights written in their formats ---------------===//

#include "StoredWeights.h"

#include "SiteFormats.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "ssmq/Analysis/WeightSources.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Reference/MoveDim.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/HalfFloat.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DType;
using ::ssmq::QuantizedTensor;
using ::ssmq::SiteKind;
using ::ssmq::Tensor;
using Load = ml_program::GlobalLoadConstOp;

/// Ops of the ssm dialect take weights in any float type and in codes.
static bool isReadBySSM(const Site &site) {
  return llvm::all_of(site.uses, [](OpOperand *use) {
    return isa_and_present<SSMDialect>(use->getOwner()->getDialect());
  });
}

static bool isFloatFormat(const ::ssmq::Format &format) {
  std::string spelling = format.getSpelling();
  return spelling == "f16" || spelling == "bf16";
}

/// f32 values that the type holds exactly.
static Tensor narrow(const Tensor &values, DType type) {
  Tensor result = Tensor::empty(type, values.getShape());
  auto *words = static_cast<uint16_t *>(result.getMutableRawData());
  llvm::transform(values.data<float>(), words,
                  type == DType::F16 ? ::ssmq::floatToHalf : ::ssmq::floatToBFloat);
  return result;
}

Expected<StoredWeight> mlir::ssm::storeWeight(const SiteChange &wanted, const Tensor &value,
                                              unsigned threads) {
  const Site &site = *wanted.site;
  const ::ssmq::Format &format = *wanted.format;
  StoredWeight result{&site, wanted.format, {}, {}, {}};
  auto at = [&](Error error) {
    return ::ssmq::makeError("site {0} as {1}: {2}", ::ssmq::quote(site.name), format.getSpelling(),
                             llvm::toString(std::move(error)));
  };
  if (site.kind == SiteKind::Weight && site.global && isReadBySSM(site) && format.hasCodes()) {
    Expected<QuantizedTensor> quantized = format.quantize(value, threads);
    if (!quantized)
      return at(quantized.takeError());
    result.quantized = std::move(*quantized);
    return result;
  }
  auto type = cast<RankedTensorType>(site.uses.front()->get().getType());
  if (!isReadBySSM(site) && !type.getElementType().isF32())
    return at(llvm::createStringError("only f32 weights of such an op can be stored"));
  Tensor channelsFirst = moveDim(value.toF32(), site.channelDim, 0);
  if (isFloatFormat(format) && isReadBySSM(site)) {
    Expected<Tensor> rounded = format.round(channelsFirst, site.getLayout(), nullptr, threads);
    if (!rounded)
      return at(rounded.takeError());
    result.floats = narrow(moveDim(*rounded, 0, site.channelDim),
                           format.getSpelling() == "f16" ? DType::F16 : DType::BF16);
    return result;
  }
  Expected<::ssmq::EncodedTensor> encoded =
      ::ssmq::encode(format, channelsFirst, site.getLayout(), threads);
  if (!encoded)
    return at(encoded.takeError());
  result.encoded = std::move(*encoded);
  return result;
}

WeightRewriter::WeightRewriter(ModuleOp module) : module(module), symbols(module) {
  // Loads that nobody reads would keep the old types of their globals.
  module.walk([](Load load) {
    if (load->use_empty())
      load->erase();
  });
}

void WeightRewriter::addTensor(ml_program::GlobalOp global, Tensor tensor) {
  tensors.push_back({global.getSymName().str(), std::move(tensor)});
}

static void setType(ml_program::GlobalOp global, RankedTensorType type) {
  global.setType(type);
  global.setValueAttr(ml_program::ExternAttr::get(global.getContext(), type));
}

ml_program::GlobalOp WeightRewriter::addGlobal(StringRef name, RankedTensorType type,
                                               Operation *behind) {
  OpBuilder builder(module.getContext());
  if (behind)
    builder.setInsertionPointAfter(behind);
  else
    builder.setInsertionPointToStart(module.getBody());
  auto global = ml_program::GlobalOp::create(
      builder, module.getLoc(), name, type, /*is_mutable=*/false,
      ml_program::ExternAttr::get(module.getContext(), type), builder.getStringAttr("private"));
  symbols.insert(global); // and gives it another name where this one is taken
  return global;
}

ml_program::GlobalOp WeightRewriter::takeGlobal(const Site &site, RankedTensorType type) {
  ml_program::GlobalOp global = site.global;
  if (auto load = site.uses.front()->get().getDefiningOp<Load>(); load && !global) {
    // Of a norm or a parameter; it may have readers that are no part of the site.
    auto known = symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference());
    std::optional<SymbolTable::UseRange> readers;
    if (known)
      readers = SymbolTable::getSymbolUses(known, module);
    bool isAlone = known && readers && llvm::hasSingleElement(*readers) &&
                   llvm::all_of(load->getUses(), [&](OpOperand &use) {
                     return llvm::is_contained(site.uses, &use);
                   });
    if (isAlone)
      global = known;
  }
  if (global) {
    setType(global, type);
    return global;
  }
  std::string name = site.name;
  llvm::replace(name, ':', '.');
  return addGlobal(name, type, /*behind=*/nullptr);
}

static Load addLoad(OpBuilder &builder, Location loc, ml_program::GlobalOp global) {
  return Load::create(builder, loc, global.getType(),
                      SymbolRefAttr::get(builder.getContext(), global.getSymName()));
}

LogicalResult WeightRewriter::rewriteQuantized(const StoredWeight &weight) {
  const QuantizedTensor &quantized = *weight.quantized;
  ml_program::GlobalOp global = weight.site->global;
  MLIRContext *context = module.getContext();
  unsigned bits = weight.format->getCodeBits();
  auto element = quant::AnyQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, bits), Float32Type::get(context),
      quant::QuantizedType::getDefaultMinimumForInteger(/*isSigned=*/true, bits),
      quant::QuantizedType::getDefaultMaximumForInteger(/*isSigned=*/true, bits));
  setType(global, cast<RankedTensorType>(global.getType()).clone(element));
  std::string name = global.getSymName().str();
  ArrayRef<int64_t> groups = quantized.scales.getShape();
  auto scales =
      addGlobal(name + "_scale", RankedTensorType::get(groups, Float16Type::get(context)), global);
  ml_program::GlobalOp zeroPoints;
  if (quantized.zeroPoints)
    zeroPoints = addGlobal(name + "_zero_point",
                           RankedTensorType::get(groups, IntegerType::get(context, 8)), global);
  for (Value value : weight.site->getValues()) {
    value.setType(global.getType());
    OpBuilder builder(context);
    builder.setInsertionPointAfterValue(value);
    Value scale = addLoad(builder, value.getLoc(), scales), zeros;
    if (zeroPoints)
      zeros = addLoad(builder, value.getLoc(), zeroPoints);
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses()))
      if (failed(cast<QuantizableOpInterface>(use.getOwner())
                     .setQuantizedWeight(value, scale, zeros, quantized.groupSize)))
        return use.getOwner()->emitOpError("cannot hold a quantized weight");
  }
  addTensor(global, ::ssmq::packCodes(quantized.codes, bits));
  addTensor(scales, quantized.scales);
  if (zeroPoints)
    addTensor(zeroPoints, quantized.zeroPoints);
  return success();
}

/// The op that comes first in the one block that defines all values; null when there are several.
static Operation *getFirst(ArrayRef<Value> values) {
  Operation *first = values.front().getDefiningOp();
  for (Value value : values) {
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != first->getBlock())
      return nullptr;
    if (op->isBeforeInBlock(first))
      first = op;
  }
  return first;
}

void WeightRewriter::rewriteOther(const StoredWeight &weight) {
  const Site &site = *weight.site;
  SmallVector<Value> values = site.getValues();
  for (Value value : values)
    for (Operation *source : findWeightSources(value))
      if (auto load = dyn_cast<Load>(source))
        if (Operation *global = symbols.lookup(load.getGlobal().getLeafReference()))
          globals.insert(global);
  for (Value value : values)
    replaced.push_back(value.getDefiningOp());

  MLIRContext *context = module.getContext();
  auto bytes = IntegerType::get(context, 8);
  auto valueType = cast<RankedTensorType>(values.front().getType());
  RankedTensorType type;
  if (weight.floats)
    type = valueType.clone(weight.floats.getDType() == DType::F16
                               ? static_cast<Type>(Float16Type::get(context))
                               : BFloat16Type::get(context));
  else
    type = RankedTensorType::get(weight.encoded->codes.getShape(), bytes);
  auto attribute = FormatAttr::get(context, weight.format->getSpelling());
  ml_program::GlobalOp global = takeGlobal(site, type), scales;
  global->setAttr(SSMDialect::kFormatAttrName, attribute);
  addTensor(global, weight.floats ? weight.floats : weight.encoded->codes);
  if (weight.encoded && weight.encoded->scales) {
    auto scalesType = RankedTensorType::get(weight.encoded->scales.getShape(), bytes);
    scales = addGlobal((global.getSymName() + "_scale").str(), scalesType, global);
    addTensor(scales, weight.encoded->scales);
  }
  auto load = [&](Value place) -> Value {
    OpBuilder builder(context);
    builder.setInsertionPointAfterValue(place);
    Value stored = addLoad(builder, place.getLoc(), global);
    if (!weight.encoded)
      return stored;
    Value scale = scales ? Value(addLoad(builder, place.getLoc(), scales)) : Value();
    return DequantizeOp::create(builder, place.getLoc(), valueType.clone(Float32Type::get(context)),
                                stored, scale, attribute, site.channelDim);
  };
  // One value for all uses where that is possible: of a tied head too.
  Operation *first = getFirst(values);
  Value shared = first ? load(first->getResult(0)) : Value();
  for (Value value : values) {
    Value stored = shared ? shared : load(value);
    for (OpOperand *use : site.uses)
      if (use->get() == value)
        use->set(stored);
  }
}

LogicalResult WeightRewriter::rewrite(const StoredWeight &weight) {
  if (weight.site->kind != SiteKind::Weight)
    setSiteFormat(*weight.site, nullptr); // the global or the op behind it has it now
  if (weight.quantized)
    return rewriteQuantized(weight);
  rewriteOther(weight);
  return success();
}

void WeightRewriter::removeDead() {
  llvm::SetVector<Operation *> worklist(replaced.begin(), replaced.end());
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        worklist.insert(source);
    op->erase();
  }
  for (Operation *global : globals)
    if (SymbolTable::symbolKnownUseEmpty(global, module))
      symbols.erase(global);
}
