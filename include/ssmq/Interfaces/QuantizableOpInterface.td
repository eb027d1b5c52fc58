//===- QuantizableOpInterface.td - Ops with quantization sites -*- tablegen -*-===//

#ifndef SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE
#define SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE

include "mlir/IR/OpBase.td"

def QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let description = [{
    An op with an operand that can hold quantized values. Analysis and rewrite work on this
    interface, never on a list of ops. Weights are seen as a matrix: the channel dimension gives
    the rows, all other dimensions together the columns along which groups run.
  }];
  let cppNamespace = "::mlir::ssm";
  let methods = [
    InterfaceMethod<"The operand that holds the weight.",
      "::mlir::OpOperand &", "getWeightOperand">,
    InterfaceMethod<"The dimension of the weight that is the output channel (row).",
      "unsigned", "getChannelDim", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<"Whether the weight is held in a quantized format already.",
      "bool", "isWeightQuantized">,
    InterfaceMethod<[{
        Replaces the weight by codes (of a compact `quant` type), scales of shape rows x groups,
        and zero points of the same shape or null; `groupSize` columns share a scale.
      }],
      "void", "setQuantizedWeight",
      (ins "::mlir::Value":$codes, "::mlir::Value":$scales, "::mlir::Value":$zeroPoints,
           "int64_t":$groupSize)>,
  ];
}

#endif // SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE
