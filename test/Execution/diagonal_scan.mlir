// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled%xe --chunkings=4
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,compiled --chunkings=4 --lowering=vector-width=4
// With and without skip; 5 and 16 complex states. Then states that are stored.
// RUN: sed 's/{stored}/{state_format = #ssm.format<"f16">}/' %s > %t.f16.mlir
// RUN: sed 's/{stored}/{state_format = #ssm.format<"i8 sym per_head">}/' %s > %t.i8.mlir
// RUN: ssmq-run %t.f16.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled%xe --chunkings=4 --tolerance 1e-2
// RUN: ssmq-run %t.i8.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled%xe --chunkings=4 --tolerance 5e-2
// States that are rounded to static integers behind each token, in f32 on a CPU; a tie may fall to
// either side of a code.
// RUN: sed 's/{stored}/{state_format = #ssm.format<"i8 asym per_tensor static=99">, state_ranges = array<f32: -1.5, 1.0>}/' %s > %t.static.mlir
// RUN: ssmq-run %t.static.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled --chunkings=4 --tolerance 1e-3
// RUN: sed 's/{stored}/{state_format = #ssm.format<"i8 sym per_head static=99">, state_ranges = array<f32: -0.3, 0.3, -0.5, 0.5, -0.7, 0.7, -1.0, 1.0, -1.3, 1.3, -1.5, 1.5>}/' %s > %t.heads.mlir
// RUN: ssmq-run %t.heads.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled --chunkings=4 --tolerance 1e-3 --lowering=vector-width=8
// RUN: sed 's/i8 sym per_head/i16 asym per_head/' %t.heads.mlir > %t.wide.mlir
// RUN: ssmq-run %t.wide.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled --chunkings=4 --tolerance 1e-3 --lowering=vector-width=8

ml_program.global private @x(#ml_program.extern : tensor<6x6xf32>) : tensor<6x6xf32>
ml_program.global private @a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @b(#ml_program.extern : tensor<6x10xf16>) : tensor<6x10xf16>
ml_program.global private @wide_a(#ml_program.extern : tensor<6x32xf32>) : tensor<6x32xf32>
ml_program.global private @wide_b(#ml_program.extern : tensor<6x32xf32>) : tensor<6x32xf32>
ml_program.global private @d(#ml_program.extern : tensor<6xf16>) : tensor<6xf16>

func.func @forward(%tokens: tensor<?xi32>, %first: tensor<6x10xf32> {ssm.state = "first"},
                   %second: tensor<6x32xf32> {ssm.state = "second"})
    -> (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x32xf32>) {
  %table = ml_program.global_load_const @x : tensor<6x6xf32>
  %a_in = ml_program.global_load_const @a : tensor<6x10xf32>
  %b = ml_program.global_load_const @b : tensor<6x10xf16>
  %wide_a_in = ml_program.global_load_const @wide_a : tensor<6x32xf32>
  %wide_b = ml_program.global_load_const @wide_b : tensor<6x32xf32>
  %d = ml_program.global_load_const @d : tensor<6xf16>
  // Within the unit disc.
  %a = math.tanh %a_in : tensor<6x10xf32>
  %wide_a = math.tanh %wide_a_in : tensor<6x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %y, %next_first = ssm.diagonal_scan %x a %a b %b c %b d %d state %first {stored}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf16>, tensor<6x10xf16>, tensor<6xf16>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %z, %next_second = ssm.diagonal_scan %y a %wide_a b %wide_b c %wide_b state %second {stored}
    : (tensor<?x6xf32>, tensor<6x32xf32>, tensor<6x32xf32>, tensor<6x32xf32>, tensor<6x32xf32>)
    -> (tensor<?x6xf32>, tensor<6x32xf32>)
  return %z, %next_first, %next_second : tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x32xf32>
}
