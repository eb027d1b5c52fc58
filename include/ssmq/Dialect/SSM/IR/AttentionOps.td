//===- AttentionOps.td - Attention and rotary embedding -------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_ATTENTIONOPS
#define SSMQ_DIALECT_SSM_ATTENTIONOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_AttentionOp : SSM_StatefulOp<"attention"> {
  let summary = "causal attention with grouped heads and a cache";
  let description = [{
    `query` is T x (Hq D), `key` and `value` T x (Hk D), where D is `head_dim` and query head h reads
    key head h / (Hq / Hk). The T new rows are written into the caches (capacity x (Hk D)) from row
    `position` on; then token t attends rows 0 .. position + t, or only the last `window` of them
    (0: all): softmax(scale q k^T) v. position + T past the capacity is an error when the program
    runs.

    ```mlir
    %y, %k1, %v1 = ssm.attention %q, %k, %v, caches %kc, %vc at %pos {head_dim = 64 : i64, scale = 0.125 : f32}
      : (tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>, tensor<?x128xf32>, tensor<?x128xf32>, tensor<i32>)
      -> (tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$query, SSM_Activation:$key, SSM_Activation:$value,
                       SSM_Activation:$key_cache, SSM_Activation:$value_cache,
                       SSM_Position:$position, I64Attr:$head_dim, F32Attr:$scale,
                       DefaultValuedAttr<I64Attr, "0">:$window, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_Activation:$next_key_cache,
                      SSM_Activation:$next_value_cache);
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` `caches` $key_cache `,` $value_cache `at` $position attr-dict
    `:` functional-type(operands, results)
  }];
}

def SSM_RotaryOp : SSM_Op<"rotary"> {
  let summary = "rotary position embedding";
  let description = [{
    Rotates the first `rotary_dim` columns of each head (the rest passes through) by angles
    (position + t) * theta^(-2i / rotary_dim), pairing column i with i + rotary_dim / 2
    (arXiv 2104.09864 in the half-split layout of transformers). `input` is T x (H head_dim).

    ```mlir
    %y = ssm.rotary %x at %pos {head_dim = 64 : i64, rotary_dim = 32 : i64, theta = 1.0e4 : f32}
      : (tensor<?x256xf32>, tensor<i32>) -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Position:$position, I64Attr:$head_dim,
                       I64Attr:$rotary_dim, F32Attr:$theta);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = "$input `at` $position attr-dict `:` functional-type(operands, results)";
}

#endif // SSMQ_DIALECT_SSM_ATTENTIONOPS
