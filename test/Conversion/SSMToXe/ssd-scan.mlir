// RUN: ssmq-opt %s --ssmq-store-states --ssmq-xe-launches="decode=false prefill=false" | FileCheck %s


// A sub-group has rows of 40 columns, the last 8 of which are in half of its lanes, and keeps four of
// them in registers; shuffles sum the results, and each of four lanes stores one, rounded for the launch
// that reads it.
// CHECK: gpu.func @ssmq_launch_ssd_scan_0
// CHECK: %[[LANE:.*]] = gpu.lane_id
// CHECK: %[[STATE:.*]]:12 = scf.for
// CHECK: math.exp
// CHECK: math.fma
// CHECK-COUNT-16: gpu.shuffle xor
// CHECK: %[[STORES:.*]] = arith.cmpi slt, %[[LANE]], %c4
// CHECK: llvm.store {{.*}} : f16, !llvm.ptr<1>
// CHECK: scf.yield
// CHECK-NOT: gpu.barrier
// CHECK: llvm.store %[[STATE]]#0

// All of a head find the scale of its codes before one of them stores it.
// CHECK: gpu.func @ssmq_launch_ssd_scan_1
// CHECK: arith.sitofp {{.*}} : i8 to f32
// CHECK: %[[ADVANCED:.*]]:12 = scf.for
// CHECK-COUNT-4: arith.maxsi {{.*}} : i32
// CHECK: gpu.barrier
// CHECK: gpu.barrier
// CHECK: math.roundeven
// CHECK: llvm.store {{.*}} : i8, !llvm.ptr<1>
// CHECK: llvm.store {{.*}} : f16, !llvm.ptr<1>

// States are updated in place: they are inputs and results of their launch.
// CHECK: func.func @forward(%{{.*}}, %[[FIRST:[^:]*]]: memref<2x32x40xf32> {ssm.state = "first"}, %[[SECOND:[^:]*]]: memref<2x32x40xi8>
// CHECK: call @ssmq_launch_ssd_scan_0(%{{.*}}, %[[FIRST]], %{{.*}}, %[[FIRST]])
// CHECK: call @ssmq_launch_ssd_scan_1(%{{.*}}, %[[SECOND]], %[[SCALES:[^,]*]], %{{.*}}, %[[SECOND]], %[[SCALES]])
// CHECK: func.func private @ssmq_launch_ssd_scan_0
// CHECK: gpu.launch_func @ssmq_kernels::@ssmq_launch_ssd_scan_0 blocks in (%c2, %c1, %c1) threads in (%c128, %c1, %c1)
func.func @forward(%x: tensor<?x64xf32>, %dt: tensor<?x2xf32>, %a: tensor<2xf32>,
                   %b: tensor<?x40xf32>, %first: tensor<2x32x40xf32> {ssm.state = "first"},
                   %second: tensor<2x32x40xf32> {ssm.state = "second"})
    -> (tensor<?x64xf32>, tensor<2x32x40xf32>, tensor<2x32x40xf32>) {
  %y, %next_first = ssm.ssd_scan %x dt %dt a %a b %b c %b state %first
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x40xf32>, tensor<?x40xf32>,
       tensor<2x32x40xf32>) -> (tensor<?x64xf32>, tensor<2x32x40xf32>)
  %z, %next_second = ssm.ssd_scan %y dt %dt a %a b %b c %b state %second
      {state_format = #ssm.format<"i8 sym per_head">}
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x40xf32>, tensor<?x40xf32>,
       tensor<2x32x40xf32>) -> (tensor<?x64xf32>, tensor<2x32x40xf32>)
  return %z, %next_first, %next_second : tensor<?x64xf32>, tensor<2x32x40xf32>, tensor<2x32x40xf32>
}
