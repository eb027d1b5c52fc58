//===- Passes.td - Launches of GPU kernels --------------------*- tablegen -*-===//

#ifndef SSMQ_CONVERSION_SSMTOXE_PASSES
#define SSMQ_CONVERSION_SSMTOXE_PASSES

include "mlir/Pass/PassBase.td"

def BufferizeLaunches : Pass<"ssmq-bufferize-launches", "::mlir::ModuleOp"> {
  let summary = "tensors to buffers, launches to calls that launch kernels";
  let description = [{
    One-shot bufferization of all but the bodies of `ssm.launch`: each becomes a call of a private
    function that launches a kernel of `gpu.module @ssmq_kernels`, made from its body.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
  let options = [
    Option<"dpas", "dpas", "bool", /*default=*/"true",
           "Many tokens meet weights by dpas and 2-D block loads, else by plain products">
  ];
}

def CompileKernels : Pass<"ssmq-compile-kernels", "::mlir::ModuleOp"> {
  let summary = "gpu.module with #xevm.target to gpu.binary with SPIR-V";
  let description = [{
    As `--gpu-module-to-binary`, but LLVM's code generation passes do not change the optimised LLVM IR:
    loop strength reduction writes `x & 15` as a truncation to i4, for which LLVM 22's SPIR-V backend
    makes an invalid `OpBitwiseAnd` with 255 of operands of two widths.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

def HostLaunches : Pass<"ssmq-host-launches", "::mlir::ModuleOp"> {
  let summary = "launches become calls of the OpenCL runtime";
  let description = [{
    The SPIR-V of the `gpu.binary` becomes a constant of the module, and each `gpu.launch_func` a call
    of `ssmq_xe_launch` (Runtime/OpenCL/Launch.h) with the name of the kernel, the sizes of the grid
    and the arguments.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def NameMatrixFunctions : Pass<"ssmq-name-matrix-functions", "::mlir::gpu::GPUModuleOp"> {
  let summary = "names of dpas functions that Intel's drivers know";
  let description = [{
    `convert-xevm-to-llvm` calls the dpas of signed bytes `intel_sub_group_s8_s8_matrix_mad_k32`. The
    OpenCL extension (cl_intel_subgroup_matrix_multiply_accumulate) and the compiler of the drivers
    know it as `intel_sub_group_i8_i8_matrix_mad_k32`; the other name they leave as a call of an
    unknown function.
  }];
}

def UniformSubgroups : Pass<"ssmq-uniform-subgroups", "::mlir::gpu::GPUModuleOp"> {
  let summary = "broadcasts the number of the sub-group";
  let description = [{
    `get_sub_group_id` gives all lanes the same number, which compilers of kernels do not see: what
    is loaded from an address made of it becomes a gather. The broadcast of lane 0 is known to be
    uniform. Runs on the LLVM dialect.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // SSMQ_CONVERSION_SSMTOXE_PASSES
