// The sensitivity table as remarks, for any tool that reads MLIR's, and as attributes.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t | ssmq-opt -o %t/program.mlir
// RUN: echo "[1,2,3,4,5,6,7,8,9,10,0,3,1,4,1,5,9,2,6]" > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 precision=0 output=%t/table.json" --remarks-filter-analyse=ssmq-sensitivity --remark-policy=all -o %t/same.mlir 2> %t/remarks
// RUN: FileCheck %s < %t/remarks
// RUN: diff %t/program.mlir %t/same.mlir
// CHECK: remark: [Analysis] model.embed_tokens:weight in i4 sym per_channel | Category:ssmq-sensitivity
// CHECK-SAME: Bytes=66, Format="i4 sym per_channel", KL={{[0-9.]+e-[0-9]+}}, Method=measured, Site=model.embed_tokens:weight, StandardError={{[0-9.]+e-[0-9]+}}
// CHECK: remark: [Analysis] model.embed_tokens:weight in i8 sym per_channel
// CHECK: remark: [Analysis] model.layers.0.mamba.in_proj:weight in i4 sym per_channel

// Of the remarks that a policy keeps to the end, none replaces another.
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 precision=0 output=%t/table.json" --remarks-filter-analyse=ssmq-sensitivity --remark-policy=final --remark-format=yaml --remarks-output-file=%t/remarks.yaml -o %t/same.mlir
// RUN: FileCheck %s --check-prefix=YAML < %t/remarks.yaml
// YAML-DAG: Name: 'model.embed_tokens:weight in i4 sym per_channel'
// YAML-DAG: Name: 'model.embed_tokens:weight in i8 sym per_channel'

// Silence without a filter, or with that of another.
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 precision=0 output=%t/table.json" --remarks-filter-analyse=other -o %t/same.mlir 2>&1 | count 0

// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=6 precision=0 annotate=true output=%t/table.json" | ssmq-opt | FileCheck %s --check-prefix=IR
// IR: ml_program.global private @model.embed_tokens.weight
// IR-SAME: ssm.sensitivity = [{bytes = 66 : i64, error = {{[0-9.E-]+}} : f64, format = #ssm.format<"i4 sym per_channel">, kl = {{[0-9.E-]+}} : f64, site = "model.embed_tokens:weight"}, {bytes = 110
