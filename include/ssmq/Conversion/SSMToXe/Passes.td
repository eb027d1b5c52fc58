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

#endif // SSMQ_CONVERSION_SSMTOXE_PASSES
