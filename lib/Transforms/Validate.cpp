//===- Validate.cpp - Prove that a program has its assigned formats -------===//

#include "ResolveMix.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Reference/MoveDim.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Threading.h"
#include <cstring>

namespace mlir::ssm {
#define GEN_PASS_DEF_VALIDATEPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Format;
using ::ssmq::Tensor;
using ::ssmq::ValueLayout;
using ::ssmq::WeightStore;

/// The format of codes that an op takes as its weight.
static std::string getCodesSpelling(OpOperand &weight, unsigned bits, const ValueLayout &layout) {
  Operation *op = weight.getOwner();
  auto groupSize = op->getAttrOfType<IntegerAttr>("group_size");
  int64_t group = groupSize ? groupSize.getInt() : layout.columns;
  // Zero points are what else is of bytes.
  bool isAsymmetric = llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    auto tensor = dyn_cast<RankedTensorType>(operand.get().getType());
    return &operand != &weight && tensor && tensor.getElementType().isInteger(8);
  });
  std::string sharing =
      group >= layout.columns ? "per_channel" : llvm::formatv("group={0}", group).str();
  return llvm::formatv("i{0} {1} {2}", bits, isAsymmetric ? "asym" : "sym", sharing);
}

/// The format that the IR has at a use of a site; empty for none (a weight in f32 too).
static std::string getFormatInIR(const Site &site, OpOperand &use) {
  Operation *op = use.getOwner();
  if (site.insideOp) {
    auto format = cast_or_null<FormatAttr>(cast<QuantizableOpInterface>(op).getFormatOfState());
    return format ? format.getSpelling().str() : "";
  }
  Operation *source = use.get().getDefiningOp();
  if (auto fake = dyn_cast_or_null<FakeQuantizeOp>(source))
    return fake.getFormat().getSpelling().str();
  if (auto dequantize = dyn_cast_or_null<DequantizeOp>(source))
    return dequantize.getFormat().getSpelling().str();
  Type element = cast<RankedTensorType>(use.get().getType()).getElementType();
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    return getCodesSpelling(use, quantized.getStorageTypeIntegralWidth(), site.getLayout());
  std::optional<::ssmq::TileLayout> tiles = getTileLayout(op);
  if (tiles && site.kind == ::ssmq::SiteKind::Weight)
    return getCodesSpelling(use, tiles->getBits(), site.getLayout());
  return element.isF16() ? "f16" : element.isBF16() ? "bf16" : "";
}

/// Whether the spelling, of what may be a float that the checkpoint had, is the wanted format.
static bool isFormat(StringRef spelling, const Format *wanted, const ValueLayout &layout) {
  if (!wanted)
    return spelling.empty() || spelling == "f16" || spelling == "bf16";
  if (spelling.empty())
    return false;
  auto format = ::ssmq::parseFormat(spelling);
  if (!format) {
    llvm::consumeError(format.takeError());
    return false;
  }
  return (*format)->isSameOn(*wanted, layout);
}

/// Heads and site of what rounds an activation.
static bool hasRightHeads(const Site &site, OpOperand &use) {
  auto fake = use.get().getDefiningOp<FakeQuantizeOp>();
  return !fake || static_cast<int64_t>(fake.getHeadSize()) == site.headSize;
}

namespace {

class ValidatePass : public mlir::ssm::impl::ValidatePassBase<ValidatePass> {
public:
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (Error error = validate()) {
      emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
      signalPassFailure();
    } else if (numMismatches > 0) {
      signalPassFailure();
    }
  }

private:
  Error validate();
  /// Report a mismatch, or count.
  bool checkForm(const Site &site, const Format *wanted);
  Error checkValues(const Site &site, const Format &wanted, const WeightStore &before);
  std::string getSummary() const;

  std::shared_ptr<const WeightStore> store;
  int64_t numMismatches = 0, numFormats = 0, numKept = 0, numEqual = 0, numComputed = 0;
  bool isRefined = false;
};

} // namespace

bool ValidatePass::checkForm(const Site &site, const Format *wanted) {
  ValueLayout layout = site.getLayout(/*tokens=*/1);
  for (OpOperand *use : site.uses) {
    std::string actual = getFormatInIR(site, *use);
    bool isRight = isFormat(actual, wanted, layout);
    if (isRight && hasRightHeads(site, *use))
      continue;
    ++numMismatches;
    InFlightDiagnostic error = use->getOwner()->emitError()
                               << "site '" << site.name << "' is assigned '"
                               << (wanted ? wanted->getSpelling() : ::ssmq::keepFormat.str())
                               << "', but is ";
    if (isRight)
      error << "rounded in other heads than of " << site.headSize << " channels";
    else if (actual.empty())
      error << "in no format";
    else
      error << "in '" << actual << "'";
    return false;
  }
  ++(wanted ? numFormats : numKept);
  return true;
}

/// The tensor of the checkpoint that the codes of a site replace; empty for none.
static StringRef getTensorName(const Site &site) {
  Value value = site.uses.front()->get();
  if (auto dequantize = value.getDefiningOp<DequantizeOp>())
    value = dequantize.getCodes();
  auto load = value.getDefiningOp<ml_program::GlobalLoadConstOp>();
  return load ? load.getGlobal().getLeafReference().getValue() : StringRef();
}

Error ValidatePass::checkValues(const Site &site, const Format &wanted, const WeightStore &before) {
  StringRef name = getTensorName(site);
  if (site.insideOp || name.empty())
    return Error::success();
  if (!before.contains(name)) {
    ++numComputed;
    return Error::success();
  }
  unsigned count = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  Expected<Tensor> weight = before.lookup(name);
  if (!weight)
    return weight.takeError();
  auto lookup = [this](StringRef tensor) { return store->lookup(tensor); };
  FailureOr<Tensor> stored = readWeight(*site.uses.front(), lookup, count);
  if (failed(stored))
    return llvm::createStringError("the program's weights cannot be read");
  Operation *op = site.uses.front()->getOwner();
  if (weight->getShape() != stored->getShape()) {
    ++numMismatches;
    op->emitError() << "site '" << site.name << "' has another shape in the original";
    return Error::success();
  }
  Expected<Tensor> rounded =
      wanted.round(moveDim(weight->toF32(), site.channelDim, 0), site.getLayout(), nullptr, count);
  if (!rounded)
    return rounded.takeError();
  Tensor expected = moveDim(*rounded, 0, site.channelDim);
  if (std::memcmp(expected.getRawData(), stored->getRawData(), expected.getNumBytes()) == 0) {
    ++numEqual;
    return Error::success();
  }
  ++numMismatches;
  op->emitError() << "site '" << site.name << "' holds other values than the original rounded to '"
                  << wanted.getSpelling() << "'";
  return Error::success();
}

std::string ValidatePass::getSummary() const {
  std::string text =
      llvm::formatv("{0} sites are in their formats, {1} are kept", numFormats, numKept);
  if (original.empty())
    return text;
  if (isRefined)
    return text + "; the weights are refined, so that their values are not compared";
  text += llvm::formatv("; {0} weights hold the original's values, rounded", numEqual);
  if (numComputed)
    text += llvm::formatv("; {0} that are computed from weights are not compared", numComputed);
  return text;
}

Error ValidatePass::validate() {
  numMismatches = numFormats = numKept = numEqual = numComputed = 0;
  isRefined = false;
  if (assignment.empty())
    return llvm::createStringError("ssmq-validate needs assignment=FILE, the assignment to prove");
  Expected<::ssmq::Assignment> wanted = ::ssmq::Assignment::read(assignment);
  if (!wanted)
    return wanted.takeError();
  SmallVector<Site> sites = findSitesAndStored(getOperation());
  Expected<Mix> mix = SiteIndex(sites).resolve(*wanted);
  if (!mix)
    return mix.takeError();
  DenseMap<const Site *, const Format *> formats;
  for (const SiteChange &one : *mix)
    formats[one.site] = one.format.get();
  std::optional<WeightStore> before;
  if (!original.empty()) {
    auto opened = openCheckpoint(getOperation(), checkpoint);
    if (failed(opened))
      return llvm::createStringError("the program's weights cannot be opened");
    store = *opened;
    for (const ::ssmq::SafetensorsFile &file : store->getFiles())
      isRefined |= file.getMetadata().count("refined") > 0;
    Expected<WeightStore> source = WeightStore::open(original);
    if (!source)
      return source.takeError();
    before.emplace(std::move(*source));
  }
  for (const Site &site : sites) {
    const Format *format = formats.lookup(&site);
    if (checkForm(site, format) && format && before && !isRefined)
      if (Error error = checkValues(site, *format, *before))
        return error;
  }
  if (numMismatches == 0)
    emitRemark(getOperation().getLoc()) << getSummary();
  return Error::success();
}
