// Intel's compiler makes native code of every kernel of the test programs and of the shipped model, and
// those of linear layers spill no registers.
// REQUIRES: ocloc
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Inputs/compile_native.py %ocloc pvc %t %S/../../Execution %S/../../../models/granite-hybrid-5m | FileCheck %s
// CHECK: {{[1-9][0-9]+}} kernels compiled for pvc
