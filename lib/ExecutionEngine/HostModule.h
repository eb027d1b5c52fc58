//===- HostModule.h - LLVM dialect to optimised LLVM IR ---------*- C++ -*-===//
//
// What JIT and AOT share: translation of a lowered module, the target machine, the optimisation
// pipeline, and the external symbols that the result needs.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_HOSTMODULE_H
#define SSMQ_LIB_EXECUTIONENGINE_HOSTMODULE_H

#include "ProgramObject.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace ssmq {

/// The C interface names that MLIR gives @forward, @decode and @prefill.
inline constexpr llvm::StringLiteral kForwardEntry = "_mlir_ciface_forward";
inline constexpr llvm::StringLiteral kDecodeEntry = "_mlir_ciface_decode";
inline constexpr llvm::StringLiteral kPrefillEntry = "_mlir_ciface_prefill";

llvm::Expected<llvm::orc::JITTargetMachineBuilder> createTarget(const CompileOptions &options);

/// Translates; fails when the module is not wholly in the LLVM and OpenMP dialects or its entry
/// does not take `signature`, and behind it, when it is freestanding, its workspace.
llvm::Expected<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module,
                                                        const ProgramSignature &signature,
                                                        const llvm::TargetMachine &target,
                                                        llvm::LLVMContext &context,
                                                        bool isFreestanding = false);

/// Defines `void name(ptr descriptors)`, which calls the entry with the pointers of the array: C++
/// cannot call a function whose number of arguments is known at run time only.
void addInvoke(llvm::Module &module, llvm::StringRef name, llvm::StringRef entryName);

/// Freestanding code calls no function that it does not define, and is small rather than fast.
void optimize(llvm::Module &module, llvm::TargetMachine &target, unsigned level,
              bool isFreestanding = false);

/// Appends the declared variables of a module, which are its weights, and checks their sizes. The
/// alignment of each declaration becomes that of its bytes.
llvm::Error resolveWeights(llvm::Module &module, WeightResolver resolver,
                           std::vector<ProgramObject::Weight> &weights);

/// The bytes of a weight; fails when they are too few or not aligned as code expects them.
llvm::Expected<Tensor> resolveWeight(const ProgramObject::Weight &weight, WeightResolver resolver);

bool needsOpenMP(const llvm::Module &module);
/// Path of libomp.so.5, or its bare name for the system's search path.
std::string findOpenMPRuntime();

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_HOSTMODULE_H
