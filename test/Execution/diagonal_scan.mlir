// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,fast,compiled%xe --chunkings=4
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --compare=reference,compiled --chunkings=4 --lowering=vector-width=4
// With and without skip; 5 and 16 complex states.

// States that are rounded behind each token. The fast kernels and compiled code compute a state by
// the same instructions, so that all codes are equal; beside the reference a tie may fall to either
// side of a code.
// DEFINE: %{format} =
// DEFINE: %{ranges} =
// DEFINE: %{write} = sed 's/{stored}/{path = "ssm", state_format = #ssm.format<"%{format}"> %{ranges}}/' %s > %t.rounded.mlir
// DEFINE: %{run} = %{write} && ssmq-run %t.rounded.mlir --checkpoint %t.safetensors --tokens 3,0,5,4,4,1,5,2,2 --chunkings=4
// REDEFINE: %{format} = f16
// RUN: %{run} --compare=fast,compiled%xe --tolerance=1e-5
// RUN: %{run} --compare=reference,compiled --tolerance=1e-3
// REDEFINE: %{format} = bf16
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// REDEFINE: %{format} = f8E4M3 per_head
// RUN: %{run} --compare=fast,compiled%xe --tolerance=1e-5
// REDEFINE: %{format} = mxfp4
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// REDEFINE: %{format} = i8 sym per_head
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// RUN: %{run} --compare=reference,compiled --tolerance=1e-3
// REDEFINE: %{format} = i8 asym per_head
// RUN: %{run} --compare=fast,compiled%xe --tolerance=1e-5
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5 --lowering=vector-width=4
// REDEFINE: %{format} = i5 sym per_channel
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// REDEFINE: %{format} = i6 asym group=4
// RUN: %{run} --compare=fast,compiled%xe --tolerance=1e-5
// REDEFINE: %{format} = i16 asym per_head
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// REDEFINE: %{ranges} = , state_ranges = array<f32: -1.5, 1.0>
// REDEFINE: %{format} = i8 asym per_tensor static=99
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// REDEFINE: %{ranges} = , state_ranges = array<f32: -0.3, 0.3, -0.5, 0.5, -0.7, 0.7, -1.0, 1.0, -1.3, 1.3, -1.5, 1.5>
// REDEFINE: %{format} = i8 sym per_head static=99
// RUN: %{run} --compare=fast,compiled%xe --tolerance=1e-5
// REDEFINE: %{format} = i16 asym per_head static=99
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5 --lowering=vector-width=8

// A grid of all heads, which no sub-group of a GPU can find.
// REDEFINE: %{ranges} =
// REDEFINE: %{format} = i8 asym per_tensor
// RUN: %{run} --compare=fast,compiled --tolerance=1e-5
// RUN: not ssmq-opt %t.rounded.mlir --ssmq-xe-launches 2>&1 | FileCheck %s --check-prefix=SHARED --implicit-check-not=error:
// SHARED: error: no kernel rounds site 'ssm:state' to format 'i8 asym per_tensor'; run the interpreter

// Logarithms are the interpreter's.
// REDEFINE: %{format} = logpolar<4,8> per_head
// RUN: %{write} && not ssmq-opt %t.rounded.mlir --ssmq-lower-to-cpu 2>&1 | FileCheck %s --check-prefix=POLAR
// POLAR: error: no kernel rounds site 'ssm:state' to format 'logpolar<4,8> per_head'; run the interpreter

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
