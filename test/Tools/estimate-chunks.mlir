// A scan of a prompt in chunks of 32 tokens, counted by hand.
// RUN: ssmq-run %s --tokens 1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1 --estimate=xe2 | FileCheck %s
// RUN: ssmq-run %s --tokens 1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1 --estimate=xe2 --lowering=narrow=off | FileCheck %s --check-prefix=FLOATS

// Two heads, a work-group each, of 2 tiles of 16 channels and 2 blocks of 16 of the state; 2 chunks.
// Its 8 sub-groups have 4 x 8 tokens of each tile. In a chunk:
//   decays to the end: 2 dpas for each block of 16 tokens not before the rows, (2 + 2 + 1 + 1) x 2 x 2
//     tiles = 24;
//   the next state: 2 x 2 units of 2 sums over 2 blocks of tokens; 8 sub-groups compute one each = 32;
//   the results: for 1, 1, 2, 2 blocks of tokens up to the rows 2 of c . b, 4 of decays and one by x,
//     6 x 7 x 2 tiles = 84; 2 of c by the state for each sub-group = 16.
// 156 x 2 chunks x 2 heads = 624 dpas. x, b, c, dt (41 x (64 + 32 + 32 + 2) x 2 bytes), a and the
// state (8 and 8192 bytes) are read, y (41 x 64 x 4) and the state written.
// CHECK: prompt of 41 tokens
// CHECK: ssmq_launch_ssd_scan_{{[0-9]+}} 1 2 18860 18688 8 624
// FLOATS: prompt of 41 tokens
// FLOATS: ssmq_launch_ssd_scan_{{[0-9]+}} 1 2 29520 18688 8 624
// One token takes the recurrence.
// CHECK: one token after 41
// CHECK: ssmq_launch_ssd_scan_{{[0-9]+}} 1 2 {{[0-9]+}} {{[0-9]+}} 8 0 4.1

ml_program.global private @x(#ml_program.extern : tensor<11x64xf32>) : tensor<11x64xf32>
ml_program.global private @b(#ml_program.extern : tensor<11x32xf32>) : tensor<11x32xf32>
ml_program.global private @c(#ml_program.extern : tensor<11x32xf32>) : tensor<11x32xf32>
ml_program.global private @dt(#ml_program.extern : tensor<11x2xf32>) : tensor<11x2xf32>
ml_program.global private @a_log(#ml_program.extern : tensor<2xf32>) : tensor<2xf32>
func.func @forward(%tokens: tensor<?xi32>, %s: tensor<2x32x32xf32> {ssm.state = "s"})
    -> (tensor<?x64xf32>, tensor<2x32x32xf32>) {
  %x_table = ml_program.global_load_const @x : tensor<11x64xf32>
  %b_table = ml_program.global_load_const @b : tensor<11x32xf32>
  %c_table = ml_program.global_load_const @c : tensor<11x32xf32>
  %dt_table = ml_program.global_load_const @dt : tensor<11x2xf32>
  %a_log = ml_program.global_load_const @a_log : tensor<2xf32>
  %a_exp = math.exp %a_log : tensor<2xf32>
  %a = arith.negf %a_exp : tensor<2xf32>
  %x = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<11x64xf32>) -> tensor<?x64xf32>
  %b = ssm.embedding %tokens, %b_table : (tensor<?xi32>, tensor<11x32xf32>) -> tensor<?x32xf32>
  %c = ssm.embedding %tokens, %c_table : (tensor<?xi32>, tensor<11x32xf32>) -> tensor<?x32xf32>
  %dt = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<11x2xf32>) -> tensor<?x2xf32>
  %y, %n = ssm.ssd_scan %x dt %dt a %a b %b c %c state %s
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x32xf32>, tensor<?x32xf32>,
       tensor<2x32x32xf32>) -> (tensor<?x64xf32>, tensor<2x32x32xf32>)
  return %y, %n : tensor<?x64xf32>, tensor<2x32x32xf32>
}
