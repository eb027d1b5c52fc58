//===- LaunchOps.td - Ops that a GPU computes together --------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_LAUNCHOPS
#define SSMQ_DIALECT_SSM_LAUNCHOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_LaunchOp : Op<SSM_Dialect, "launch",
    [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
     DeclareOpInterfaceMethods<StatefulOpInterface>]> {
  let summary = "ops that one launch of a kernel computes";
  let description = [{
    The body computes the results from the inputs, which its block takes as arguments. `--ssmq-form-launches`
    groups ops so; the lowering to GPUs makes one kernel of each (docs/Xe.md). An input that an op of
    the body takes as a state, and whose next value is yielded, is updated in place.

    ```mlir
    %y = ssm.launch(%x, %w, %v) {
    ^bb0(%a: tensor<1x256xf32>, %b: tensor<256xf16>, %c: tensor<512x256xf16>):
      %0 = ssm.rms_norm %a, %b {eps = 1.0e-5 : f32} : (tensor<1x256xf32>, tensor<256xf16>) -> tensor<1x256xf32>
      %1 = ssm.linear %0, %c : (tensor<1x256xf32>, tensor<512x256xf16>) -> tensor<1x512xf32>
      ssm.yield %1 : tensor<1x512xf32>
    } : (tensor<1x256xf32>, tensor<256xf16>, tensor<512x256xf16>) -> tensor<1x512xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` $body attr-dict `:` functional-type($inputs, $results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    YieldOp getYield();
  }];
}

def SSM_YieldOp : Op<SSM_Dialect, "yield", [Pure, Terminator, HasParent<"LaunchOp">]> {
  let summary = "the results of a launch";
  let arguments = (ins Variadic<AnyRankedTensor>:$results);
  let builders = [OpBuilder<(ins), [{}]>];
  let assemblyFormat = "($results^ `:` type($results))? attr-dict";
}

#endif // SSMQ_DIALECT_SSM_LAUNCHOPS
