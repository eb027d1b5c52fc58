// A project of its own finds the build tree by find_package(SSMQ).
// RUN: rm -rf %t && cmake -G Ninja -S %S/../Inputs/consumer -B %t -DSSMQ_DIR=%ssmq_cmake -DCMAKE_CXX_COMPILER=clang++-22 -DCMAKE_C_COMPILER=clang-22 > %t.log
// RUN: ninja -C %t >> %t.log
// RUN: %t/consumer %s | FileCheck %s
// CHECK: ssm.linear
func.func @f(%x: tensor<?x3xf32>, %w: tensor<2x3xf16>) -> tensor<?x2xf32> {
  %0 = ssm.linear %x, %w : (tensor<?x3xf32>, tensor<2x3xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
