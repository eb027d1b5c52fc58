// Which diagonal scans become integer scans, and why others do not.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_weights.py %s %t/source.safetensors
// RUN: ssmq-opt %s --ssmq-quantize="output=%t/codes.safetensors checkpoint=%t/source.safetensors" -o %t/codes.mlir
// RUN: ssmq-opt %t/codes.mlir --ssmq-integer-scans="output=%t/integers.safetensors explain=true" -o %t/integers.mlir 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: FileCheck %s < %t/integers.mlir

// A second run finds nothing to do and writes nothing.
// RUN: ssmq-opt %t/integers.mlir --ssmq-integer-scans=output=%t/again.safetensors -o %t/again.mlir
// RUN: diff %t/integers.mlir %t/again.mlir
// RUN: not ls %t/again.safetensors

// Bytes and nibbles are read as they lie, codes of 6 bits get a byte each; scales are gone.
// CHECK: ml_program.global private @first.output_scales({{.*}}) : tensor<6xf32>
// CHECK: ml_program.global private @first.constants({{.*}}) : tensor<6x10xi32>
// CHECK: ml_program.global private @first.c.bytes({{.*}}) : tensor<6x10xi8>
// CHECK: ml_program.global private @first.a({{.*}}) : tensor<6x10xi8>
// CHECK-NOT: @first.a.scales
// CHECK: func.func @forward(%{{.*}}: tensor<?xi32>, %[[STATE:.*]]: tensor<6x10xi8> {ssm.state = "first"}, %{{.*}}: tensor<6x10xf32> {ssm.state = "input"}
// CHECK: %[[CODES:.*]], %[[SCALES:.*]], %{{.*}} = ssm.quantize %{{.*}} as <"i6 asym per_tensor static=99"> {block = 4 : i64, group_size = 6 : i64, ranges = array<f32: -5.000000e-01, 2.500000e-01>} : tensor<?x6xf32> -> tensor<?x8xi8>, tensor<?x1xf32>, tensor<?x1xi32>
// CHECK: %{{.*}}, %[[NEXT:.*]] = ssm.integer_diagonal_scan %[[CODES]], %[[SCALES]] a %{{.*}} b %{{.*}} c %{{.*}} constants %{{.*}}, %{{.*}} d %{{.*}} state %[[STATE]] {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 8 : i64, path = "first"}
// CHECK-SAME: (tensor<?x8xi8>, tensor<?x1xf32>, tensor<6x10xi8>, tensor<6x5xi8>, tensor<6x10xi8>, tensor<6x10xi32>, tensor<6xf32>, tensor<6xf32>, tensor<6x10xi8>) -> (tensor<?x6xf32>, tensor<6x10xi8>)
// CHECK-NOT: integer_diagonal_scan
// CHECK: return %{{.*}}, %[[NEXT]], {{.*}} : tensor<?x6xf32>, tensor<6x10xi8>, tensor<6x10xf32>

// WHY: remark: scan 'first' runs in integers of 32 bits
// WHY: remark: scan 'input' runs in floats: its input is not rounded
// WHY: remark: scan 'wide_input' runs in floats: its input is in 'i8 asym per_tensor static=99', not in static integers per tensor of at most 8 bits (asymmetric: 7)
// WHY: remark: scan 'dynamic_input' runs in floats: its input is in 'i8 sym per_token', not in static integers
// WHY: remark: scan 'float_a' runs in floats: its a is not in codes
// WHY: remark: scan 'wide_a' runs in floats: its a is in 'i16 asym per_head', not in integers per head or tensor of at most 8 bits
// WHY: remark: scan 'polar_a' runs in floats: its a is in 'logpolar<1,7> per_head', not in integers
// WHY: remark: scan 'groups_b' runs in floats: its b is in 'i8 sym group=4', not in integers per head
// WHY: remark: scan 'float_state' runs in floats: its state is in 'f32', not in static integers per head or tensor of at most 8 bits
// WHY: remark: scan 'dynamic_state' runs in floats: its state is in 'i8 sym per_head', not in static integers
// WHY: remark: scan 'empty_state' runs in floats: head 0: its state has no range
// WHY: remark: scan 'small_state' runs in floats: head 0: its a, or its b times its input, is too large for 32 bits beside its state
// WHY: remark: scan 'no_skip' runs in floats: it has no skip, which tells of inputs that are not finite
// WHY: remark: scan 'kept' runs in floats: its state is not one of @forward

ml_program.global private @x(#ml_program.extern : tensor<9x6xf32>) : tensor<9x6xf32>
ml_program.global private @first.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @first.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @first.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @first.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @input.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @input.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @input.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @input.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @wide_input.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_input.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_input.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_input.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @dynamic_input.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_input.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_input.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_input.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @float_a.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_a.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_a.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_a.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @wide_a.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_a.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_a.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @wide_a.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @polar_a.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @polar_a.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @polar_a.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @polar_a.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @groups_b.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @groups_b.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @groups_b.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @groups_b.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @float_state.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_state.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_state.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @float_state.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @dynamic_state.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_state.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_state.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @dynamic_state.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @empty_state.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @empty_state.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @empty_state.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @empty_state.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @small_state.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @small_state.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @small_state.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @small_state.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @no_skip.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @no_skip.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @no_skip.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @no_skip.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>
ml_program.global private @kept.a(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @kept.b(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @kept.c(#ml_program.extern : tensor<6x10xf32>) : tensor<6x10xf32>
ml_program.global private @kept.d(#ml_program.extern : tensor<6xf32>) : tensor<6xf32>

func.func @forward(%tokens: tensor<?xi32>, %first_s: tensor<6x10xf32> {ssm.state = "first"},
                   %input_s: tensor<6x10xf32> {ssm.state = "input"},
                   %wide_input_s: tensor<6x10xf32> {ssm.state = "wide_input"},
                   %dynamic_input_s: tensor<6x10xf32> {ssm.state = "dynamic_input"},
                   %float_a_s: tensor<6x10xf32> {ssm.state = "float_a"},
                   %wide_a_s: tensor<6x10xf32> {ssm.state = "wide_a"},
                   %polar_a_s: tensor<6x10xf32> {ssm.state = "polar_a"},
                   %groups_b_s: tensor<6x10xf32> {ssm.state = "groups_b"},
                   %float_state_s: tensor<6x10xf32> {ssm.state = "float_state"},
                   %dynamic_state_s: tensor<6x10xf32> {ssm.state = "dynamic_state"},
                   %empty_state_s: tensor<6x10xf32> {ssm.state = "empty_state"},
                   %small_state_s: tensor<6x10xf32> {ssm.state = "small_state"},
                   %no_skip_s: tensor<6x10xf32> {ssm.state = "no_skip"},
                   %kept_s: tensor<6x10xf32> {ssm.state = "kept"})
    -> (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>) {
  %table = ml_program.global_load_const @x : tensor<9x6xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<9x6xf32>) -> tensor<?x6xf32>
  %first_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %first_a = ml_program.global_load_const @first.a : tensor<6x10xf32>
  %first_b = ml_program.global_load_const @first.b : tensor<6x10xf32>
  %first_c = ml_program.global_load_const @first.c : tensor<6x10xf32>
  %first_d = ml_program.global_load_const @first.d : tensor<6xf32>
  %first_y, %first_next = ssm.diagonal_scan %first_x a %first_a b %first_b c %first_c d %first_d state %first_s
      {path = "first", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i6 sym per_tensor">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %input_a = ml_program.global_load_const @input.a : tensor<6x10xf32>
  %input_b = ml_program.global_load_const @input.b : tensor<6x10xf32>
  %input_c = ml_program.global_load_const @input.c : tensor<6x10xf32>
  %input_d = ml_program.global_load_const @input.d : tensor<6xf32>
  %input_y, %input_next = ssm.diagonal_scan %x a %input_a b %input_b c %input_c d %input_d state %input_s
      {path = "input", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %wide_input_x = ssm.fake_quantize %x as <"i8 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %wide_input_a = ml_program.global_load_const @wide_input.a : tensor<6x10xf32>
  %wide_input_b = ml_program.global_load_const @wide_input.b : tensor<6x10xf32>
  %wide_input_c = ml_program.global_load_const @wide_input.c : tensor<6x10xf32>
  %wide_input_d = ml_program.global_load_const @wide_input.d : tensor<6xf32>
  %wide_input_y, %wide_input_next = ssm.diagonal_scan %wide_input_x a %wide_input_a b %wide_input_b c %wide_input_c d %wide_input_d state %wide_input_s
      {path = "wide_input", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %dynamic_input_x = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<?x6xf32>
  %dynamic_input_a = ml_program.global_load_const @dynamic_input.a : tensor<6x10xf32>
  %dynamic_input_b = ml_program.global_load_const @dynamic_input.b : tensor<6x10xf32>
  %dynamic_input_c = ml_program.global_load_const @dynamic_input.c : tensor<6x10xf32>
  %dynamic_input_d = ml_program.global_load_const @dynamic_input.d : tensor<6xf32>
  %dynamic_input_y, %dynamic_input_next = ssm.diagonal_scan %dynamic_input_x a %dynamic_input_a b %dynamic_input_b c %dynamic_input_c d %dynamic_input_d state %dynamic_input_s
      {path = "dynamic_input", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %float_a_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %float_a_a = ml_program.global_load_const @float_a.a : tensor<6x10xf32>
  %float_a_b = ml_program.global_load_const @float_a.b : tensor<6x10xf32>
  %float_a_c = ml_program.global_load_const @float_a.c : tensor<6x10xf32>
  %float_a_d = ml_program.global_load_const @float_a.d : tensor<6xf32>
  %float_a_y, %float_a_next = ssm.diagonal_scan %float_a_x a %float_a_a b %float_a_b c %float_a_c d %float_a_d state %float_a_s
      {path = "float_a", ssm.formats = {b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %wide_a_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %wide_a_a = ml_program.global_load_const @wide_a.a : tensor<6x10xf32>
  %wide_a_b = ml_program.global_load_const @wide_a.b : tensor<6x10xf32>
  %wide_a_c = ml_program.global_load_const @wide_a.c : tensor<6x10xf32>
  %wide_a_d = ml_program.global_load_const @wide_a.d : tensor<6xf32>
  %wide_a_y, %wide_a_next = ssm.diagonal_scan %wide_a_x a %wide_a_a b %wide_a_b c %wide_a_c d %wide_a_d state %wide_a_s
      {path = "wide_a", ssm.formats = {a = #ssm.format<"i16 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %polar_a_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %polar_a_a = ml_program.global_load_const @polar_a.a : tensor<6x10xf32>
  %polar_a_b = ml_program.global_load_const @polar_a.b : tensor<6x10xf32>
  %polar_a_c = ml_program.global_load_const @polar_a.c : tensor<6x10xf32>
  %polar_a_d = ml_program.global_load_const @polar_a.d : tensor<6xf32>
  %polar_a_y, %polar_a_next = ssm.diagonal_scan %polar_a_x a %polar_a_a b %polar_a_b c %polar_a_c d %polar_a_d state %polar_a_s
      {path = "polar_a", ssm.formats = {a = #ssm.format<"logpolar<1,7> per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %groups_b_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %groups_b_a = ml_program.global_load_const @groups_b.a : tensor<6x10xf32>
  %groups_b_b = ml_program.global_load_const @groups_b.b : tensor<6x10xf32>
  %groups_b_c = ml_program.global_load_const @groups_b.c : tensor<6x10xf32>
  %groups_b_d = ml_program.global_load_const @groups_b.d : tensor<6xf32>
  %groups_b_y, %groups_b_next = ssm.diagonal_scan %groups_b_x a %groups_b_a b %groups_b_b c %groups_b_c d %groups_b_d state %groups_b_s
      {path = "groups_b", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i8 sym group=4">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 asym per_head static=99">, state_ranges = array<f32: -0.4, 0.9, -0.5, 0.8, -0.6, 0.7, -0.7, 0.6, -0.8, 0.5, -0.9, 0.4>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %float_state_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %float_state_a = ml_program.global_load_const @float_state.a : tensor<6x10xf32>
  %float_state_b = ml_program.global_load_const @float_state.b : tensor<6x10xf32>
  %float_state_c = ml_program.global_load_const @float_state.c : tensor<6x10xf32>
  %float_state_d = ml_program.global_load_const @float_state.d : tensor<6xf32>
  %float_state_y, %float_state_next = ssm.diagonal_scan %float_state_x a %float_state_a b %float_state_b c %float_state_c d %float_state_d state %float_state_s
      {path = "float_state", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %dynamic_state_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %dynamic_state_a = ml_program.global_load_const @dynamic_state.a : tensor<6x10xf32>
  %dynamic_state_b = ml_program.global_load_const @dynamic_state.b : tensor<6x10xf32>
  %dynamic_state_c = ml_program.global_load_const @dynamic_state.c : tensor<6x10xf32>
  %dynamic_state_d = ml_program.global_load_const @dynamic_state.d : tensor<6xf32>
  %dynamic_state_y, %dynamic_state_next = ssm.diagonal_scan %dynamic_state_x a %dynamic_state_a b %dynamic_state_b c %dynamic_state_c d %dynamic_state_d state %dynamic_state_s
      {path = "dynamic_state", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 sym per_head">}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %empty_state_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %empty_state_a = ml_program.global_load_const @empty_state.a : tensor<6x10xf32>
  %empty_state_b = ml_program.global_load_const @empty_state.b : tensor<6x10xf32>
  %empty_state_c = ml_program.global_load_const @empty_state.c : tensor<6x10xf32>
  %empty_state_d = ml_program.global_load_const @empty_state.d : tensor<6xf32>
  %empty_state_y, %empty_state_next = ssm.diagonal_scan %empty_state_x a %empty_state_a b %empty_state_b c %empty_state_c d %empty_state_d state %empty_state_s
      {path = "empty_state", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: 0.0, 0.0>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %small_state_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %small_state_a = ml_program.global_load_const @small_state.a : tensor<6x10xf32>
  %small_state_b = ml_program.global_load_const @small_state.b : tensor<6x10xf32>
  %small_state_c = ml_program.global_load_const @small_state.c : tensor<6x10xf32>
  %small_state_d = ml_program.global_load_const @small_state.d : tensor<6xf32>
  %small_state_y, %small_state_next = ssm.diagonal_scan %small_state_x a %small_state_a b %small_state_b c %small_state_c d %small_state_d state %small_state_s
      {path = "small_state", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: -1.0e-6, 1.0e-6>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %no_skip_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %no_skip_a = ml_program.global_load_const @no_skip.a : tensor<6x10xf32>
  %no_skip_b = ml_program.global_load_const @no_skip.b : tensor<6x10xf32>
  %no_skip_c = ml_program.global_load_const @no_skip.c : tensor<6x10xf32>
  %no_skip_d = ml_program.global_load_const @no_skip.d : tensor<6xf32>
  %no_skip_y, %no_skip_next = ssm.diagonal_scan %no_skip_x a %no_skip_a b %no_skip_b c %no_skip_c state %no_skip_s
      {path = "no_skip", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: -1.0, 1.0>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %kept_x = ssm.fake_quantize %x as <"i6 asym per_tensor static=99"> {ranges = array<f32: -0.5, 0.25>} : tensor<?x6xf32>
  %kept_a = ml_program.global_load_const @kept.a : tensor<6x10xf32>
  %kept_b = ml_program.global_load_const @kept.b : tensor<6x10xf32>
  %kept_c = ml_program.global_load_const @kept.c : tensor<6x10xf32>
  %kept_d = ml_program.global_load_const @kept.d : tensor<6xf32>
  %kept_y, %kept_next = ssm.diagonal_scan %kept_x a %kept_a b %kept_b c %kept_c d %kept_d state %kept_s
      {path = "kept", ssm.formats = {a = #ssm.format<"i8 asym per_head">, b = #ssm.format<"i4 asym per_head">, c = #ssm.format<"i4 asym per_head">}, state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: -1.0, 1.0>}
    : (tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6xf32>,
       tensor<6x10xf32>) -> (tensor<?x6xf32>, tensor<6x10xf32>)
  %kept_twice = arith.addf %kept_next, %kept_next : tensor<6x10xf32>
  return %first_y, %first_next, %input_next, %wide_input_next, %dynamic_input_next, %float_a_next, %wide_a_next, %polar_a_next, %groups_b_next, %float_state_next, %dynamic_state_next, %empty_state_next, %small_state_next, %no_skip_next, %kept_twice
    : tensor<?x6xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x10xf32>
}
