//===- NormOps.td - Normalizations ----------------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_NORMOPS
#define SSMQ_DIALECT_SSM_NORMOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_RMSNormOp : SSM_NormOp<"rms_norm"> {
  let summary = "root mean square normalization";
  let description = [{
    y = x / sqrt(mean(x^2) + eps) * weight over the columns of each token (arXiv 1910.07467), or
    over each of `groups` equal parts of them.

    ```mlir
    %y = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32} : (tensor<?x256xf32>, tensor<256xf16>) -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_FloatWeight:$weight, F32Attr:$eps,
                       DefaultValuedAttr<I64Attr, "1">:$groups, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = "$input `,` $weight attr-dict `:` functional-type(operands, results)";
}

def SSM_LayerNormOp : SSM_NormOp<"layer_norm"> {
  let summary = "layer normalization";
  let description = [{
    y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias over the columns of each token
    (arXiv 1607.06450).

    ```mlir
    %y = ssm.layer_norm %x, %w bias %b {eps = 1.0e-5 : f32}
      : (tensor<?x256xf32>, tensor<256xf32>, tensor<256xf32>) -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_FloatWeight:$weight,
                       Optional<SSM_FloatWeight>:$bias, F32Attr:$eps,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat =
      "$input `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

#endif // SSMQ_DIALECT_SSM_NORMOPS
