// RUN: ssmq-opt %s --ssmq-plan-buffers | FileCheck %s
// RUN: ssmq-opt %s --ssmq-plan-buffers=max-stack-bytes=128 | FileCheck %s --check-prefix=HEAP

func.func private @use(memref<1x20xf32>)
func.func private @both(memref<1x20xf32>, memref<8xi8>)

// %c takes the place of %a, which is gone; 80 bytes take 128.
// CHECK-LABEL: func.func @straight
// CHECK-NEXT: %[[ARENA:.*]] = memref.alloca() {alignment = 64 : i64} : memref<192xi8>
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%[[ZERO]]][] : memref<192xi8> to memref<1x20xf32>
// CHECK: call @use(%[[A]])
// CHECK: %[[PLACE:.*]] = arith.constant 128 : index
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%[[PLACE]]][] : memref<192xi8> to memref<8xi8>
// CHECK: call @both(%[[A]], %[[B]])
// CHECK: %[[AGAIN:.*]] = arith.constant 0 : index
// CHECK: %[[C:.*]] = memref.view %[[ARENA]][%[[AGAIN]]][] : memref<192xi8> to memref<1x20xf32>
// CHECK: call @both(%[[C]], %[[B]])
// CHECK-NOT: memref.dealloc
// CHECK: return
// HEAP-LABEL: func.func @straight
// HEAP-NEXT: %[[ARENA:.*]] = memref.alloc() {alignment = 64 : i64} : memref<192xi8>
// HEAP: memref.dealloc %[[ARENA]]
// HEAP-NEXT: return
func.func @straight() {
  %a = memref.alloc() : memref<1x20xf32>
  call @use(%a) : (memref<1x20xf32>) -> ()
  %b = memref.alloc() : memref<8xi8>
  call @both(%a, %b) : (memref<1x20xf32>, memref<8xi8>) -> ()
  memref.dealloc %a : memref<1x20xf32>
  %c = memref.alloc() : memref<1x20xf32>
  call @both(%c, %b) : (memref<1x20xf32>, memref<8xi8>) -> ()
  memref.dealloc %c : memref<1x20xf32>
  memref.dealloc %b : memref<8xi8>
  return
}

// A buffer of a loop is outside it, or the stack would grow; it lives as long as the loop. Each
// thread has its own.
// CHECK-LABEL: func.func @loops
// CHECK-NEXT: %[[ARENA:.*]] = memref.alloca() {alignment = 64 : i64} : memref<256xi8>
// CHECK: memref.view %[[ARENA]]
// CHECK: scf.for
// CHECK-NOT: alloc
// CHECK: memref.view %[[ARENA]]
// CHECK: omp.parallel
// CHECK-NEXT: %[[OWN:.*]] = memref.alloca() {alignment = 64 : i64} : memref<128xi8>
// CHECK: omp.loop_nest
// CHECK: memref.view %[[OWN]]
// CHECK-NOT: memref.dealloc
// CHECK: return
// HEAP-LABEL: func.func @loops
// HEAP: omp.parallel
// HEAP-NEXT: memref.alloca()
func.func @loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<1x20xf32>
  scf.for %i = %c0 to %n step %c1 {
    %b = memref.alloc() : memref<1x20xf32>
    func.call @use(%b) : (memref<1x20xf32>) -> ()
    memref.dealloc %b : memref<1x20xf32>
    func.call @use(%a) : (memref<1x20xf32>) -> ()
  }
  memref.dealloc %a : memref<1x20xf32>
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%n) step (%c1) {
        %b = memref.alloc() : memref<1x20xf32>
        func.call @use(%b) : (memref<1x20xf32>) -> ()
        memref.dealloc %b : memref<1x20xf32>
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

func.func private @rows(memref<?x20xf32>)

// Rows of 80 bytes take 128: places follow from the number of rows.
// CHECK-LABEL: func.func @tokens
// CHECK-SAME: (%[[T:.*]]: memref<?xi32>)
// CHECK: %[[N:.*]] = memref.dim %[[T]]
// CHECK-NEXT: %[[ROW:.*]] = arith.constant 192 : index
// CHECK-NEXT: %[[BYTES:.*]] = arith.muli %[[N]], %[[ROW]]
// CHECK-NEXT: %[[ARENA:.*]] = memref.alloc(%[[BYTES]]) {alignment = 64 : i64} : memref<?xi8>
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x20xf32>
// CHECK: %[[BEHIND:.*]] = arith.constant 128 : index
// CHECK-NEXT: %[[PLACE:.*]] = arith.muli %[[N]], %[[BEHIND]]
// CHECK-NEXT: memref.view %[[ARENA]][%[[PLACE]]][%[[N]]] : memref<?xi8> to memref<?x3xi8>
// CHECK: %[[FIRST:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[AGAIN:.*]] = arith.muli %[[N]], %[[FIRST]]
// CHECK-NEXT: memref.view %[[ARENA]][%[[AGAIN]]][%[[N]]] : memref<?xi8> to memref<?x20xf32>
// CHECK: memref.dealloc %[[ARENA]]
// CHECK-NEXT: return
func.func @tokens(%t: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %t, %c0 : memref<?xi32>
  %a = memref.alloc(%n) : memref<?x20xf32>
  %b = memref.alloc(%n) : memref<?x3xi8>
  call @rows(%a) : (memref<?x20xf32>) -> ()
  memref.dealloc %a : memref<?x20xf32>
  %c = memref.alloc(%n) : memref<?x20xf32>
  call @rows(%c) : (memref<?x20xf32>) -> ()
  memref.dealloc %c : memref<?x20xf32>
  memref.dealloc %b : memref<?x3xi8>
  return
}

// Other dynamic sizes, rows counted in a loop or for each thread, and buffers that leave, stay.
// CHECK-LABEL: func.func @others
// CHECK: memref.alloc(%{{.*}}) : memref<20x?xf32>
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: memref.alloc(%[[I]]) : memref<?x20xf32>
// CHECK: omp.parallel
// CHECK: memref.alloc(%{{.*}}) : memref<?x20xf32>
// CHECK: memref.alloc() : memref<1x20xf32>
func.func @others(%n: index) -> memref<1x20xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc(%n) : memref<20x?xf32>
  memref.dealloc %a : memref<20x?xf32>
  scf.for %i = %c0 to %n step %c1 {
    %b = memref.alloc(%i) : memref<?x20xf32>
    memref.dealloc %b : memref<?x20xf32>
  }
  omp.parallel {
    %c = memref.alloc(%n) : memref<?x20xf32>
    memref.dealloc %c : memref<?x20xf32>
    omp.terminator
  }
  %d = memref.alloc() : memref<1x20xf32>
  return %d : memref<1x20xf32>
}
