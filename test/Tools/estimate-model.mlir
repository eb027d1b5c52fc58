// One token of a whole Mamba-2 model of one layer, byte by byte: width 8, 11 tokens, 4 heads of 4, states
// of 3, weights in f16.
// RUN: %python %S/../Inputs/make_checkpoint.py mamba2 %t
// RUN: ssmq-run %t --tokens 1,2,3 --estimate=xe2 | FileCheck %s
// RUN: ssmq-translate --import-hf %t -o %t.mlir
// RUN: ssmq-opt %t.mlir --ssmq-pack --ssmq-xe-launches --ssmq-estimate-xe2=tokens=3 -o /dev/null | FileCheck %s --check-prefix=JSON
// RUN: ssmq-opt %t.mlir --ssmq-pack --ssmq-xe-launches --ssmq-estimate-xe2="tokens=3 kernels=ssmq_launch_linear" -o /dev/null | FileCheck %s --check-prefix=LINEAR
// RUN: not ssmq-opt %t.mlir --ssmq-estimate-xe2 -o /dev/null 2>&1 | FileCheck %s --check-prefix=EARLY

// Launches, groups, bytes read, written, and read of weights:
// CHECK: one token after 3
// CHECK-NEXT: kernel
// An id and a row of 8 f16; the row in f32.
// CHECK-NEXT: ssmq_launch_embedding_{{[0-9]+}} 1 1 20 32 16 0
// That row, the norm's 8 and 48 x 8 of in_proj.
// CHECK-NEXT: ssmq_launch_linear_{{[0-9]+}} 1 6 816 192 784 0
// 28 channels of 5 f16, with a state of 3; the state and the result go back.
// CHECK-NEXT: ssmq_launch_causal_conv1d_{{[0-9]+}} 1 1 728 448 280 0
// A, D and the bias of dt, x and its gate of 16, B and C of 6, dt of 4, the state of 4 x 4 x 3; it and
// 16 results go back.
// CHECK-NEXT: ssmq_launch_ssd_scan_{{[0-9]+}} 1 4 408 256 24 0
// The norm's 16 and 8 x 16 of out_proj, what the scan gave and the residual.
// CHECK-NEXT: ssmq_launch_linear_{{[0-9]+}} 1 1 384 32 288 0
// The last norm's 8 and 11 x 8 of the head.
// CHECK-NEXT: ssmq_launch_linear_{{[0-9]+}} 1 2 224 44 192 0
// The position.
// CHECK-NEXT: ssmq_launch_elementwise_{{[0-9]+}} 1 1 0 4 0 0
// All 872 numbers of the checkpoint in f16 but ten rows of the embedding.
// CHECK-NEXT: all 7 16 2580 1008 1584 0
// States of 336 and 192 bytes are read and written.
// CHECK-NEXT: bytes moved: 2.265 x those of weights, 1.598 x without states

// JSON: "decode": {
// JSON-NEXT: "bytesRead": 2580,
// JSON-NEXT: "bytesWritten": 1008,
// JSON: "groups": 16,
// JSON-NEXT: "launches": 7,
// JSON: "stateBytesMoved": 1056,
// JSON-NEXT: "weightBytesRead": 1584
// JSON: "tokens": 3

// LINEAR: "bytesRead": 1424,
// LINEAR: "launches": 3,
// LINEAR: "weightBytesRead": 1264

// EARLY: error: there is no @decode that launches kernels; run --ssmq-xe-launches first
