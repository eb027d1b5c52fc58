// REQUIRES: opencl
// RUN: ssmq-run --devices | FileCheck %s
// CHECK: xe:0 {{.+}} (cpu; {{.+}}, driver {{.+}})
// CHECK-NEXT: SPIR-V 1.{{.+}}; {{[0-9]+}} compute units, sub-groups of {{.*}}16
// CHECK-NEXT: dpas emulated, 2-D block I/O emulated; unified shared memory: device
// CHECK-NEXT: GiB (one allocation {{[0-9.]+}} GiB), {{[0-9]+}} KiB local, groups of
// CHECK-NEXT: {{^}}  division and roots {{.+}}; command buffers {{.+}}
// CHECK-NEXT: {{^}}  runs Xe kernels

// DEFINE: %{refuse} = %python %S/../Inputs/expect_failure.py
// RUN: env SSMQ_OPENCL=/nonexistent/libOpenCL.so %{refuse} 3 "there is no OpenCL loader: " ssmq-run --devices
// RUN: mkdir -p %t && env OCL_ICD_VENDORS=%t %{refuse} 3 "there is no OpenCL platform; install a driver" ssmq-run --devices
