//===- ConvOps.td - Causal convolution ------------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_CONVOPS
#define SSMQ_DIALECT_SSM_CONVOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_CausalConv1dOp : SSM_WeightOp<"causal_conv1d",
    [DeclareOpInterfaceMethods<StatefulOpInterface>], ["getFormatOfState", "setFormatOfState"]> {
  let hasVerifier = 1;
  let summary = "depthwise causal convolution over tokens";
  let description = [{
    `input` is T x C, `weight` C x 1 x K as torch.nn.Conv1d stores it, `state` the last K-1 inputs
    ((K-1) x C, oldest first). y[t, c] = bias[c] + sum_k weight[c, 0, k] * padded[t + k, c], where
    `padded` is the state followed by the input; the next state is its last K-1 rows. Quantized
    weights as for `ssm.linear`, with K columns a row. `state_format` as for `ssm.ssd_scan`: a row is
    rounded when it is stored, and its own token reads it as it was.

    ```mlir
    %y, %next = ssm.causal_conv1d %x, %w bias %b state %s
      : (tensor<?x640xf32>, tensor<640x1x4xf16>, tensor<640xf16>, tensor<3x640xf32>)
      -> (tensor<?x640xf32>, tensor<3x640xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Weight:$weight,
                       Optional<SSM_Scales>:$scales, Optional<SSM_ZeroPoints>:$zero_points,
                       Optional<SSM_FloatWeight>:$bias, SSM_State:$state,
                       OptionalAttr<I64Attr>:$group_size, OptionalAttr<I64Attr>:$packed_bits,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state);
  let assemblyFormat = [{
    $input `,` $weight (`scales` $scales^)? (`zero_points` $zero_points^)? (`bias` $bias^)?
    `state` $state attr-dict `:` functional-type(operands, results)
  }];
}

#endif // SSMQ_DIALECT_SSM_CONVOPS
