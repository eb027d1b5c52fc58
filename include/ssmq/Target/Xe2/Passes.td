//===- Passes.td - Estimates of programs ------------------*- tablegen -*-===//

#ifndef SSMQ_TARGET_XE2_PASSES
#define SSMQ_TARGET_XE2_PASSES

include "mlir/Pass/PassBase.td"

def EstimateXe2 : Pass<"ssmq-estimate-xe2", "::mlir::ModuleOp"> {
  let summary = "what launches move and do on Lunar Lake's GPU, as JSON";
  let description = [{
    Counts what `--ssmq-xe-launches` made (Target/Xe2/LaunchCounts.h): `decode` is one token after a
    prompt of `tokens` tokens, `prefill` that prompt, with the logits of all its tokens.
  }];
  let options = [
    Option<"tokens", "tokens", "int64_t", "64", "Of the prompt">,
    Option<"kernels", "kernels", "std::string", "", "Counts only those whose names begin so">,
    Option<"output", "output", "std::string", "", "JSON file to write (default: standard output)">,
  ];
}

#endif // SSMQ_TARGET_XE2_PASSES
