// A mix that is measured before it is given, and what the options refuse.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t -o %t/program.mlir
// RUN: echo '[1,5,9,2,7,3,8,4,6,1,2,3,10,5,6,7,8,9,1,2,4,4,3,8]' > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=12 formats=int4:channel,int8:channel output=%t/table.json" -o /dev/null
// RUN: ssmq-opt %t/program.mlir --ssmq-solve-mix="table=%t/table.json budget=8bpw tokens=%t/tokens.json sequence-length=12 output=%t/mix.json" -o /dev/null
// RUN: FileCheck %s < %t/mix.json
// CHECK: "measuredKL": {{[0-9]}}
// CHECK: "measuredKLError": {{[0-9]}}
// CHECK: "predictedKL": {{[0-9]}}
// CHECK: "name": "table"
// CHECK: "name": "uniform i4 sym per_channel"
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/mix.json" | FileCheck %s --check-prefix=APPLIED
// APPLIED: ssm.format

// RUN: not ssmq-opt %t/program.mlir --ssmq-solve-mix="table=%t/table.json budget=8bpw output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=NEEDS
// NEEDS: error: ssmq-solve-mix needs table=FILE, budget=SIZE, tokens=FILE and output=FILE
// RUN: not ssmq-opt %t/program.mlir --ssmq-solve-mix="table=%t/table.json budget=1bpw tokens=%t/tokens.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=BUDGET
// BUDGET: error: the budget of {{.*}} cannot be met: the smallest
// RUN: sed 's/"checkpoint": ".*"/"checkpoint": "other"/' %t/table.json > %t/other.json
// RUN: not ssmq-opt %t/program.mlir --ssmq-solve-mix="table=%t/other.json budget=8bpw tokens=%t/tokens.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: {{.*}}other.json is of other weights than this module's
// RUN: not ssmq-opt %t/program.mlir --ssmq-solve-mix="table=%t/table.json budget=8bpw tokens=%t/none.json output=%t/no.json" 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: error: {{.*}}none.json
// RUN: not test -e %t/no.json
