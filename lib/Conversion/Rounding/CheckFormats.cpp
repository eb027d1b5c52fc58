//===- CheckFormats.cpp - Formats that have kernels -----------------------===//

#include "ssmq/Conversion/Rounding/CheckFormats.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"

using namespace mlir;
using namespace mlir::ssm;

static LogicalResult checkDequantize(DequantizeOp op) {
  auto load = op.getCodes().getDefiningOp<ml_program::GlobalLoadConstOp>();
  StringRef name = load ? load.getGlobal().getLeafReference().getValue() : "codes";
  return op.emitError() << "no kernel decodes '" << name << "' from format '"
                        << op.getFormat().getSpelling()
                        << "'; run --ssmq-expand-formats first, or the interpreter";
}

LogicalResult mlir::ssm::checkWeight(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!quantizable || !quantizable.isWeightQuantized())
    return success();
  auto bits = op->getAttrOfType<IntegerAttr>("packed_bits");
  if (!bits)
    return op->emitError("the quantized weight is not packed; run --ssmq-pack first");
  if (bits.getInt() != 4 && bits.getInt() != 8)
    return op->emitError("no kernel unpacks codes of ")
           << bits.getInt() << " bits; packed_bits must be 4 or 8";
  return success();
}

/// Integers of one byte at most, whoever shares a scale.
static bool isRoundedByKernel(FakeQuantizeOp op) {
  const ::ssmq::Numerics &numerics = op.getFormat().getFormat()->getNumerics();
  return numerics.getInteger() && numerics.getCodeBits() <= 8;
}

LogicalResult mlir::ssm::checkFormats(Operation *op) {
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return checkDequantize(dequantize);
  if (auto fake = dyn_cast<FakeQuantizeOp>(op); fake && !isRoundedByKernel(fake))
    return fake.emitError() << "no kernel rounds site '" << fake.getSite().value_or("?")
                            << "' to format '" << fake.getFormat().getSpelling()
                            << "'; run the interpreter";
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!quantizable || !quantizable.getFormatOfState())
    return success();
  StringRef role;
  for (const OperandSite &site : quantizable.getSites()) {
    if (!site.insideOp)
      continue;
    if (!getElementTypeOrSelf(site.operand->get()).isF32())
      return success(); // stored in the format
    role = site.name;
  }
  return op->emitError() << "no kernel rounds site '" << quantizable.getSitePath() << ":" << role
                         << "' to format '"
                         << cast<FormatAttr>(quantizable.getFormatOfState()).getSpelling()
                         << "'; run the interpreter";
}
