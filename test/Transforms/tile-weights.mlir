// Weights of linears in tiles: the interpreter gives the same bits, and the file holds them once.
// RUN: rm -rf %t && mkdir -p %t
// RUN: split-file %s %t
// RUN: %python %S/../Inputs/make_weights.py %t/program.mlir %t/source.safetensors
// RUN: ssmq-opt %t/program.mlir --ssmq-tile-weights="output=%t/tiled.safetensors checkpoint=%t/source.safetensors" -o %t/tiled.mlir
// RUN: FileCheck %t/tiled.check --implicit-check-not=tile_rows < %t/tiled.mlir
// RUN: ssmq-run %t/program.mlir --checkpoint=%t/source.safetensors --backend=interpreter --tokens 4,0,18,2,2 --logits %t/rows-logits.safetensors
// RUN: ssmq-run %t/tiled.mlir --backend=interpreter --tokens 4,0,18,2,2 --logits %t/tiled-logits.safetensors
// RUN: cmp %t/rows-logits.safetensors %t/tiled-logits.safetensors

// Packed or not, the bytes are the same; and a tiled program has nothing left to tile.
// RUN: ssmq-opt %t/program.mlir --ssmq-pack --ssmq-tile-weights="output=%t/packed.safetensors checkpoint=%t/source.safetensors" -o %t/packed.mlir
// RUN: FileCheck %t/tiled.check --implicit-check-not=tile_rows < %t/packed.mlir
// RUN: cmp %t/tiled.safetensors %t/packed.safetensors
// RUN: ssmq-opt %t/tiled.mlir --ssmq-tile-weights=output=%t/again.safetensors | diff - %t/tiled.mlir
// RUN: not ls %t/again.safetensors

// What the codes stand for is the same.
// RUN: ssmq-opt %t/tiled.mlir --ssmq-expand-formats=output=%t/tiled-values.safetensors -o %t/tiled-expanded.mlir
// RUN: grep -c 'tile_rows = 16' %t/tiled-expanded.mlir
// RUN: ssmq-run %t/tiled-expanded.mlir --backend=interpreter --tokens 4,0,18,2,2 --logits %t/expanded-logits.safetensors
// RUN: cmp %t/rows-logits.safetensors %t/expanded-logits.safetensors
// RUN: ssmq-run %t/tiled-expanded.mlir --tokens 4,0,18,2,2 --compare=reference,fast,compiled --chunkings=2

// Compiling does both by itself: the same kernels give the same bits, in memory and in libraries.
// RUN: ssmq-run %t/tiled-expanded.mlir --tokens 4,0,18,2,2 --logits %t/prepared-logits.safetensors
// RUN: ssmq-run %t/program.mlir --checkpoint=%t/source.safetensors --tokens 4,0,18,2,2 --logits %t/compiled-logits.safetensors
// RUN: cmp %t/prepared-logits.safetensors %t/compiled-logits.safetensors
// RUN: mkdir %t/emitted
// RUN: ssmq-run %t/program.mlir --checkpoint=%t/source.safetensors --emit=obj -o %t/emitted/program.o
// RUN: ls %t/emitted | count 1

// RUN: not ssmq-opt %t/tiled.mlir --ssmq-refine="method=mse original=%t/source.safetensors output=%t/refined.safetensors" 2>&1 | FileCheck %t/refine.check
// RUN: not ssmq-opt %t/program.mlir --ssmq-tile-weights 2>&1 | FileCheck %t/output.check

//--- program.mlir
ml_program.global private @embed(#ml_program.extern : tensor<19x50x!quant.any<i4:f32>>) : tensor<19x50x!quant.any<i4:f32>>
ml_program.global private @embed_scales(#ml_program.extern : tensor<19x3xf16>) : tensor<19x3xf16>
ml_program.global private @table(#ml_program.extern : tensor<19x50x!quant.any<i8:f32>>) : tensor<19x50x!quant.any<i8:f32>>
ml_program.global private @table_scales(#ml_program.extern : tensor<19x1xf16>) : tensor<19x1xf16>
ml_program.global private @norm(#ml_program.extern : tensor<50xf16>) : tensor<50xf16>
ml_program.global private @narrow(#ml_program.extern : tensor<50x50x!quant.any<i3:f32>>) : tensor<50x50x!quant.any<i3:f32>>
ml_program.global private @narrow_scales(#ml_program.extern : tensor<50x1xf16>) : tensor<50x1xf16>
ml_program.global private @wide(#ml_program.extern : tensor<50x50x!quant.any<i8:f32>>) : tensor<50x50x!quant.any<i8:f32>>
ml_program.global private @wide_scales(#ml_program.extern : tensor<50x5xf32>) : tensor<50x5xf32>
ml_program.global private @wide_zero_points(#ml_program.extern : tensor<50x5xi8>) : tensor<50x5xi8>
ml_program.global private @two(#ml_program.extern : tensor<50x50x!quant.any<i4:f32>>) : tensor<50x50x!quant.any<i4:f32>>
ml_program.global private @two_scales(#ml_program.extern : tensor<50x1xf16>) : tensor<50x1xf16>
ml_program.global private @other_scales(#ml_program.extern : tensor<50x5xf16>) : tensor<50x5xf16>
func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x19xf32> {
  %embed = ml_program.global_load_const @embed : tensor<19x50x!quant.any<i4:f32>>
  %embed_scales = ml_program.global_load_const @embed_scales : tensor<19x3xf16>
  %table = ml_program.global_load_const @table : tensor<19x50x!quant.any<i8:f32>>
  %table_scales = ml_program.global_load_const @table_scales : tensor<19x1xf16>
  %norm = ml_program.global_load_const @norm : tensor<50xf16>
  %narrow = ml_program.global_load_const @narrow : tensor<50x50x!quant.any<i3:f32>>
  %narrow_scales = ml_program.global_load_const @narrow_scales : tensor<50x1xf16>
  %wide = ml_program.global_load_const @wide : tensor<50x50x!quant.any<i8:f32>>
  %wide_scales = ml_program.global_load_const @wide_scales : tensor<50x5xf32>
  %wide_zero_points = ml_program.global_load_const @wide_zero_points : tensor<50x5xi8>
  %two = ml_program.global_load_const @two : tensor<50x50x!quant.any<i4:f32>>
  %two_scales = ml_program.global_load_const @two_scales : tensor<50x1xf16>
  %other_scales = ml_program.global_load_const @other_scales : tensor<50x5xf16>
  %0 = ssm.embedding %tokens, %embed scales %embed_scales {group_size = 20 : i64}
    : (tensor<?xi32>, tensor<19x50x!quant.any<i4:f32>>, tensor<19x3xf16>) -> tensor<?x50xf32>
  %1 = ssm.embedding %tokens, %table scales %table_scales {group_size = 50 : i64}
    : (tensor<?xi32>, tensor<19x50x!quant.any<i8:f32>>, tensor<19x1xf16>) -> tensor<?x50xf32>
  %2 = arith.addf %0, %1 : tensor<?x50xf32>
  %3 = ssm.rms_norm %2, %norm {eps = 1.0e-5 : f32}
    : (tensor<?x50xf32>, tensor<50xf16>) -> tensor<?x50xf32>
  %4 = ssm.linear %3, %narrow scales %narrow_scales {group_size = 50 : i64}
    : (tensor<?x50xf32>, tensor<50x50x!quant.any<i3:f32>>, tensor<50x1xf16>) -> tensor<?x50xf32>
  %5 = ssm.linear %4, %wide scales %wide_scales zero_points %wide_zero_points {group_size = 12 : i64}
    : (tensor<?x50xf32>, tensor<50x50x!quant.any<i8:f32>>, tensor<50x5xf32>, tensor<50x5xi8>)
    -> tensor<?x50xf32>
  %6 = ssm.linear %5, %two scales %two_scales {group_size = 50 : i64}
    : (tensor<?x50xf32>, tensor<50x50x!quant.any<i4:f32>>, tensor<50x1xf16>) -> tensor<?x50xf32>
  %7 = ssm.linear %6, %two scales %other_scales {group_size = 10 : i64}
    : (tensor<?x50xf32>, tensor<50x50x!quant.any<i4:f32>>, tensor<50x5xf16>) -> tensor<?x50xf32>
  %8 = ssm.linear %7, %embed scales %embed_scales {group_size = 20 : i64}
    : (tensor<?x50xf32>, tensor<19x50x!quant.any<i4:f32>>, tensor<19x3xf16>) -> tensor<?x19xf32>
  return %8 : tensor<?x19xf32>
}
//--- tiled.check
CHECK: module attributes {ssm.checkpoint = "{{.*}}.safetensors"}
CHECK-DAG: @embed(#{{.*}}) : tensor<2x512xi8>
CHECK-DAG: @embed_scales(#{{.*}}) : tensor<2x3x16xf16>
CHECK-DAG: @table_scales(#{{.*}}) : tensor<19x1xf16>
CHECK-DAG: @wide(#{{.*}}) : tensor<4x832xi8>
CHECK-DAG: @wide_scales(#{{.*}}) : tensor<4x5x16xf32>
CHECK-DAG: @wide_zero_points(#{{.*}}) : tensor<4x5x16xi8>
CHECK-DAG: @two_scales(#{{.*}}) : tensor<50x1xf16>
CHECK-DAG: @other_scales(#{{.*}}) : tensor<50x5xf16>
CHECK-LABEL: @forward
CHECK: ssm.embedding {{.*}} {columns = 50 : i64, group_size = 20 : i64, packed_bits = 4 : i64, rows = 19 : i64, tile_rows = 16 : i64}
CHECK: ssm.linear {{.*}} {group_size = 12 : i64, packed_bits = 8 : i64, rows = 50 : i64, tile_rows = 16 : i64}
CHECK: ssm.linear {{.*}} {group_size = 20 : i64, packed_bits = 4 : i64, rows = 19 : i64, tile_rows = 16 : i64}
//--- output.check
CHECK: error: ssmq-tile-weights needs output=FILE, the safetensors file to write
//--- refine.check
CHECK: error: the weights are in tiles; refine them before --ssmq-tile-weights
