// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --implicit-check-not='{{(mul|add|sub)p[sd]}}' --check-prefix=YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --implicit-check-not='{{(mul|add|sub)p[sd]}}' --check-prefix=ZMM
// RUN: %assemble %s x86-64 | %inner_loops | FileCheck %s --implicit-check-not=%ymm --implicit-check-not=__ --check-prefix=SSE

// All vectors are of integers; a step has a conversion and the two products of its output.
// YMM: loop
// YMM-DAG: vpmulld {{.*}}%ymm
// YMM-DAG: vpminsd {{.*}}%ymm
// YMM-DAG: vmulss
// ZMM: loop
// ZMM-DAG: vpmulld {{.*}}%zmm
// ZMM-DAG: vpminsd {{.*}}%zmm
// ZMM-DAG: vmulss
// SSE: loop
// SSE: pmuludq
func.func @forward(%x: tensor<?x4xi8>, %m: tensor<?x1xf32>, %a: tensor<4x64xi8>, %b: tensor<4x32xi8>,
                   %n: tensor<4x10xi32>, %f: tensor<4xf32>, %s: tensor<4x64xi8>)
    -> (tensor<?x4xf32>, tensor<4x64xi8>) {
  %0, %1 = ssm.integer_diagonal_scan %x, %m a %a b %b c %b constants %n, %f d %f state %s
      {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 4 : i64}
    : (tensor<?x4xi8>, tensor<?x1xf32>, tensor<4x64xi8>, tensor<4x32xi8>, tensor<4x32xi8>,
       tensor<4x10xi32>, tensor<4xf32>, tensor<4xf32>, tensor<4x64xi8>)
    -> (tensor<?x4xf32>, tensor<4x64xi8>)
  return %0, %1 : tensor<?x4xf32>, tensor<4x64xi8>
}
