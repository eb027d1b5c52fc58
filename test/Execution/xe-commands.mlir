// The commands of a decoded token, counted by a loader in between (test/Double): its ids go to the
// device, its launches follow as one command buffer, logits come back, and the host waits once.
// REQUIRES: opencl, opencl-double
// RUN: rm -rf %t && %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// DEFINE: %{run} = ssmq-run %t/model --device=xe --tokens=3,0,10,7
// DEFINE: %{words} =
// DEFINE: %{count} = env SSMQ_DOUBLE="real %{words} count=%t/4" %double_loader %{run} --generate=4 > %t/short && env SSMQ_DOUBLE="real %{words} count=%t/5" %double_loader %{run} --generate=5 > %t/long && %python %S/../Inputs/count_difference.py %t/4 %t/5

// A recorder, which is strict about what the extension says, in place of the driver's.
// REDEFINE: %{words} = command-buffers
// RUN: %{count} | FileCheck %s --check-prefix=BUFFER
// BUFFER-NOT: blocking
// BUFFER:      clEnqueueCommandBufferKHR 1
// BUFFER-NEXT: clEnqueueMemcpyINTEL 3
// BUFFER-NEXT: clFinish 1
// BUFFER-NOT:  {{.}}

// Without command buffers: arguments and launches one by one.
// REDEFINE: %{words} = without=command-buffers
// RUN: %{count} | FileCheck %s --check-prefix=PLAIN
// PLAIN-NOT: blocking
// PLAIN:      clEnqueueMemcpyINTEL 3
// PLAIN-NEXT: clEnqueueNDRangeKernel {{[0-9]+}}
// PLAIN-NEXT: clFinish 1
// PLAIN-NEXT: clSetKernelArg
// PLAIN-NEXT: clSetKernelArgMemPointerINTEL {{[0-9]+$}}
// PLAIN-NOT:  {{.}}

// All give what the interpreter does, whatever prompts and tokens came before.
// DEFINE: %{compare} = %double_loader ssmq-run %t/model --tokens=3,0,10,7,7,1,5,8,2,2 --compare=reference,xe --chunkings=6
// RUN: env SSMQ_DOUBLE="real command-buffers" %{compare}
// RUN: env SSMQ_DOUBLE="real without=command-buffers" %{compare}
// RUN: env SSMQ_DOUBLE="real command-buffers=unordered count=%t/unordered" %{compare} && FileCheck %s --check-prefix=UNORDERED < %t/unordered
// UNORDERED-NOT: CommandBuffer
// RUN: env SSMQ_DOUBLE="real command-buffers=unordered" %double_loader ssmq-run --devices | FileCheck %s --check-prefix=DEVICE
// DEVICE: command buffers not used, they need another queue
