// Sites of every kind in formats of their own, and what the options refuse.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t -o %t/program.mlir
// RUN: echo "[1,2,3,4,5,6,7,8,9,10,0,3,1,4,1,5,9,2,6,5]" > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=10 sites=all formats=int8:channel,state=f16,parameter=log2<8>:tensor,activation=int4:token,cache=int8:token,activation=int8:tensor:static99.9 precision=0 output=%t/table.json" -o /dev/null
// RUN: FileCheck %s < %t/table.json
// CHECK-DAG: "site": "model.layers.0.mamba.in_proj:input"
// CHECK-DAG: "format": "i4 sym per_token"
// CHECK-DAG: "format": "i8 sym per_tensor static=99.9"
// CHECK-DAG: "format": "log2<8> per_tensor"
// CHECK-DAG: "format": "f16"
// CHECK-DAG: "site": "model.layers.0.mamba.scan:state"
// CHECK-DAG: "site": "model.layers.0.mamba.conv1d:cache"
// CHECK-DAG: "kind": "norm"

// Only what the plan asks for is measured; in f32 when asked.
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=10 precision=1 exact-arithmetic=true output=%t/predicted.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=PREDICTED < %t/predicted.json
// PREDICTED-NOT: in bytes
// PREDICTED: "method": "predicted"

// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sites=wieght output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: 'wieght' is no kind of site; there are weight, norm, activation
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json formats=state=f16 output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=FITS
// FITS: error: 'f16' fits none of the sites that are measured
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json formats=state=f17 output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: {{.*}}f17
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json shard=3/3 output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=SHARD
// SHARD: error: shard must be i/n with i from 0 to n - 1
// RUN: not ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json precision=-1 output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=PRECISION
// PRECISION: error: precision must be from 0 to 1
// RUN: not test -e %t/no.json
