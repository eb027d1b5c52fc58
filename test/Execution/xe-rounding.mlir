// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,7,7,1,5,11,2 --compare=reference,xe --tolerance=0
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3 --compare=reference,xe --tolerance=0
// Values that share a scale by token, by group (the last is shorter), by head, by channel and all
// together, fitted and calibrated: each equal to the last bit.

ml_program.global private @loud(#ml_program.extern : tensor<13x42xf32>) : tensor<13x42xf32>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x42xf32> {
  %table = ml_program.global_load_const @loud : tensor<13x42xf32>
  %0 = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<13x42xf32>) -> tensor<?x42xf32>
  %1 = ssm.fake_quantize %0 as <"i8 sym per_tensor"> : tensor<?x42xf32>
  %2 = ssm.fake_quantize %0 as <"i8 sym per_token"> : tensor<?x42xf32>
  %3 = ssm.fake_quantize %0 as <"i5 asym group=8"> : tensor<?x42xf32>
  %4 = ssm.fake_quantize %0 as <"i4 asym per_token"> : tensor<?x42xf32>
  %5 = ssm.fake_quantize %0 as <"i6 sym per_head"> {head_size = 6 : i64} : tensor<?x42xf32>
  %6 = ssm.fake_quantize %0 as <"i8 asym per_tensor static=99.9"> {ranges = array<f32: -2.5, 3.75>}
    : tensor<?x42xf32>
  %7 = ssm.fake_quantize %0 as <"i4 asym per_head static=99.9">
    {head_size = 6 : i64, ranges = array<f32: -2.5, 3.75, 0.0, 0.0, -0.1, 0.3, -1.0, 0.2, -8.0, 9.0, -3.0, 0.0, 0.0, 1.0>}
    : tensor<?x42xf32>
  %8 = arith.addf %1, %2 : tensor<?x42xf32>
  %9 = arith.addf %8, %3 : tensor<?x42xf32>
  %10 = arith.addf %9, %4 : tensor<?x42xf32>
  %11 = arith.addf %10, %5 : tensor<?x42xf32>
  %12 = arith.addf %11, %6 : tensor<?x42xf32>
  %13 = arith.addf %12, %7 : tensor<?x42xf32>
  return %13 : tensor<?x42xf32>
}
