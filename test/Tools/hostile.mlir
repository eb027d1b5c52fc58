// Input that kills the stock mlir-opt (22.1.8) ends here in an exit code, not in a signal:
// `not` passes exit code 70, and fails on a crash.
// RUN: %python -c "n=4000; print('\"a.b\"() ({\n'*n + '}) : () -> ()\n'*n)" > %t.regions
// RUN: ssmq-opt --allow-unregistered-dialect %t.regions --emit-bytecode -o %t.out
// RUN: %python -c "n=100000; print('func.func private @f(' + 'tuple<'*n + 'i32' + '>'*n + ')')" > %t.tuples
// RUN: ssmq-opt %t.tuples -o %t.out
// RUN: not ssmq-opt %s 2>&1 | FileCheck %s
// CHECK: ssmq-opt: internal error: MLIR crashed on this input (signal 6)
module {}
{-# dialect_resources: { builtin: { a: "0x00000000FF" } } #-}
