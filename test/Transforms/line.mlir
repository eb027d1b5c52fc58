// The whole line on a tiny checkpoint: measure, assign, quantize, pack.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t | ssmq-opt -o %t/program.mlir
// RUN: echo "[1,2,3,4,5,6,7,8,9,10,0,3,1,4,1,5,9,2,6]" > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 journal=%t/journal output=%t/table.json" -o %t/same.mlir
// RUN: diff %t/program.mlir %t/same.mlir

// Cut in two and taken up again, the table is the same to the bit.
// RUN: head -n 7 %t/journal > %t/cut
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 journal=%t/cut output=%t/again.json threads=1" -o %t/same.mlir
// RUN: diff %t/table.json %t/again.json
// A journal of another run is refused.
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=5 journal=%t/cut output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=OTHER
// A budget that no format meets is refused before anything is measured.
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json budget=1bpw journal=%t/none output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=BUDGET
// RUN: not test -e %t/no.json
// RUN: not test -e %t/none
// BUDGET: error: the budget of {{[0-9]+}} bytes (1.00 bits a weight) cannot be met
// OTHER: error: {{.*}}cut

// RUN: ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json budget=9bpw output=%t/assignment.json" --ssmq-quantize=output=%t/packed.safetensors -o %t/quantized.mlir
// RUN: FileCheck %s --check-prefix=QUANT < %t/quantized.mlir
// QUANT: module attributes {ssm.checkpoint = "{{.*}}/packed.safetensors"}
// QUANT: ml_program.global private @model.layers.0.mamba.in_proj.weight(#{{.*}}) : tensor<48x8x!quant.any<i[[BITS:[48]]]:f32>> {ssm.format = #ssm.format<"i[[BITS]] sym per_channel">}
// QUANT-NEXT: ml_program.global private @model.layers.0.mamba.in_proj.weight_scale(#{{.*}}) : tensor<48x1xf16>
// QUANT: ssm.linear {{.*}} scales %{{.*}} {group_size = 8 : i64, path = "model.layers.0.mamba.in_proj"} : (tensor<?x8xf32>, tensor<48x8x!quant.any<i[[BITS]]:f32>>, tensor<48x1xf16>)

// Budgets that cannot be met and tables of other weights are refused, and nothing is written.
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json budget=1bpw output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=BUDGET
// RUN: sed 's/"checkpoint": "..../"checkpoint": "0000/' %t/table.json > %t/other.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="table=%t/other.json budget=9bpw output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=HASH
// RUN: sed 's/"checkpoint": "..../"checkpoint": "0000/' %t/assignment.json > %t/foreign.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/foreign.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=HASH
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json budget=9bpw formats=int3:channel output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json method=kl-mpq-p05 budget=9bpw output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=NOBUDGET
// RUN: not test -e %t/no.json
// HASH: error: the formats were chosen for '{{.*}}' with weights 0000{{.*}}, and the module's weights are {{.*}}; measure this model
// MISSING: error: the table has no format 'i3 sym per_channel'; measure it first
// LIMIT: error: kl-mpq-p05 takes no budget
// NOBUDGET: error: there is no budget; name one, such as 4.5bpw or 3MB

// A published rule, and several budgets.
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json method=kl-mpq-p10 formats=int4:channel,int8:channel" | FileCheck %s --check-prefix=RULE
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="table=%t/table.json budget=9bpw,1MB tie=mamba.*in_proj,mlp" | FileCheck %s --check-prefix=RULE
// RULE: ssm.format = #ssm.format<"i{{[48]}} sym

// The assignment applies as a file, too.
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/assignment.json" --ssmq-quantize=output=%t/packed.safetensors -o %t/file.mlir
// RUN: diff %t/quantized.mlir %t/file.mlir

// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=uniform format=int4:g5:asym" --ssmq-quantize=output=%t/packed.safetensors --ssmq-pack | FileCheck %s --check-prefix=PACK
// PACK: @model.embed_tokens.weight(#{{.*}}) : tensor<11x4xi8>
// PACK-NEXT: @model.embed_tokens.weight_zero_point(#{{.*}}) : tensor<11x2xi8>
// PACK-NEXT: @model.embed_tokens.weight_scale(#{{.*}}) : tensor<11x2xf16>
// PACK: ssm.embedding {{.*}} {columns = 8 : i64, group_size = 5 : i64, packed_bits = 4 : i64
// PACK: ssm.causal_conv1d {{.*}} {group_size = 4 : i64, packed_bits = 4 : i64, {{.*}}tensor<28x1x2xi8>
// PACK-NOT: !quant
