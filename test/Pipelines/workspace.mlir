// RUN: ssmq-opt %s --pass-pipeline="builtin.module(func.func(ssmq-plan-buffers{workspace=true}))" | FileCheck %s

// The buffers of an entry are places of its last argument; what is not needed at the same time
// shares one, and all begin at multiples of 8.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%{{.*}}: memref<3xf32>, %[[MEMORY:.*]]: memref<56xi8>)
// CHECK-SAME: ssm.workspace_bytes = 56 : i64
// CHECK-NOT: memref.alloc
// CHECK: memref.view %[[MEMORY]][%c0{{[_0-9]*}}][] : memref<56xi8> to memref<10xf32>
// CHECK: memref.view %[[MEMORY]][%c40{{[_0-9]*}}][] : memref<56xi8> to memref<3xf32>
// CHECK: memref.view %[[MEMORY]][%c0{{[_0-9]*}}][] : memref<56xi8> to memref<5xf32>
// CHECK-NOT: memref.dealloc
func.func @forward(%x: memref<3xf32>) attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<3xf32>
  %ten = memref.alloc() : memref<10xf32>
  memref.store %v, %ten[%c0] : memref<10xf32>
  %three = memref.alloc() : memref<3xf32>
  memref.store %v, %three[%c0] : memref<3xf32>
  memref.dealloc %ten : memref<10xf32>
  %five = memref.alloc() : memref<5xf32>
  memref.store %v, %five[%c0] : memref<5xf32>
  memref.store %v, %three[%c0] : memref<3xf32>
  memref.dealloc %three : memref<3xf32>
  memref.dealloc %five : memref<5xf32>
  return
}

// A kernel has its buffers on the stack.
// CHECK-LABEL: func.func private @kernel
// CHECK-SAME: (%{{.*}}: memref<3xf32>) {
// CHECK: memref.alloca() {alignment = 8 : i64} : memref<2000000xi8>
func.func private @kernel(%x: memref<3xf32>) {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<3xf32>
  %large = memref.alloc() : memref<500000xf32>
  memref.store %v, %large[%c0] : memref<500000xf32>
  memref.dealloc %large : memref<500000xf32>
  return
}

// An entry without buffers has a workspace of no bytes.
// CHECK-LABEL: func.func @empty
// CHECK-SAME: (%{{.*}}: memref<3xf32>, %{{.*}}: memref<0xi8>)
// CHECK-SAME: ssm.workspace_bytes = 0 : i64
func.func @empty(%x: memref<3xf32>) attributes {llvm.emit_c_interface} {
  return
}
