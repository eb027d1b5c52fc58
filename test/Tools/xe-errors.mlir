// What is wrong with a machine's OpenCL is one line and exit code 3. The loader is a double
// (test/Double) that pretends a GPU, so that no driver is needed.
// REQUIRES: opencl-double
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// DEFINE: %{run} = ssmq-run %s --checkpoint %t.safetensors --tokens=1,2 --device=xe
// DEFINE: %{line} = %python %S/../Inputs/expect_line.py

// RUN: env SSMQ_OPENCL=/nonexistent %{line} 3 "there is no OpenCL loader: ...; install ocl-icd-libopencl1 or name a loader in SSMQ_OPENCL" %{run}
// RUN: %double=no-platform %{line} 3 "there is no OpenCL platform; install a driver (intel-opencl-icd for Intel's GPUs), which OCL_ICD_VENDORS may name" %{run}
// RUN: %double=no-platform %{line} 3 "there is no OpenCL platform; ..." ssmq-run --devices
// RUN: %double=no-device %{line} 3 "no OpenCL platform has a device" %{run}
// RUN: %double=no-device %{line} 3 "no OpenCL platform has a device" ssmq-run --devices

// A device that lacks what every kernel needs. It is listed all the same.
// RUN: %double=without=subgroups %{line} 3 "no OpenCL device can run Xe kernels; Test GPU: it has no sub-groups of 16 work-items" %{run}
// RUN: %double=without=spirv %{line} 3 "no OpenCL device can run Xe kernels; Test GPU: it takes no SPIR-V" %{run}
// RUN: %double=without=half %{line} 3 "no OpenCL device can run Xe kernels; Test GPU: it has no 16-bit floats (cl_khr_fp16)" %{run}
// RUN: %double=without=usm %{line} 3 "device 'xe:0' (Test GPU) cannot run Xe kernels: it has no unified shared memory (cl_intel_unified_shared_memory)" %{run}:0
// RUN: %double=without=usm ssmq-run --devices | FileCheck %s --check-prefix=WITHOUT
// WITHOUT: cannot run Xe kernels: it has no unified shared memory

// Choices.
// RUN: %double= %{line} 3 "device 'xe:1' does not exist: the last is xe:0 (`ssmq devices` lists them)" %{run}:1
// RUN: env SSMQ_OPENCL=/nonexistent %{line} 2 "device 'xe:a': what stands after 'xe:' is the number of a device, as `ssmq devices` lists them" %{run}:a
// RUN: env SSMQ_OPENCL=/nonexistent %{line} 2 "device 'xey' is not known; take cpu, xe or xe:NUMBER" %{run}y
// RUN: %{line} 2 "--device is of compiled programs that are not profiled" %{run} --profile
// RUN: %{line} 2 "--device is of compiled programs that are not profiled" %{run} --backend=interpreter

// Drivers that fail: no memory for weights, then for states; kernels that they cannot build.
// RUN: %double=fail=clDeviceMemAllocINTEL:-5 %{line} 3 "out of device memory: asked 132 bytes, Test GPU has 1073741824 and 0 of them are taken, the largest allocation is 1073741824" %{run}
// RUN: %double=fail=clDeviceMemAllocINTEL:-4:2 %{line} 3 "out of device memory: asked ... and ... of them are taken, ..." %{run}
// RUN: %double=fail=clSharedMemAllocINTEL:-4 %{line} 3 "out of device memory: asked 88 bytes, ..." %{run}
// RUN: %double=fail=clCreateProgramWithIL:-42 %{line} 3 "reading SPIR-V on Test GPU failed: CL_INVALID_BINARY (-42)" %{run}
// RUN: %double=fail=clBuildProgram:-11 %{line} 3 "building kernels on Test GPU failed: error: undefined reference to 'foo'   in kernel" %{run}
// RUN: %double=fail=clEnqueueNDRangeKernel:-5 %{line} 3 "launching 'ssmq_launch_embedding_0' with groups ... work-items on Test GPU failed: CL_OUT_OF_RESOURCES (-5)" %{run}
// RUN: %double=fail=clFinish:-36 %{line} 3 "running kernels on Test GPU failed: ... (-36)" %{run}
// RUN: %double=fail=clCreateContext:-2 %{line} 3 "opening Test GPU failed: CL_DEVICE_NOT_AVAILABLE (-2)" %{run}

// Nothing fails: kernels are built with correct rounding where the device offers it.
// RUN: %double=count=%t.counts %{run} && FileCheck %s --check-prefix=COUNTS < %t.counts
// COUNTS: clBuildProgram -cl-fp32-correctly-rounded-divide-sqrt 1
// RUN: env SSMQ_DOUBLE="without=rounding count=%t.counts" %double_loader %{run} && FileCheck %s --check-prefix=PLAIN < %t.counts
// PLAIN-NOT: -cl-fp32

ml_program.global private @embed(#ml_program.extern : tensor<3x11xf32>) : tensor<3x11xf32>
ml_program.global private @conv(#ml_program.extern : tensor<11x1x3xf32>) : tensor<11x1x3xf32>

func.func @forward(%tokens: tensor<?xi32>, %state: tensor<2x11xf32>)
    -> (tensor<?x11xf32>, tensor<2x11xf32>) {
  %embed = ml_program.global_load_const @embed : tensor<3x11xf32>
  %conv = ml_program.global_load_const @conv : tensor<11x1x3xf32>
  %x = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<3x11xf32>) -> tensor<?x11xf32>
  %y, %next = ssm.causal_conv1d %x, %conv state %state
    : (tensor<?x11xf32>, tensor<11x1x3xf32>, tensor<2x11xf32>)
    -> (tensor<?x11xf32>, tensor<2x11xf32>)
  return %y, %next : tensor<?x11xf32>, tensor<2x11xf32>
}
