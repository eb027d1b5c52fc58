//===- Passes.td - Passes towards compiled programs -----------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_TRANSFORMS_PASSES
#define SSMQ_DIALECT_SSM_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def SpecializeTokens : Pass<"ssmq-specialize-tokens", "::mlir::ModuleOp"> {
  let summary = "add @decode, a copy of @forward for one token";
  let description = [{
    Clones @forward under the name @decode with `tensor<1xi32>` tokens and gives every value that
    follows from them a static shape, so that kernels for one token (matrix times vector, no loop
    over tokens) are generated. A module without @forward, with a @decode or with tokens of a
    static number is left as it is. With `steps`, @forward itself takes so many tokens, or steps of
    features, and there is no copy.
  }];
  let options = [Option<"steps", "steps", "int64_t", "0",
                        "Steps that @forward takes; 0 makes a copy for one token instead">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect"];
}

def AddPrefill : Pass<"ssmq-add-prefill", "::mlir::ModuleOp"> {
  let summary = "add @prefill, a copy of @forward for the last token's output";
  let description = [{
    Clones @forward under the name @prefill, which takes as many tokens and updates the states as
    @forward does, but returns the row of its output that follows from the last token only. What
    treats each token alone (`ssm.linear` and norms, elementwise ops) and serves nothing but that row
    is computed for it alone: the head over the vocabulary, the last norm, the last projection. A
    module without @forward, with a @prefill or with tokens of a static number is left as it is.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def BindWeights : Pass<"ssmq-bind-weights", "::mlir::ModuleOp"> {
  let summary = "make weights external memory under their own names";
  let description = [{
    `ml_program.global @w(#ml_program.extern)` becomes the declaration `memref.global @w`, which the
    JIT binds to the bytes of the checkpoint and the linker to those of an archive; a global with a
    value becomes a constant. Quantized weights must be packed (`--ssmq-pack`).
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect"];
}

def EntryABI : Pass<"ssmq-entry-abi", "::mlir::ModuleOp"> {
  let summary = "entries take buffers and return nothing";
  let description = [{
    A public function on tensors, `(inputs..., states...) -> (output, next states...)`, becomes one
    on buffers, `(inputs..., states..., output)` with the states updated in place and
    `llvm.emit_c_interface`. States are the arguments with the attribute `ssm.state`; where no
    argument has it, as many of the last arguments as there are results after the first.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect"];
}

def StoreStates : Pass<"ssmq-store-states", "::mlir::ModuleOp"> {
  let summary = "states take the types of their formats";
  let description = [{
    An argument `ssm.state` that one op of `state_format` f16 or bf16 reads, and its next value,
    become tensors of that type; of a dynamic `i8 sym` (per_head, per_channel or group=N) tensors of
    i8 codes, followed by an argument and a result for the scales, `<name>:scales`. Other states
    stay as they are. Run it before a program's signature is read: what executes sees the small
    states. The scans of Mamba then round them behind the last token of a call, not behind each:
    single tokens give the same bits, prompts are nearer to unrounded states. `ssm.diagonal_scan`
    rounds behind each token all the same.
  }];
}

def FuseElementwise : Pass<"ssmq-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "chains of elementwise ops become one linalg.generic each";
  let description = [{
    Brings elementwise arith and math on tensors, splats and broadcasts to `linalg.generic`, and
    fuses a producer into its only user, so that a chain such as silu(z) * y passes over memory
    once.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def ExpandCopies : Pass<"ssmq-expand-copies", "::mlir::func::FuncOp"> {
  let summary = "copies of strided buffers become loops";
  let description = [{
    `memref.copy` between contiguous buffers is a memcpy; any other would call MLIR's runtime
    library, which programs do not carry.
  }];
  let options = [Option<"all", "all", "bool", "false",
                        "Contiguous ones too: for programs that have no memcpy">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def FreeBuffers : Pass<"ssmq-free-buffers", "::mlir::func::FuncOp"> {
  let summary = "free each buffer after its last use";
  let description = [{
    Inserts `memref.dealloc` behind the last op of the block that may use an allocation or a view of
    it. A buffer that leaves its block through the terminator, or has been freed already, is left
    alone.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def ReuseOutput : Pass<"ssmq-reuse-output", "::mlir::func::FuncOp"> {
  let summary = "compute an output in the buffer that it goes to";
  let description = [{
    Where an argument is only the target of a copy from a buffer of the function, made for it and not
    used after it, the argument takes the buffer's place: no copy of the logits.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def PlanBuffers : Pass<"ssmq-plan-buffers", "::mlir::func::FuncOp"> {
  let summary = "buffers of a function share one block of memory";
  let description = [{
    The allocations of static size that are freed in their own block become places in one block of
    memory at the start of the function, or of the parallel region that they are in; buffers that are
    not needed at the same time share places, all on 64-byte boundaries. The block is on the stack up
    to `max-stack-bytes`, else one allocation. A function for one token allocates nothing then.
    Buffers with a row for each token share one allocation in the same way, planned a row at a time:
    an allocator would give their pages back and fault them in again for each layer.

    With `workspace`, the block of a function with a C interface is its last argument, a buffer of
    exactly the bytes that are needed, and those of others are on the stack whatever their size.
  }];
  let options = [Option<"maxStackBytes", "max-stack-bytes", "int64_t", "256 << 10",
                        "Bytes of a function's buffers that may lie on the stack">,
                 Option<"workspace", "workspace", "bool", "false",
                        "The caller gives an entry the memory of its buffers">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandMath : Pass<"ssmq-expand-math"> {
  let summary = "replace transcendental functions of f32 by arithmetic that vectorizes";
  let description = [{
    `math.exp` becomes the polynomial of `lib/Kernels` (below 2 ulp, subnormal results included);
    log, log1p, expm1, tanh and erf take upstream's approximations. The rest stays for libm.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandForTarget : Pass<"ssmq-expand-for-target"> {
  let summary = "replace what the target has no instruction for by arithmetic";
  let description = [{
    For code without a library: where the target has none, fused multiply-adds become two ops, maxima and
    minima comparisons, `math.roundeven` adds and subtracts 2^23, and f16 is converted in integers, with the same bits.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"", "Processor (Support/Target.h)">,
    Option<"features", "features", "std::string", "\"\"", "Changes to its features">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def FormLaunches : Pass<"ssmq-form-launches", "::mlir::func::FuncOp"> {
  let summary = "group ops into ssm.launch, one for each launch of a kernel";
  let description = [{
    Every op of the ssm dialect and every elementwise `linalg.generic` goes into an `ssm.launch`.
    An op shares the launch of the one before it where that saves a pass over memory: elementwise
    ops with the op whose result they read (epilogues) or which reads theirs (prologues), linear
    layers of one token that read the same input, and, for one token, norms, rotations and rounding
    with what reads them, which each work-group then computes for itself.
  }];
  let dependentDialects = ["::mlir::ssm::SSMDialect", "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"fuse", "fuse", "bool", /*default=*/"true", "false gives each op its own launch">,
  ];
}

def NarrowLaunches : Pass<"ssmq-narrow-launches", "::mlir::func::FuncOp"> {
  let summary = "activations of several tokens have 16 bits between launches";
  let description = [{
    A result of an `ssm.launch` with a row for each token, in f32, that goes to other launches alone, whole
    or in slices, is rounded to `type` by the launch that makes it (`arith.truncf`, behind all else) and
    widened by those that read it (`arith.extf`, before all else): memory has 2 bytes of each number, and what
    is computed is f32 as before. States, outputs, scales of codes and single rows stay as they are.

    So do values that a launch adds to other activations, and their sums: the residual stream, to which
    all layers add and which in some models is beyond f16. `residual=true` narrows it, too.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [
    Option<"type", "type", "std::string", "\"f16\"", "f16, bf16, or off, which changes nothing">,
    Option<"residual", "residual", "bool", /*default=*/"false", "Narrow the residual stream, too">,
  ];
}

def Profile : Pass<"ssmq-profile", "::mlir::ModuleOp"> {
  let summary = "entries time their ops";
  let description = [{
    Puts each kernel call, copy and linalg op of an entry between calls of ssmq_profile_begin and
    ssmq_profile_end (Runtime/Profile.h), and lists the ops with their paths (names of locations),
    bytes and multiply-adds in the module's attribute `ssm.profile`. Runs on buffers.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}

#endif // SSMQ_DIALECT_SSM_TRANSFORMS_PASSES
