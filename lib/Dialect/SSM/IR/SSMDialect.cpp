//===- SSMDialect.cpp - The ssm dialect -----------------------------------===//

#include "ssmq/Dialect/SSM/IR/SSMDialect.h"

#include "Bytecode.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Format.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;

#include "ssmq/Dialect/SSM/IR/SSMDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMAttrs.cpp.inc"

void SSMDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "ssmq/Dialect/SSM/IR/SSMOps.cpp.inc"
      >();
  registerAttributes();
  addBytecodeInterface(*this);
  // Evaluation lives in lib/Reference, so that the dialect does not pull in the kernels.
  declarePromisedInterfaces<EvaluableOpInterface, AttentionOp, CausalConv1dOp, DequantizeOp,
                            DiagonalScanOp, EmbeddingOp, FakeQuantizeOp, LayerNormOp, LinearOp,
                            RMSNormOp, RotaryOp, SelectiveScanOp, SSDScanOp>();
}

void SSMDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ssmq/Dialect/SSM/IR/SSMAttrs.cpp.inc"
      >();
}

LogicalResult FormatAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef spelling) {
  auto format = ::ssmq::parseFormat(spelling);
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

std::shared_ptr<const ::ssmq::Format> FormatAttr::getFormat() const {
  auto format = ::ssmq::parseFormat(getSpelling());
  if (format)
    return *format;
  llvm::consumeError(format.takeError()); // verify lets no such attribute come into being
  return nullptr;
}

LogicalResult SSMDialect::verifyOperationAttribute(Operation *op, NamedAttribute attr) {
  if (attr.getName() == kFormatAttrName && !isa<FormatAttr>(attr.getValue()))
    return op->emitOpError() << "attribute '" << kFormatAttrName
                             << "' must be a #ssm.format, but is " << attr.getValue();
  if (attr.getName() == kCheckpointAttrName && !isa<StringAttr>(attr.getValue()))
    return op->emitOpError() << "attribute '" << kCheckpointAttrName
                             << "' must be a string (a directory), but is " << attr.getValue();
  if (attr.getName() == kFormatsAttrName) {
    auto formats = dyn_cast<DictionaryAttr>(attr.getValue());
    if (!formats ||
        !llvm::all_of(formats, [](NamedAttribute one) { return isa<FormatAttr>(one.getValue()); }))
      return op->emitOpError() << "attribute '" << kFormatsAttrName
                               << "' must be a dictionary of #ssm.format, but is "
                               << attr.getValue();
  }
  if (attr.getName() == kRangesAttrName) {
    auto ranges = dyn_cast<DictionaryAttr>(attr.getValue());
    if (!ranges || !llvm::all_of(ranges, [](NamedAttribute one) {
          return isa<DenseF32ArrayAttr>(one.getValue());
        }))
      return op->emitOpError() << "attribute '" << kRangesAttrName
                               << "' must be a dictionary of f32 arrays, but is "
                               << attr.getValue();
    auto formats = op->getAttrOfType<DictionaryAttr>(kFormatsAttrName);
    for (NamedAttribute one : ranges)
      if (!formats || !formats.contains(one.getName()))
        return op->emitOpError() << "attribute '" << kRangesAttrName << "' has ranges of "
                                 << one.getName() << ", which has no format in '"
                                 << kFormatsAttrName << "'";
  }
  if (attr.getName() == kSitesAttrName) {
    auto names = dyn_cast<ArrayAttr>(attr.getValue());
    if (!names || !llvm::all_of(names, llvm::IsaPred<StringAttr>) ||
        names.size() > op->getNumOperands())
      return op->emitOpError() << "attribute '" << kSitesAttrName
                               << "' must be an array of strings, at most one an operand, but is "
                               << attr.getValue();
  }
  return success();
}
