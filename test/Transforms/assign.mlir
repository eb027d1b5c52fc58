// RUN: ssmq-opt %s --ssmq-assign="method=uniform format=int8:channel" | FileCheck %s
// RUN: not ssmq-opt %s --ssmq-assign="method=best" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not ssmq-opt %s --ssmq-assign="method=uniform" 2>&1 | FileCheck %s --check-prefix=NOFORMAT
// RUN: not ssmq-opt %s --ssmq-assign="method=uniform format=int99:channel" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not ssmq-opt %s --ssmq-assign="method=uniform format=int8:token" 2>&1 | FileCheck %s --check-prefix=LAYOUT
// RUN: not ssmq-opt %s --ssmq-assign="budget=4bpw" 2>&1 | FileCheck %s --check-prefix=NOTABLE
// RUN: not ssmq-opt %s --ssmq-assign="table=%t.none budget=4bpw" 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: not ssmq-opt %s --ssmq-assign="table=%t.none budget=4" 2>&1 | FileCheck %s --check-prefix=BUDGET
// RUN: not ssmq-opt %s --ssmq-quantize=output=%t.safetensors 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not ssmq-opt %s --ssmq-assign="method=uniform format=int8:channel" --ssmq-quantize 2>&1 | FileCheck %s --check-prefix=NOOUTPUT
// RUN: not ssmq-opt %s --ssmq-assign="method=uniform format=int8:channel" --ssmq-quantize=output=%t.safetensors 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not ssmq-opt %s --ssmq-sensitivity="tokens=%t.none output=%t.json" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not test -e %t.safetensors

// METHOD: error: the rule 'best' is not known; take optimal, greedy, kl-mpq-p01
// NOFORMAT: error: uniform assignment needs format=FORMAT
// FORMAT: error: format 'int99:channel' is not known
// LAYOUT: error: site '{{.*}}': format 'i8 sym per_token': per_token needs rows that are tokens
// NOTABLE: error: the method optimal needs table=FILE
// TABLE: error: {{.*}}.none
// BUDGET: error: {{.*}}'4'
// NOTHING: error: no site has a format; run --ssmq-assign first
// NOOUTPUT: error: ssmq-quantize needs output=FILE
// NOWHERE: error: the weights are nowhere

// Sites: shared by an embedding and a head; of a linear.
// CHECK: private @shared{{.*}} {ssm.format = #ssm.format<"i8 sym per_channel">}
ml_program.global private @shared(#ml_program.extern : tensor<8x4xf16>) : tensor<8x4xf16>
// CHECK: private @mixed{{.*}} : tensor<8x4xf16>{{$}}
ml_program.global private @mixed(#ml_program.extern : tensor<8x4xf16>) : tensor<8x4xf16>
// CHECK: private @norm{{.*}} : tensor<4xf16>{{$}}
ml_program.global private @norm(#ml_program.extern : tensor<4xf16>) : tensor<4xf16>
// CHECK: private @linear{{.*}} {ssm.format
ml_program.global private @linear(#ml_program.extern : tensor<4x4xf32>) : tensor<4x4xf32>
// CHECK: private @input{{.*}} : tensor<4x4xf32>{{$}}
ml_program.global private @input(#ml_program.extern : tensor<4x4xf32>) : tensor<4x4xf32>

func.func @forward(%ids: tensor<?xi32>) -> (tensor<?x8xf32>, tensor<8x4xf32>, tensor<4x4xf32>) {
  %shared = ml_program.global_load_const @shared : tensor<8x4xf16>
  %mixed = ml_program.global_load_const @mixed : tensor<8x4xf16>
  %norm = ml_program.global_load_const @norm : tensor<4xf16>
  %linear = ml_program.global_load_const @linear : tensor<4x4xf32>
  %x = ssm.embedding %ids, %shared : (tensor<?xi32>, tensor<8x4xf16>) -> tensor<?x4xf32>
  %n = ssm.rms_norm %x, %norm {eps = 1.0e-5 : f32} : (tensor<?x4xf32>, tensor<4xf16>) -> tensor<?x4xf32>
  %y = ssm.linear %n, %linear : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // A weight with another use is no site.
  %z = ssm.linear %y, %mixed : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
  %wide = arith.extf %mixed : tensor<8x4xf16> to tensor<8x4xf32>
  %again = ml_program.global_load_const @shared : tensor<8x4xf16>
  %logits = ssm.linear %y, %again : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
  %sum = arith.addf %z, %logits : tensor<?x8xf32>
  // Nor is one that is also another operand of such an op.
  %input = ml_program.global_load_const @input : tensor<4x4xf32>
  %square = ssm.linear %input, %input : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %sum, %wide, %square : tensor<?x8xf32>, tensor<8x4xf32>, tensor<4x4xf32>
}
