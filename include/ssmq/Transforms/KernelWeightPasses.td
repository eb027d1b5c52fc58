//===- KernelWeightPasses.td - Weights as kernels read them ---*- tablegen -*-===//

#ifndef SSMQ_TRANSFORMS_KERNELWEIGHTPASSES
#define SSMQ_TRANSFORMS_KERNELWEIGHTPASSES

include "mlir/Pass/PassBase.td"

def ExpandFormatsPass : Pass<"ssmq-expand-formats", "::mlir::ModuleOp"> {
  let summary = "weights in formats that have no kernel become f32";
  let description = [{
    Replaces each `ssm.dequantize`, and each weight whose codes are not of 4 or 8 bits, by the f32
    values that they stand for, and writes all weights of the program to a new safetensors file that
    becomes the module's checkpoint. So a program with weights in any format can be compiled; it
    computes the same and is larger. Where there are no such weights, no file is written.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::ml_program::MLProgramDialect",
                           "::mlir::arith::ArithDialect"];
}

def IntegerScansPass : Pass<"ssmq-integer-scans", "::mlir::ModuleOp"> {
  let summary = "diagonal scans of quantized systems in integers";
  let description = [{
    An `ssm.diagonal_scan` becomes `ssm.integer_diagonal_scan` when its input is rounded to static
    integers of one scale, a, b and c are codes and its state is in static integers, all of at most
    8 bits (an asymmetric input: 7) and the latter per head or tensor, and when the multipliers of
    each head, made of its scales, provably overflow no i32. The state becomes bytes. All weights of
    the program are written to a new safetensors file that becomes the module's checkpoint; where
    there is no such scan, no file is written. Compiling for a CPU does the same in memory.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"explain", "explain", "bool", "false",
           "Say of each scan, as a remark, whether it became one in integers and why not">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::ml_program::MLProgramDialect"];
}

def PackPass : Pass<"ssmq-pack", "::mlir::ModuleOp"> {
  let summary = "give quantized weights the type of their bytes";
  let description = [{
    `!quant.any` weights become tensors of i8 with `packed_bits`, as code generators read them and
    as they lie in the checkpoint already: no data move.
  }];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::ml_program::MLProgramDialect"];
}

def FoldParametersPass : Pass<"ssmq-fold-parameters", "::mlir::ModuleOp"> {
  let summary = "what is computed from weights alone, computed once";
  let description = [{
    Evaluates float values that depend on nothing but weights, as A = -exp(A_log), by the reference
    interpreter, and writes all weights of the program, these values among them, to a new
    safetensors file that becomes the module's checkpoint. A value that takes more than twice the
    bytes of its weights stays computed, and so do weights in formats. The weights stay in the file,
    for exports. Where nothing can be folded, no file is written.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::ml_program::MLProgramDialect"];
}

def MarkStablePass : Pass<"ssmq-mark-stable", "::mlir::ModuleOp"> {
  let summary = "systems whose states cannot grow, by a proof in the program";
  let description = [{
    Sets `stable` on each `ssm.diagonal_scan` with |a| < 1 throughout, and takes it from the others.
    The verifier shows it again each time from the program alone: where the format of `a` does not
    tell (`logpolar<m,p> stable` does), `a`, or its codes and scales, become constants of the
    program. Where |a| is 1 or more, as coarse formats make it, a warning says at which site, head and
    state; values that depend on tokens are left as they are. Run it when nothing is to change `a`
    any more.
  }];
  let options = [
    Option<"output", "output", "std::string", "",
           "File for what is unstable (JSON: site, head, state, magnitude), beside the warnings">,
    Option<"embed", "embed", "bool", "true",
           "Make constants of values that only they prove; else those scans are not marked">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def TileWeightsPass : Pass<"ssmq-tile-weights", "::mlir::ModuleOp"> {
  let summary = "quantized weights in tiles of rows, as kernels stream them";
  let description = [{
    Rearranges the codes of 4 or 8 bits that linear layers read, packed or not, and their scales and
    zero points, into tiles of 16 rows (see Formats/Tiling.h), and writes all weights of the program
    to a new safetensors file that becomes the module's checkpoint. An embedding that shares its
    table with a linear layer reads it in tiles as well. Weights that anything else reads, or that
    only embeddings or convolutions read, stay as they are; where nothing can be tiled, no file is
    written.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "Safetensors file to write">,
    Option<"checkpoint", "checkpoint", "std::string", "",
           "Where the weights are (default: the module's ssm.checkpoint)">,
    Option<"threads", "threads", "unsigned", "0", "Threads; 0: all cores">,
  ];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::ml_program::MLProgramDialect"];
}

#endif // SSMQ_TRANSFORMS_KERNELWEIGHTPASSES
