//===- ScanOps.td - State-space recurrences -------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_SCANOPS
#define SSMQ_DIALECT_SSM_SCANOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_SelectiveScanOp : SSM_ScanOp<"selective_scan"> {
  let summary = "Mamba-1 selective scan";
  let description = [{
    The recurrence of Mamba (arXiv 2312.00752, algorithm 2) over tokens t, for each channel d and
    state index n: h[d,n] = exp(dt[t,d] a[d,n]) h[d,n] + dt[t,d] b[t,n] x[t,d], and
    y[t,d] = sum_n c[t,n] h[d,n] + d[d] x[t,d]. `input` and `dt` (after softplus) are T x D, `a`
    D x N (negative), `b` and `c` T x N, the skip `d` D, `state` D x N.

    `state_format` names the format of the state (with `state_ranges` when it is static). A state in
    f32 is rounded to it after each token, behind the token's own result. --ssmq-store-states gives
    the state the type of that format (i8 codes have `state_scales`): it is then rounded where it is
    stored, behind the last token that the op is given, and is f32 in between.

    ```mlir
    %y, %next = ssm.selective_scan %x dt %dt a %a b %b c %c d %d state %h
      : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<64x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
         tensor<64xf32>, tensor<64x16xf32>) -> (tensor<?x64xf32>, tensor<64x16xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Activation:$dt, SSM_FloatWeight:$a,
                       SSM_Activation:$b, SSM_Activation:$c, Optional<SSM_FloatWeight>:$d,
                       SSM_State:$state, Optional<SSM_StateScales>:$state_scales,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state,
                      Optional<SSM_StateScales>:$next_scales);
  let assemblyFormat = [{
    $input `dt` $dt `a` $a `b` $b `c` $c (`d` $d^)? `state` $state (`scales` $state_scales^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def SSM_SSDScanOp : SSM_ScanOp<"ssd_scan"> {
  let summary = "Mamba-2 state-space dual scan with grouped heads";
  let description = [{
    The recurrence of Mamba-2 (arXiv 2405.21060, section 7) over tokens t, for head h, its channel p
    and state index n, where g = h / (H / G) is the head's group:
    s[h,p,n] = exp(dt[t,h] a[h]) s[h,p,n] + dt[t,h] x[t,h,p] b[t,g,n], and
    y[t,h,p] = sum_n c[t,g,n] s[h,p,n] + d[h] x[t,h,p]. `input` is T x (H P), `dt` (after softplus)
    T x H, `a` (negative) and the skip `d` H, `b` and `c` T x (G N), `state` H x P x N.

    `state_format` names the format of the state (with `state_ranges` when it is static). A state in
    f32 is rounded to it after each token, behind the token's own result. --ssmq-store-states gives
    the state the type of that format (i8 codes have `state_scales`): it is then rounded where it is
    stored, behind the last token that the op is given, and is f32 in between.

    ```mlir
    %y, %next = ssm.ssd_scan %x dt %dt a %a b %b c %c d %d state %h
      : (tensor<?x512xf32>, tensor<?x8xf32>, tensor<8xf32>, tensor<?x64xf32>, tensor<?x64xf32>,
         tensor<8xf32>, tensor<8x64x64xf32>) -> (tensor<?x512xf32>, tensor<8x64x64xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Activation:$dt, SSM_FloatWeight:$a,
                       SSM_Activation:$b, SSM_Activation:$c, Optional<SSM_FloatWeight>:$d,
                       SSM_State:$state, Optional<SSM_StateScales>:$state_scales,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state,
                      Optional<SSM_StateScales>:$next_scales);
  let assemblyFormat = [{
    $input `dt` $dt `a` $a `b` $b `c` $c (`d` $d^)? `state` $state (`scales` $state_scales^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // SSMQ_DIALECT_SSM_SCANOPS
