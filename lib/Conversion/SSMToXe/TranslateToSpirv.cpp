//===- TranslateToSpirv.cpp - LLVM IR to SPIR-V ---------------------------===//
//
// LLVM 22's back end for SPIR-V keeps the numbers of labels in one table of the process
// (SPIRVModuleAnalysis::MAI.BBNumToRegMap), by the address of a function's code, and never empties
// it. A module whose functions come to lie where those of an earlier module lay takes labels of
// that one, which are numbers of something else by now. So one module is translated at a time, and
// its functions lie where none of an earlier one did.
//
//===----------------------------------------------------------------------===//

#include "TranslateToSpirv.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/CodeGen/MachineFunction.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Target/TargetLoweringObjectFile.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>
#include <vector>

using namespace llvm;

/// An address that no earlier module's function had. Addresses come again when a module is done.
static std::unique_ptr<MachineFunction> makeFunction(Function &function,
                                                     const TargetMachine &target,
                                                     MachineModuleInfo &info, unsigned number) {
  static DenseSet<const void *> used;
  const TargetSubtargetInfo &subtarget = *target.getSubtargetImpl(function);
  std::vector<std::unique_ptr<MachineFunction>> old;
  while (true) {
    auto made =
        std::make_unique<MachineFunction>(function, target, subtarget, info.getContext(), number);
    if (used.insert(made.get()).second) {
      made->initTargetMachineFunctionInfo(subtarget);
      target.registerMachineRegisterInfoCallback(*made);
      return made;
    }
    old.push_back(std::move(made));
  }
}

static Expected<std::unique_ptr<TargetMachine>> makeTarget(const Triple &triple) {
  std::string problem;
  const Target *target = TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return createStringError(problem);
  // Drivers optimise, for what they know.
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, "", "", {}, std::nullopt, std::nullopt, CodeGenOptLevel::None));
}

Expected<SmallVector<char, 0>> mlir::ssm::translateToSpirv(Module &module, const Triple &triple) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  Expected<std::unique_ptr<TargetMachine>> target = makeTarget(triple);
  if (!target)
    return target.takeError();
  module.setDataLayout((*target)->createDataLayout());

  SmallVector<char, 0> spirv;
  raw_svector_ostream stream(spirv);
  legacy::PassManager passes;
  auto *functions = new MachineModuleInfoWrapperPass(target->get());
  MachineModuleInfo &info = functions->getMMI();
  (*target)->getObjFileLowering()->Initialize(info.getContext(), **target);
  if ((*target)->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile,
                                     /*DisableVerify=*/false, functions))
    return createStringError("this LLVM writes no SPIR-V");
  for (auto [number, function] : enumerate(module))
    if (!function.isDeclaration())
      info.insertFunction(function, makeFunction(function, **target, info, number));
  passes.run(module);
  return spirv;
}
