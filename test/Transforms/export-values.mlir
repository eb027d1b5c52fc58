// The values of codes, under the names of the checkpoint.
// RUN: rm -rf %t && %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t
// RUN: ssmq-translate --import-hf %t -o %t/program.mlir
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=uniform format=int4:g5:asym" --ssmq-quantize=output=%t/q.safetensors -o %t/q.mlir
// RUN: ssmq-opt %t/q.mlir --ssmq-export-values=output=%t/values.safetensors -o %t/same.mlir
// RUN: diff %t/q.mlir %t/same.mlir
// RUN: ssmq-opt %t/q.mlir --ssmq-tile-weights=output=%t/tiled.safetensors --ssmq-export-values=output=%t/from-tiles.safetensors -o /dev/null
// RUN: cmp %t/values.safetensors %t/from-tiles.safetensors

// The original program computes with them what the quantized one computes with codes.
// RUN: ssmq-run %t/q.mlir --tokens 3,1,4,1,5 --kernels=reference > %t/q.txt
// RUN: mkdir -p %t.f32 && cp %t/config.json %t/values.safetensors %t.f32
// RUN: ssmq-run %t.f32 --tokens 3,1,4,1,5 --kernels=reference > %t/values.txt
// RUN: diff %t/q.txt %t/values.txt

// RUN: not ssmq-opt %t/q.mlir --ssmq-export-values 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: error: ssmq-export-values needs output=FILE
// RUN: not ssmq-opt %t/program.mlir --ssmq-export-values="checkpoint=%t/q.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=CODES
// CODES: error: '{{.*}}' holds codes that no linear layer
// RUN: not ls %t/no.safetensors
