// Scans in integers: the interpreter and compiled code give the same bits, at any width of vectors,
// in any chunks, with and without threads.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_weights.py %s %t/source.safetensors
// RUN: ssmq-opt %s --ssmq-quantize="output=%t/codes.safetensors checkpoint=%t/source.safetensors" -o %t/codes.mlir
// RUN: ssmq-opt %t/codes.mlir --ssmq-integer-scans=output=%t/integers.safetensors -o %t/integers.mlir
// RUN: grep -c "ssm.integer_diagonal_scan" %t/integers.mlir | FileCheck %s --check-prefix=TWO
// TWO: 2
// DEFINE: %{tokens} = --tokens 3,0,5,4,4,1,5,2,2,3,0,0,0,0,1,0,5,5
// DEFINE: %{integers} = ssmq-run %t/integers.mlir %{tokens} --logits
// RUN: %{integers} %t/interpreter.safetensors --backend=interpreter
// RUN: %{integers} %t/compiled.safetensors
// RUN: cmp %t/interpreter.safetensors %t/compiled.safetensors
// DEFINE: %{lowering} =
// DEFINE: %{same} = %{integers} %t/other.safetensors --lowering="%{lowering}" && cmp %t/interpreter.safetensors %t/other.safetensors
// REDEFINE: %{lowering} = vector-width=1
// RUN: %{same}
// REDEFINE: %{lowering} = vector-width=4 min-parallel-work=1
// RUN: %{same}
// REDEFINE: %{lowering} = vector-width=8
// RUN: %{same}
// REDEFINE: %{lowering} = vector-width=16
// RUN: %{same}
// RUN: %{integers} %t/other.safetensors --target=x86-64 && cmp %t/interpreter.safetensors %t/other.safetensors
// RUN: ssmq-run %t/integers.mlir %{tokens} --compare=reference,fast,compiled --chunkings=4 --tolerance 0 --chunk-tolerance 0

// Compiling the program of floats makes the same of it; what it computes in floats is near, rounded
// state by state as in the interpreter.
// RUN: ssmq-run %t/codes.mlir %{tokens} --logits %t/formed.safetensors
// RUN: cmp %t/interpreter.safetensors %t/formed.safetensors
// RUN: ssmq-run %t/codes.mlir %{tokens} --logits %t/floats.safetensors --integer-scans=false
// RUN: not cmp %t/interpreter.safetensors %t/floats.safetensors
// RUN: ssmq-run %t/codes.mlir %{tokens} --compare=reference,fast,compiled --chunkings=4 --integer-scans=false --tolerance 1e-5
// RUN: ssmq-run %t/codes.mlir %{tokens} --compare=reference,compiled --chunkings=4 --tolerance 1e-3 --chunk-tolerance 0
// RUN: ssmq-run %t/codes.mlir %{tokens} --explain --print-top 1 2>&1 | FileCheck %s --check-prefix=EXPLAIN
// EXPLAIN: remark: scan 'narrow' runs in integers of 32 bits
// EXPLAIN: remark: scan 'wide' runs in integers of 32 bits

// A library has the state in bytes, zero at the start.
// RUN: ssmq-run %t/codes.mlir --emit=so --name model -o %t/scans.so
// RUN: %python %S/../Inputs/run_library.py %t/scans.so 3,0,5,4,4,1,5,2,2,3,0,0,0,0,1,0,5,5 %t/interpreter.safetensors

ml_program.global private @x(#ml_program.extern : tensor<9x6xf32>) : tensor<9x6xf32>
ml_program.global private @narrow.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @narrow.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @narrow.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @narrow.d(#ml_program.extern : tensor<6xf16>) : tensor<6xf16>
ml_program.global private @wide.a(#ml_program.extern : tensor<6x64xf32>) : tensor<6x64xf32>
ml_program.global private @wide.b(#ml_program.extern : tensor<6x64xf32>) : tensor<6x64xf32>
ml_program.global private @wide.c(#ml_program.extern : tensor<6x64xf32>) : tensor<6x64xf32>
ml_program.global private @wide.d(#ml_program.extern : tensor<6xf16>) : tensor<6xf16>

func.func @forward(%tokens: tensor<?xi32>, %first: tensor<6x10xf32> {ssm.state = "first"},
                   %second: tensor<6x64xf32> {ssm.state = "second"})
    -> (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x64xf32>) {
  %table = ml_program.global_load_const @x : tensor<9x6xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<9x6xf32>) -> tensor<?x6xf32>
  %narrow_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.4>} : tensor<?x6xf32>
  %narrow_a = ml_program.global_load_const @narrow.a : tensor<6x10xf32>
  %narrow_b = ml_program.global_load_const @narrow.b : tensor<6x10xf32>
  %narrow_c = ml_program.global_load_const @narrow.c : tensor<6x10xf32>
  %narrow_d = ml_program.global_load_const @narrow.d : tensor<6xf16>
  %narrow_y, %narrow_next = ssm.diagonal_scan %narrow_x a %narrow_a b %narrow_b c %narrow_c d %narrow_d state %first
      {path = "narrow", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">},
       state_format = #ssm.format<"i8 asym per_head static=99">,
       state_ranges = array<f32: -0.04, 0.12, -0.06, 0.10, -0.08, 0.08, -0.10, 0.06, -0.12, 0.04, -0.14, 0.02>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf16>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %wide_x = ssm.fake_quantize %narrow_y as <"i8 sym per_tensor static=99"> {ranges = array<f32: -0.75, 0.75>} : tensor<?x6xf32>
  %wide_a = ml_program.global_load_const @wide.a : tensor<6x64xf32>
  %wide_b = ml_program.global_load_const @wide.b : tensor<6x64xf32>
  %wide_c = ml_program.global_load_const @wide.c : tensor<6x64xf32>
  %wide_d = ml_program.global_load_const @wide.d : tensor<6xf16>
  %wide_y, %wide_next = ssm.diagonal_scan %wide_x a %wide_a b %wide_b c %wide_c d %wide_d state %second
      {path = "wide", ssm.formats = {a = #ssm.format<"i5 sym per_tensor">, b = #ssm.format<"i8 asym per_head">, c = #ssm.format<"i3 sym per_head">},
       state_format = #ssm.format<"i7 sym per_tensor static=99">,
       state_ranges = array<f32: -0.6, 0.6>}
    : (tensor<?x6xf32>, tensor<6x64xf32>, tensor<6x64xf32>, tensor<6x64xf32>, tensor<6xf16>,
       tensor<6x64xf32>) -> (tensor<?x6xf32>, tensor<6x64xf32>)
  return %wide_y, %narrow_next, %wide_next : tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x64xf32>
}
