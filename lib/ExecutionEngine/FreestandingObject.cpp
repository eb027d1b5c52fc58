//===- FreestandingObject.cpp - Objects for machines without a system -----===//

#include "FreestandingModule.h"
#include "ObjectSizes.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/Support/FileSystem.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

namespace {

/// Adds up stack frames along calls. There is no recursion: kernels call nothing, entries kernels.
class StackDepth {
public:
  StackDepth(const llvm::StringMap<uint64_t> &frames, uint64_t callBytes)
      : frames(frames), callBytes(callBytes) {}

  uint64_t of(const llvm::Function &function) const {
    uint64_t deepest = 0;
    for (const llvm::Instruction &instruction : llvm::instructions(function))
      if (const auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction))
        if (const llvm::Function *callee = call->getCalledFunction())
          if (!callee->isDeclaration())
            deepest = std::max(deepest, of(*callee));
    return frames.lookup(function.getName()) + callBytes + deepest;
  }

private:
  const llvm::StringMap<uint64_t> &frames;
  /// What a call leaves on the stack beside frames.
  uint64_t callBytes;
};

} // namespace

/// Compilers bring these along (__aeabi_fadd or __addsf3) for processors without the instructions.
static bool isCompilerRuntime(llvm::StringRef name, const llvm::Triple &triple) {
  return triple.isThumb() && name.starts_with("__") && !name.starts_with("__kmpc");
}

static Error check(const ObjectSizes &object, const llvm::Triple &triple) {
  for (const std::string &name : object.undefined)
    if (!isCompilerRuntime(name, triple))
      return makeError("the program needs {0}, which a freestanding object does without", name);
  if (object.writable)
    return makeError("the program has {0} bytes of variables, which a freestanding object does "
                     "without",
                     object.writable);
  return Error::success();
}

Expected<FreestandingSizes> ssmq::emitFreestandingObject(mlir::ModuleOp lowered,
                                                         const ProgramSignature &signature,
                                                         WeightResolver weights,
                                                         const FreestandingOptions &options,
                                                         llvm::StringRef path) {
  FreestandingSizes sizes;
  Expected<LibraryModule> library =
      buildFreestandingModule(lowered, signature, weights, options, sizes);
  if (!library)
    return library.takeError();
  Expected<ScratchFolder> scratch = ScratchFolder::create();
  if (!scratch)
    return scratch.takeError();
  std::string file = scratch->getFile("program.o");
  if (Error error = writeScratchObject(*library, file))
    return std::move(error);
  Expected<ObjectSizes> object = readObjectSizes(file);
  if (!object)
    return object.takeError();
  const llvm::Triple &triple = library->target->getTargetTriple();
  if (Error error = check(*object, triple))
    return std::move(error);
  sizes.code = object->code;
  sizes.readOnly = object->readOnly;
  sizes.helpers = object->undefined;
  // x86 pushes the address to return to; elsewhere it is part of frames.
  StackDepth depth(object->frames, triple.isX86() ? 8 : 0);
  sizes.stack = depth.of(*library->module->getFunction(options.name + "_step"));
  if (Error error = publish(file, path))
    return std::move(error);
  return sizes;
}
