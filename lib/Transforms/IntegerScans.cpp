//===- IntegerScans.cpp - Diagonal scans in integers ----------------------===//

#include "RewrittenCheckpoint.h"
#include "UnusedWeights.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Kernels/IntegerDiagonalScan.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/KernelWeights.h"
#include "ssmq/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_INTEGERSCANSPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Expected;
using ::ssmq::IntegerScanHead;
using ::ssmq::LazyTensor;
using ::ssmq::makeError;
using ::ssmq::Tensor;
using Load = ml_program::GlobalLoadConstOp;

namespace {

/// a, b or c in integer codes.
struct Parameter {
  Load load;
  /// Of a code as the scan reads it, 4 or 8; whether they lie so in the checkpoint.
  int64_t bits = 8;
  bool isStoredSo = false;
  /// A byte a code, heads x 2N.
  Tensor codes;
  /// Views of `codes`.
  SmallVector<IntegerScanHead::Codes> heads;
};

/// A state that an argument of the function brings and its return takes.
struct State {
  BlockArgument argument;
  func::ReturnOp terminator;
  unsigned position = 0;
  SmallVector<::ssmq::RunGrid> heads;
};

class IntegerScanFormer {
public:
  IntegerScanFormer(ModuleOp module, const WeightLookup &lookup)
      : module(module), symbols(module), lookup(lookup) {}

  FailureOr<std::vector<LazyTensor>> formAll(bool explain);

private:
  /// Fails, changing nothing, with the reason why the scan stays as it is.
  llvm::Error form(DiagonalScanOp op);
  Expected<FakeQuantizeOp> getInput(DiagonalScanOp op);
  Expected<Parameter> getParameter(DiagonalScanOp op, StringRef name, Value value);
  Expected<State> getState(DiagonalScanOp op);
  /// A load of a new weight.
  Value addWeight(OpBuilder &builder, Location loc, const Twine &name, const Tensor &value);
  Value getCodes(OpBuilder &builder, Parameter &parameter);

  ModuleOp module;
  SymbolTable symbols;
  const WeightLookup &lookup;
  std::vector<LazyTensor> made;
};

class IntegerScansPass : public mlir::ssm::impl::IntegerScansPassBase<IntegerScansPass> {
public:
  using Base::Base;

  void runOnOperation() override {
    LogicalResult result = rewriteCheckpoint(
        getOperation(), {getArgument(), output, checkpoint, /*threads=*/1},
        [&](const ::ssmq::WeightStore &store, unsigned) {
          return formIntegerScans(
              getOperation(), [&](StringRef name) { return store.lookup(name); }, explain);
        });
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace

static int64_t getNumHeads(DiagonalScanOp op) { return op.getState().getType().getDimSize(0); }

/// The scale of each head, from those of a format that shares them within heads or among all.
static bool isOfHeads(const ::ssmq::Format &format, const ::ssmq::ValueLayout &layout,
                      int64_t heads) {
  Expected<::ssmq::Runs> runs = format.getRuns(layout);
  if (!runs) {
    llvm::consumeError(runs.takeError());
    return false;
  }
  return runs->getNumScales() == 1 || runs->getNumScales() == heads;
}

static bool isOfBytes(const ::ssmq::Format &format) {
  return format.getNumerics().getInteger() && format.getNumerics().getCodeBits() <= 8;
}

Expected<FakeQuantizeOp> IntegerScanFormer::getInput(DiagonalScanOp op) {
  auto rounded = op.getInput().getDefiningOp<FakeQuantizeOp>();
  if (!rounded)
    return makeError("its input is not rounded");
  FormatAttr format = rounded.getFormat();
  bool isStatic = format.getFormat()->needsRanges() &&
                  format.getFormat()->getSharing().kind == ::ssmq::Sharing::PerTensor;
  if (!isStatic || !QuantizeOp::canQuantize(format, getNumHeads(op), getNumHeads(op)))
    return makeError("its input is in '{0}', not in static integers per tensor of at most 8 bits "
                     "(asymmetric: 7)",
                     format.getSpelling());
  return rounded;
}

Expected<Parameter> IntegerScanFormer::getParameter(DiagonalScanOp op, StringRef name,
                                                    Value value) {
  int64_t heads = getNumHeads(op), width = op.getState().getType().getDimSize(1);
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return makeError("its {0} is not in codes", name);
  std::shared_ptr<const ::ssmq::Format> format = dequantize.getFormat().getFormat();
  auto scales = dequantize.getScales() ? dequantize.getScales().getDefiningOp<Load>() : Load();
  Parameter parameter;
  parameter.load = dequantize.getCodes().getDefiningOp<Load>();
  ::ssmq::ValueLayout layout = dequantize.getLayout();
  if (!isOfBytes(*format) || !isOfHeads(*format, layout, heads) || !parameter.load || !scales ||
      dequantize.getChannelDim() != 0)
    return makeError("its {0} is in '{1}', not in integers per head or tensor of at most 8 bits",
                     name, dequantize.getFormat().getSpelling());
  FailureOr<Tensor> packed = getWeightValue(parameter.load, lookup);
  FailureOr<Tensor> grids = getWeightValue(scales, lookup);
  if (failed(packed) || failed(grids))
    return makeError("its {0} cannot be read", name);

  const ::ssmq::Numerics &numerics = format->getNumerics();
  unsigned bits = numerics.getCodeBits();
  parameter.bits = bits <= 4 ? 4 : 8;
  parameter.isStoredSo = bits == parameter.bits && layout.rows == heads;
  parameter.codes = ::ssmq::unpackCodes(*packed, {layout.rows, layout.columns}, bits);
  auto *bytes = static_cast<const uint8_t *>(grids->getRawData());
  int lowest = -(1 << (bits - 1));
  for (int64_t head = 0; head < heads; ++head) {
    int64_t scale = grids->getDim(0) == 1 ? 0 : head;
    ::ssmq::RunGrid grid = numerics.loadGrid(bytes + scale * grids->getDim(1));
    int zero = numerics.isAsymmetric() ? lowest - static_cast<int>(grid.lowCode) : 0;
    parameter.heads.push_back(
        {parameter.codes.data<int8_t>().slice(head * width, width), zero, grid.scale});
  }
  return parameter;
}

Expected<State> IntegerScanFormer::getState(DiagonalScanOp op) {
  FormatAttr attribute = op.getStateFormatAttr();
  std::shared_ptr<const ::ssmq::Format> format = attribute ? attribute.getFormat() : nullptr;
  if (!format || !isOfBytes(*format) || !format->needsRanges() ||
      !isOfHeads(*format, getStateLayout(op), getNumHeads(op)))
    return makeError("its state is in '{0}', not in static integers per head or tensor of at most "
                     "8 bits",
                     attribute ? attribute.getSpelling() : "f32");
  State state;
  state.argument = dyn_cast<BlockArgument>(op.getState());
  Value next = op.getNextState();
  OpOperand *use = next.hasOneUse() ? &*next.use_begin() : nullptr;
  state.terminator = use ? dyn_cast<func::ReturnOp>(use->getOwner()) : func::ReturnOp();
  auto function =
      state.argument ? dyn_cast<func::FuncOp>(state.argument.getOwner()->getParentOp()) : nullptr;
  if (!function || !state.terminator || !state.argument.hasOneUse() ||
      !function.getBody().hasOneBlock() || !symbols.symbolKnownUseEmpty(function, module))
    return makeError("its state is not one of @forward");
  state.position = use->getOperandNumber();
  std::vector<::ssmq::RunGrid> grids = ::ssmq::fitGrids(*format, *op.getStateRanges());
  for (int64_t head = 0; head < getNumHeads(op); ++head)
    state.heads.push_back(grids[grids.size() == 1 ? 0 : head]);
  return state;
}

Value IntegerScanFormer::addWeight(OpBuilder &builder, Location loc, const Twine &name,
                                   const Tensor &value) {
  Type element = builder.getI8Type();
  if (value.getDType() != ::ssmq::DType::I8)
    element = value.getDType() == ::ssmq::DType::I32 ? Type(builder.getI32Type())
                                                     : Type(builder.getF32Type());
  auto type = RankedTensorType::get(value.getShape(), element);
  OpBuilder top(module.getBodyRegion());
  auto global = ml_program::GlobalOp::create(top, loc, name.str(), type, /*is_mutable=*/false,
                                             ml_program::ExternAttr::get(module.getContext(), type),
                                             top.getStringAttr("private"));
  StringAttr symbol = symbols.insert(global);
  made.push_back(::ssmq::makeLazy({symbol.str(), value}));
  return Load::create(builder, loc, type, SymbolRefAttr::get(symbol));
}

Value IntegerScanFormer::getCodes(OpBuilder &builder, Parameter &parameter) {
  if (parameter.isStoredSo)
    return parameter.load.getResult();
  Tensor codes = parameter.bits == 4 ? ::ssmq::packCodes(parameter.codes, 4) : parameter.codes;
  return addWeight(builder, parameter.load->getLoc(),
                   parameter.load.getGlobal().getLeafReference().getValue() + ".bytes", codes);
}

llvm::Error IntegerScanFormer::form(DiagonalScanOp op) {
  Expected<FakeQuantizeOp> input = getInput(op);
  if (!input)
    return input.takeError();
  SmallVector<Parameter, 3> parameters;
  for (auto [name, value] :
       {std::pair<StringRef, Value>("a", op.getA()), {"b", op.getB()}, {"c", op.getC()}}) {
    Expected<Parameter> parameter = getParameter(op, name, value);
    if (!parameter)
      return parameter.takeError();
    parameters.push_back(std::move(*parameter));
  }
  Expected<State> state = getState(op);
  if (!state)
    return state.takeError();
  if (!op.getD())
    return makeError("it has no skip, which tells of inputs that are not finite");

  int64_t heads = getNumHeads(op);
  float inputScale =
      ::ssmq::fitGrids(*input->getFormat().getFormat(), *input->getRanges()).front().scale;
  Tensor constants = Tensor::empty(::ssmq::DType::I32, {heads, IntegerDiagonalScanOp::kConstants});
  Tensor outputScales = Tensor::empty(::ssmq::DType::F32, {heads});
  for (int64_t head = 0; head < heads; ++head) {
    const ::ssmq::RunGrid &grid = state->heads[head];
    Expected<::ssmq::IntegerScanConstants> fitted = ::ssmq::fitIntegerScan(
        {parameters[0].heads[head], parameters[1].heads[head], parameters[2].heads[head],
         inputScale, grid.scale, static_cast<int>(grid.lowCode), static_cast<int>(grid.highCode)});
    if (!fitted)
      return makeError("head {0}: {1}", head, llvm::toString(fitted.takeError()));
    llvm::copy(fitted->values,
               constants.mutableData<int32_t>().begin() + head * IntegerDiagonalScanOp::kConstants);
    outputScales.mutableData<float>()[head] = fitted->outputScale;
  }

  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type stateType = op.getState().getType().clone(builder.getI8Type());
  state->argument.setType(stateType);
  StringRef path = op.getSitePath();
  std::string base = (path.empty() ? "scan" : path).str();
  auto codes = QuantizeOp::create(builder, input->getLoc(), input->getInput(), input->getFormat(),
                                  /*groupSize=*/heads, /*block=*/4, input->getRangesAttr());
  SmallVector<Value> bytes;
  for (Parameter &parameter : parameters)
    bytes.push_back(getCodes(builder, parameter));
  Value constantsValue = addWeight(builder, loc, base + ".constants", constants);
  Value scalesValue = addWeight(builder, loc, base + ".output_scales", outputScales);
  auto scan = IntegerDiagonalScanOp::create(
      builder, loc, TypeRange{op.getResult().getType(), stateType}, codes.getCodes(),
      codes.getScales(), bytes[0], bytes[1], bytes[2], constantsValue, scalesValue, op.getD(),
      state->argument, parameters[0].bits, parameters[1].bits, parameters[2].bits,
      op.getPathAttr());
  SmallVector<Operation *> loads;
  SmallVector<Operation *> unused = {*input};
  for (Value value : {op.getA(), op.getB(), op.getC()})
    unused.push_back(value.getDefiningOp());
  op->replaceAllUsesWith(scan->getResults());
  op->erase();
  for (Operation *dead : unused)
    if (dead->use_empty()) {
      for (Value operand : dead->getOperands())
        if (auto load = operand.getDefiningOp<Load>())
          loads.push_back(load);
      dead->erase();
    }
  eraseUnused(symbols, loads);
  auto function = cast<func::FuncOp>(state->argument.getOwner()->getParentOp());
  function.setFunctionType(FunctionType::get(module.getContext(),
                                             function.getBody().getArgumentTypes(),
                                             state->terminator->getOperandTypes()));
  return llvm::Error::success();
}

FailureOr<std::vector<LazyTensor>> IntegerScanFormer::formAll(bool explain) {
  SmallVector<DiagonalScanOp> scans;
  module.walk([&](DiagonalScanOp op) { scans.push_back(op); });
  for (DiagonalScanOp op : scans) {
    Location loc = op.getLoc();
    std::string name = op.getSitePath().str();
    llvm::Error error = form(op);
    if (!explain) {
      llvm::consumeError(std::move(error));
      continue;
    }
    InFlightDiagnostic remark = emitRemark(loc) << "scan '" << name << "' runs in ";
    if (error)
      remark << "floats: " << llvm::toString(std::move(error));
    else
      remark << "integers of 32 bits";
  }
  return std::move(made);
}

FailureOr<std::vector<LazyTensor>>
mlir::ssm::formIntegerScans(ModuleOp module, const WeightLookup &lookup, bool explain) {
  return IntegerScanFormer(module, lookup).formAll(explain);
}
