// RUN: ssmq-opt %s --ssmq-reuse-output | FileCheck %s

func.func private @fill(memref<?x4xf32>)

// CHECK-LABEL: func.func @output(
// CHECK-SAME: %[[N:.*]]: index, %[[OUT:.*]]: memref<?x4xf32>)
// CHECK-NEXT: call @fill(%[[OUT]])
// CHECK-NEXT: return
func.func @output(%n: index, %out: memref<?x4xf32>) {
  %a = memref.alloc(%n) : memref<?x4xf32>
  call @fill(%a) : (memref<?x4xf32>) -> ()
  memref.copy %a, %out : memref<?x4xf32> to memref<?x4xf32>
  return
}

// A state is read before it is written, and what is used after the copy must keep its value.
// CHECK-LABEL: func.func @kept
// CHECK: %[[A:.*]] = memref.alloc
// CHECK: memref.copy %[[A]]
// CHECK: %[[B:.*]] = memref.alloc
// CHECK: memref.copy %[[B]]
func.func @kept(%n: index, %state: memref<?x4xf32>, %out: memref<?x4xf32>) {
  %a = memref.alloc(%n) : memref<?x4xf32>
  call @fill(%state) : (memref<?x4xf32>) -> ()
  memref.copy %a, %state : memref<?x4xf32> to memref<?x4xf32>
  %b = memref.alloc(%n) : memref<?x4xf32>
  memref.copy %b, %out : memref<?x4xf32> to memref<?x4xf32>
  call @fill(%b) : (memref<?x4xf32>) -> ()
  return
}
