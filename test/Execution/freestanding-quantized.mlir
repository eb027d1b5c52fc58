// REQUIRES: clang, ld.lld
// Objects hold weights and states in the codes of their formats and give the interpreter's logits.
// RUN: rm -rf %t && mkdir -p %t/shipped %t/mixed %t/shared

// The shipped model, 4 bits but for A and the state of 8.
// RUN: %python %S/../Inputs/make_sequences.py %t/digits.safetensors 2 64 1 10
// RUN: ssmq-translate --import-hf=%S/../../models/s4d-16h-digits64-w4a6 -o %t/shipped.mlir
// RUN: ssmq-opt %t/shipped.mlir --ssmq-assign="method=file input=%S/../../models/s4d-16h-digits64-w4a6/quantization.json" --ssmq-quantize=output=%t/shipped.safetensors -o %t/shipped-codes.mlir
// RUN: ssmq-run %t/shipped-codes.mlir --sequences %t/digits.safetensors --sequence 1 --backend=interpreter --logits %t/shipped-logits.safetensors
// RUN: ssmq-run %t/shipped-codes.mlir --emit=obj --freestanding --integer-scans=false --target x86-64-v3 -o %t/shipped/model.o | FileCheck %s --check-prefix=SHIPPED
// RUN: ssmq-run %t/shipped-codes.mlir --emit=header --freestanding --target x86-64-v3 -o %t/shipped/model.h
// RUN: llvm-nm -u %t/shipped/model.o | count 0
// RUN: %python %S/../Inputs/run_freestanding.py %t/shipped %t/digits.safetensors 1 %t/shipped-logits.safetensors 1e-3 clang
// 1,024 bytes of A and of the state (8 more for the position and 64 for the pool), 512 of B and of
// C, 8 of D, 416 of linear weights in rows, 272 of f32 biases, the rest scales and zero points.
// SHIPPED: of it weights: {{29[0-9][0-9]}} bytes
// SHIPPED: state: 1096 bytes

// The scan in integers, whose constants are 10 words a head.
// RUN: mkdir %t/integers && cp %t/shipped/model.h %t/integers
// RUN: ssmq-run %t/shipped-codes.mlir --emit=obj --freestanding --target x86-64-v3 --name model -o %t/integers/model.o | FileCheck %s --check-prefix=INTEGERS
// RUN: llvm-nm -u %t/integers/model.o | count 0
// RUN: %python %S/../Inputs/run_freestanding.py %t/integers %t/digits.safetensors 1 %t/shipped-logits.safetensors 1e-1 clang
// INTEGERS: of it weights: {{35[0-9][0-9]}} bytes
// INTEGERS: state: 1096 bytes

// The same in tiles, as `ssmq quantize` stores it.
// RUN: mkdir %t/tiled && cp %t/shipped/model.h %t/tiled
// RUN: ssmq-opt %t/shipped-codes.mlir --ssmq-tile-weights=output=%t/tiled.safetensors -o %t/tiled.mlir
// RUN: grep tile_rows %t/tiled.mlir
// RUN: ssmq-run %t/tiled.mlir --emit=obj --freestanding --target x86-64-v3 --name model -o %t/tiled/model.o
// RUN: %python %S/../Inputs/run_freestanding.py %t/tiled %t/digits.safetensors 1 %t/shipped-logits.safetensors 1e-3 clang

// Every width, sharing and kind of grid somewhere: with the state's grids found in each step by
// head, and for all heads at once.
// DEFINE: %{state} =
// DEFINE: %{out} =
// DEFINE: %{mix} = %python %S/../Inputs/make_mix.py %t/%{out}.json encoder:weight="i3 asym per_channel" layers.0.ssm:a="logpolar<2,6> per_head" layers.0.ssm:b="i5 sym per_tensor" layers.0.ssm:c="i16 asym per_head" layers.0.ssm:d="i6 asym per_tensor" layers.0.mixing:weight="i2 sym group=4" layers.0.mixing:input="i6 sym per_token" classifier:weight="i7 asym per_tensor" layers.0.ssm:state=%{state}
// DEFINE: %{quantize} = ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/%{out}.json" --ssmq-quantize=output=%t/%{out}.safetensors -o %t/%{out}.mlir
// DEFINE: %{interpret} = ssmq-run %t/%{out}.mlir --sequences %t/data.safetensors --sequence 0 --backend=interpreter --logits %t/%{out}-logits.safetensors
// DEFINE: %{emit} = ssmq-run %t/%{out}.mlir --emit=obj --freestanding --target x86-64 -o %t/%{out}/model.o && ssmq-run %t/%{out}.mlir --emit=header --freestanding --target x86-64 -o %t/%{out}/model.h
// DEFINE: %{run} = %python %S/../Inputs/run_freestanding.py %t/%{out} %t/data.safetensors 0 %t/%{out}-logits.safetensors 1e-3 clang
// RUN: %python %S/../Inputs/make_sequences.py %t/data.safetensors 3 12 2 4
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t/model
// RUN: ssmq-translate --import-hf=%t/model -o %t/program.mlir
// REDEFINE: %{out} = mixed
// REDEFINE: %{state} = "i7 asym per_head"
// RUN: %{mix} && %{quantize} && %{interpret} && %{emit} && %{run}
// REDEFINE: %{out} = shared
// REDEFINE: %{state} = "i8 sym per_tensor"
// RUN: %{mix} && %{quantize} && %{interpret} && %{emit} && %{run}
