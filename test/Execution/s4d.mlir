// Classifiers of sequences: both kernel sets and compiled code, in any chunks.
// RUN: %python %S/../Inputs/make_sequences.py %t.safetensors 3 13 2 4
// DEFINE: %{config} =
// DEFINE: %{compare} = %python %S/../Inputs/make_checkpoint.py s4d %t %{config} && ssmq-run %t --sequences %t.safetensors --sequence 1 --compare=reference,fast,compiled --chunkings=4
// REDEFINE: %{config} = 'pooling="mean"'
// RUN: %{compare}
// REDEFINE: %{config} = 'discretization="bilinear"' 'activation="gelu"' 'pooling="last"' 'norm="none"' residual=false
// RUN: %{compare}

// A step alone, from the first to the last, gives the same as the whole; the class is a row.
// RUN: ssmq-run %t --sequences %t.safetensors --print-top 2 | FileCheck %s
// CHECK: 0: {{[0-3]}} ({{.*}}) {{[0-3]}} (
// CHECK-NOT: 1:

// RUN: not ssmq-run %t --sequences %t.safetensors --sequence 3 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: holds 3 sequences; --sequence must be below
// RUN: not ssmq-run %t --tokens 1,2 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: the program reads features, f32 [steps, 2], not tokens or other features
// RUN: not ssmq-run %t --sequences %t/model.safetensors 2>&1 | FileCheck %s --check-prefix=INPUTS
// INPUTS: labelled sequences need inputs, f32 [sequences, steps, features] or i32 [sequences, steps]
