// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,7,7,1,5,11,2 --compare=compiled,xe --tolerance=0
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3 --compare=compiled,xe --tolerance=0
// Codes, scales and sums for integer products, where groups are no whole blocks: scales of rows, of
// two groups, and a calibrated one.

ml_program.global private @loud(#ml_program.extern : tensor<13x42xf32>) : tensor<13x42xf32>

#codes = affine_map<(t, c) -> (t, c)>
#scale = affine_map<(t, c) -> (t, 0)>
#last_scale = affine_map<(t, c) -> (t, 1)>
#sum = affine_map<(t, c) -> (t, 3)>
#kinds = ["parallel", "parallel"]

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %table = ml_program.global_load_const @loud : tensor<13x42xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<13x42xf32>) -> tensor<?x42xf32>
  %rows, %row_scales, %row_sums = ssm.quantize %x as <"i8 sym per_token">
    {block = 8 : i64, group_size = 11 : i64}
    : tensor<?x42xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x4xi32>
  %pairs, %pair_scales, %pair_sums = ssm.quantize %x as <"i6 sym group=22">
    {block = 8 : i64, group_size = 11 : i64}
    : tensor<?x42xf32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x4xi32>
  %known, %known_scales, %known_sums = ssm.quantize %x as <"i8 sym per_tensor static=99.9">
    {block = 8 : i64, group_size = 11 : i64, ranges = array<f32: -2.5, 3.75>}
    : tensor<?x42xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x4xi32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %empty = tensor.empty(%n) : tensor<?x64xf32>
  %of_rows = linalg.generic {indexing_maps = [#codes, #scale, #sum, #codes], iterator_types = #kinds}
      ins(%rows, %row_scales, %row_sums : tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x4xi32>)
      outs(%empty : tensor<?x64xf32>) {
  ^bb0(%code: i8, %scale: f32, %sum: i32, %out: f32):
    %y = arith.sitofp %code : i8 to f32
    %z = arith.mulf %y, %scale : f32
    %s = arith.sitofp %sum : i32 to f32
    %w = arith.addf %z, %s : f32
    linalg.yield %w : f32
  } -> tensor<?x64xf32>
  %of_pairs = linalg.generic {indexing_maps = [#codes, #last_scale, #sum, #codes, #codes], iterator_types = #kinds}
      ins(%pairs, %pair_scales, %pair_sums, %of_rows : tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x4xi32>, tensor<?x64xf32>)
      outs(%empty : tensor<?x64xf32>) {
  ^bb0(%code: i8, %scale: f32, %sum: i32, %before: f32, %out: f32):
    %y = arith.sitofp %code : i8 to f32
    %z = arith.mulf %y, %scale : f32
    %s = arith.sitofp %sum : i32 to f32
    %w = arith.addf %z, %s : f32
    %v = arith.addf %w, %before : f32
    linalg.yield %v : f32
  } -> tensor<?x64xf32>
  %all = linalg.generic {indexing_maps = [#codes, #scale, #sum, #codes, #codes], iterator_types = #kinds}
      ins(%known, %known_scales, %known_sums, %of_pairs : tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x4xi32>, tensor<?x64xf32>)
      outs(%empty : tensor<?x64xf32>) {
  ^bb0(%code: i8, %scale: f32, %sum: i32, %before: f32, %out: f32):
    %y = arith.sitofp %code : i8 to f32
    %z = arith.mulf %y, %scale : f32
    %s = arith.sitofp %sum : i32 to f32
    %w = arith.addf %z, %s : f32
    %v = arith.addf %w, %before : f32
    linalg.yield %v : f32
  } -> tensor<?x64xf32>
  return %all : tensor<?x64xf32>
}
