// The shipped model on an OpenCL device: the same 64 tokens as in code of the CPU, from a prompt of
// several tokens (whose number the host gives the device while kernels run) and from one.
// REQUIRES: opencl
// DEFINE: %{tokens} = 1,200,31,77,500,9,1024,333
// DEFINE: %{compare} = ssmq-run %S/../../models/granite-hybrid-5m --tokens %{tokens} --generate=64 --device=xe > %t.xe && ssmq-run %S/../../models/granite-hybrid-5m --tokens %{tokens} --generate=64 > %t.cpu && diff %t.xe %t.cpu
// RUN: %{compare}
// REDEFINE: %{tokens} = 700
// RUN: %{compare}
