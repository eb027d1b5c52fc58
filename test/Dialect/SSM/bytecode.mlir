// RUN: ssmq-opt %s --emit-bytecode -o %t.mlirbc
// RUN: ssmq-opt %t.mlirbc | FileCheck %s
// RUN: ssmq-opt %t.mlirbc --emit-bytecode | cmp - %t.mlirbc

// The first file was written before there were versions, the second says 2 in place of 1.
// RUN: not ssmq-opt %S/Inputs/unversioned.mlirbc 2>&1 | FileCheck %s --check-prefix=UNVERSIONED --implicit-check-not=error:
// RUN: not ssmq-run %S/Inputs/newer.mlirbc --tokens=0 2>&1 | FileCheck %s --check-prefix=NEWER --implicit-check-not=error:

// UNVERSIONED: unversioned.mlirbc{{.*}}: error: the program is of an ssmq that wrote no version of the ssm dialect and this one reads versions from 1; quantize or import the model again
// NEWER: newer.mlirbc{{.*}}: error: the program is of version 2 of the ssm dialect and this ssmq reads versions up to 1; use a newer ssmq

// CHECK: ssm.embedding {{.*}} {path = "embedding"}
// CHECK: ssm.linear {{.*}} scales {{.*}} bias {{.*}} {group_size = 32 : i64, packed_bits = 4 : i64, rows = 24 : i64, tile_rows = 16 : i64}
// CHECK: ssm.fake_quantize {{.*}} as <"i8 sym per_token">
func.func @forward(%tokens: tensor<?xi32>, %table: tensor<8x64xf32>, %q: tensor<2x512xi8>,
                   %s: tensor<2x2x16xf16>, %b: tensor<24xf32>) -> tensor<?x24xf32> {
  %x = ssm.embedding %tokens, %table {path = "embedding"}
    : (tensor<?xi32>, tensor<8x64xf32>) -> tensor<?x64xf32>
  %0 = ssm.linear %x, %q scales %s bias %b
    {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64, rows = 24 : i64}
    : (tensor<?x64xf32>, tensor<2x512xi8>, tensor<2x2x16xf16>, tensor<24xf32>) -> tensor<?x24xf32>
  %1 = ssm.fake_quantize %0 as <"i8 sym per_token"> : tensor<?x24xf32>
  return %1 : tensor<?x24xf32>
}
