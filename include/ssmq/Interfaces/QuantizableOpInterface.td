//===- QuantizableOpInterface.td - Ops with quantization sites -*- tablegen -*-===//

#ifndef SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE
#define SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE

include "mlir/IR/OpBase.td"

def QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let description = [{
    An op with operands that can hold quantized values: its sites. Analysis and rewrite work on this
    interface, never on a list of ops. A weight is seen as a matrix: the channel dimension gives the
    rows, all other dimensions together the columns along which groups run.
  }];
  let cppNamespace = "::mlir::ssm";
  let methods = [
    InterfaceMethod<[{
        The operands that can hold quantized values, in their order. An op that has none of the
        operands that make one (an optional input, a mark on an upstream op) leaves it out.
      }],
      "::llvm::SmallVector<::mlir::ssm::OperandSite>", "getSites">,
    InterfaceMethod<"Where the op stands in the model, such as `layers.3.mixer.in_proj`; or empty.",
      "::llvm::StringRef", "getSitePath", (ins), [{}], [{
        auto path = $_op->template getAttrOfType<::mlir::StringAttr>("path");
        return path ? path.getValue() : ::llvm::StringRef();
      }]>,
    InterfaceMethod<"The operand that holds the weight; null when the op has none.",
      "::mlir::OpOperand *", "getWeightOperand", (ins), [{}], [{ return nullptr; }]>,
    InterfaceMethod<"The dimension of the weight that is the output channel (row).",
      "unsigned", "getChannelDim", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<"Whether the weight is held in a quantized format already.",
      "bool", "isWeightQuantized", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
        Replaces the weight by codes (of a compact `quant` type), scales of shape rows x groups,
        and zero points of the same shape or null; `groupSize` columns share a scale. Fails, and
        changes nothing, when the op has no form with such a weight.
      }],
      "::llvm::LogicalResult", "setQuantizedWeight",
      (ins "::mlir::Value":$codes, "::mlir::Value":$scales, "::mlir::Value":$zeroPoints,
           "int64_t":$groupSize), [{}], [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        The format (a #ssm.format) in which the op stores, after each token, the state that is its
        site with `insideOp`; null when it does not round.
      }],
      "::mlir::Attribute", "getFormatOfState", (ins), [{}], [{ return nullptr; }]>,
    InterfaceMethod<[{
        Sets that format, with low and high for each scale when it is static, else null. Fails, and
        changes nothing, when the op cannot round its state.
      }],
      "::llvm::LogicalResult", "setFormatOfState",
      (ins "::mlir::Attribute":$format, "::mlir::DenseF32ArrayAttr":$ranges), [{}],
      [{ return ::mlir::failure(); }]>,
  ];
}

#endif // SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE
