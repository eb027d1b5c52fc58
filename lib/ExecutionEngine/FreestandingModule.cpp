//===- FreestandingModule.cpp - The LLVM module of a small object ---------===//

#include "FreestandingModule.h"

#include "HostModule.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/Utils/Workspace.h"
#include "ssmq/ExecutionEngine/Library.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Target.h"
#include "llvm/Config/Targets.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace ssmq;
using llvm::Expected;
using llvm::Value;

/// Of the caller's memory, and of each state in it: no number is larger, and vectors are loaded
/// from any address.
static constexpr uint64_t kAlignment = 8;

Expected<FreestandingLayout> ssmq::getFreestandingLayout(mlir::ModuleOp lowered,
                                                         const ProgramSignature &signature) {
  FreestandingLayout layout;
  for (const StateSignature &state : signature.states) {
    int64_t bytes = getBitWidth(state.type) / 8;
    for (int64_t dim : state.shape) {
      if (mlir::ShapedType::isDynamic(dim))
        return makeError("state {0} grows with the sequence, and a freestanding object has states "
                         "of fixed size only",
                         quote(state.name));
      bytes *= dim;
    }
    layout.stateOffsets.push_back(layout.stateBytes);
    layout.stateBytes += llvm::alignTo(bytes, kAlignment);
  }
  auto entry = lowered.lookupSymbol<mlir::LLVM::LLVMFuncOp>("forward");
  auto workspace =
      entry ? entry->getAttrOfType<mlir::IntegerAttr>(mlir::ssm::kWorkspaceAttrName) : nullptr;
  if (!workspace)
    return makeError("the module was not lowered for freestanding code; give the lowering the "
                     "option freestanding=N");
  layout.workspaceBytes = llvm::alignTo(workspace.getInt(), kAlignment);
  return layout;
}

static void initializeTargets() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
#if LLVM_HAS_ARM_TARGET
  LLVMInitializeARMTargetInfo();
  LLVMInitializeARMTarget();
  LLVMInitializeARMTargetMC();
  LLVMInitializeARMAsmPrinter();
#endif
}

Expected<std::unique_ptr<llvm::TargetMachine>>
ssmq::createFreestandingTarget(const CompileOptions &options) {
  initializeTargets();
  Expected<Target> target = resolveTarget(options.cpu, options.features);
  if (!target)
    return target.takeError();
  llvm::Triple triple(target->triple);
  std::string problem;
  const llvm::Target *known = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!known)
    return makeError("this LLVM makes no code for {0}", target->triple);
  llvm::TargetOptions more;
  more.EmitStackSizeSection = true;
  // Code that is linked to fixed addresses needs no table of them; hosts may move theirs.
  bool isHost = isHostArchitecture(*target);
  auto level = static_cast<llvm::CodeGenOptLevel>(std::min(options.optLevel, 3u));
  std::unique_ptr<llvm::TargetMachine> machine(known->createTargetMachine(
      triple, target->cpu, target->features, more, isHost ? llvm::Reloc::PIC_ : llvm::Reloc::Static,
      llvm::CodeModel::Small, level));
  if (!machine)
    return makeError("this LLVM makes no code for {0}", target->triple);
  return machine;
}

/// A descriptor of MLIR's C interface on the stack, which the optimiser takes apart: rows of
/// `shape` at `data`.
static Value *describe(llvm::IRBuilder<> &builder, Value *data, llvm::ArrayRef<int64_t> shape) {
  llvm::Type *word = builder.getInt64Ty(), *pointer = builder.getPtrTy();
  auto *dims = llvm::ArrayType::get(word, shape.size());
  llvm::SmallVector<llvm::Type *, 5> parts = {pointer, pointer, word};
  if (!shape.empty())
    parts.append({dims, dims});
  auto *type = llvm::StructType::get(builder.getContext(), parts);
  Value *descriptor = builder.CreateAlloca(type);
  auto set = [&](Value *value, llvm::ArrayRef<unsigned> place) {
    llvm::SmallVector<Value *, 3> indices = {builder.getInt32(0)};
    for (unsigned index : place)
      indices.push_back(builder.getInt32(index));
    builder.CreateStore(value, builder.CreateInBoundsGEP(type, descriptor, indices));
  };
  set(data, {0});
  set(data, {1});
  set(builder.getInt64(0), {2});
  int64_t stride = 1;
  for (unsigned d = shape.size(); d-- > 0; stride *= shape[d]) {
    set(builder.getInt64(shape[d]), {3, d});
    set(builder.getInt64(stride), {4, d});
  }
  return descriptor;
}

static llvm::Function *addFunction(llvm::Module &module, const llvm::Twine &name,
                                   unsigned numPointers) {
  llvm::LLVMContext &context = module.getContext();
  llvm::SmallVector<llvm::Type *> pointers(numPointers, llvm::PointerType::get(context, 0));
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), pointers, false);
  auto *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
  llvm::BasicBlock::Create(context, "", function);
  return function;
}

/// void NAME_init(state): zeros.
static void addInit(llvm::Module &module, const std::string &name,
                    const FreestandingLayout &layout) {
  llvm::Function *init = addFunction(module, name + "_init", 1);
  llvm::BasicBlock *entry = &init->getEntryBlock();
  llvm::IRBuilder<> builder(entry);
  if (layout.stateBytes == 0) {
    builder.CreateRetVoid();
    return;
  }
  auto *loop = llvm::BasicBlock::Create(module.getContext(), "", init);
  auto *done = llvm::BasicBlock::Create(module.getContext(), "", init);
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  llvm::PHINode *at = builder.CreatePHI(builder.getInt32Ty(), 2);
  at->addIncoming(builder.getInt32(0), entry);
  Value *place = builder.CreateInBoundsGEP(builder.getInt32Ty(), init->getArg(0), at);
  builder.CreateAlignedStore(builder.getInt32(0), place, llvm::Align(4));
  Value *next = builder.CreateAdd(at, builder.getInt32(1));
  at->addIncoming(next, loop);
  builder.CreateCondBr(builder.CreateICmpULT(next, builder.getInt32(layout.stateBytes / 4)), loop,
                       done);
  builder.SetInsertPoint(done);
  builder.CreateRetVoid();
}

/// void NAME_step(state, workspace, inputs, logits)
static void addStep(llvm::Module &module, const std::string &name, const FreestandingLayout &layout,
                    const ProgramSignature &signature, int64_t steps) {
  llvm::Function *step = addFunction(module, name + "_step", 4);
  llvm::IRBuilder<> builder(&step->getEntryBlock());
  llvm::SmallVector<int64_t> inputs = {steps};
  if (signature.numFeatures)
    inputs.push_back(signature.numFeatures);
  llvm::SmallVector<Value *> arguments = {describe(builder, step->getArg(2), inputs)};
  for (auto [state, offset] : llvm::zip_equal(signature.states, layout.stateOffsets)) {
    Value *place = builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), step->getArg(0), offset);
    arguments.push_back(describe(builder, place, state.shape));
  }
  arguments.push_back(
      describe(builder, step->getArg(3), {signature.getNumRows(steps), signature.vocabSize}));
  arguments.push_back(describe(builder, step->getArg(1), {layout.workspaceBytes}));
  builder.CreateCall(module.getFunction(kForwardEntry), arguments);
  builder.CreateRetVoid();
}

/// The bytes that a weight's declaration asks for, in a constant that replaces it.
static void define(llvm::GlobalVariable &weight, const Tensor &tensor) {
  llvm::Module &module = *weight.getParent();
  const llvm::DataLayout &layout = module.getDataLayout();
  llvm::StringRef bytes(static_cast<const char *>(tensor.getRawData()),
                        layout.getTypeAllocSize(weight.getValueType()));
  auto *value = llvm::ConstantDataArray::getRaw(bytes, bytes.size(),
                                                llvm::Type::getInt8Ty(module.getContext()));
  auto *constant = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::InternalLinkage, value);
  constant->setAlignment(layout.getABITypeAlign(weight.getValueType()));
  weight.replaceAllUsesWith(constant);
  constant->takeName(&weight);
  weight.eraseFromParent();
}

Expected<LibraryModule> ssmq::buildFreestandingModule(mlir::ModuleOp lowered,
                                                      const ProgramSignature &signature,
                                                      WeightResolver weights,
                                                      const FreestandingOptions &options,
                                                      FreestandingSizes &sizes) {
  if (makeLibraryName(options.name) != options.name)
    return makeError("the name {0} is not a C identifier", quote(options.name));
  Expected<FreestandingLayout> layout = getFreestandingLayout(lowered, signature);
  if (!layout)
    return layout.takeError();
  sizes.state = layout->stateBytes;
  sizes.workspace = layout->workspaceBytes;

  LibraryModule library;
  Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createFreestandingTarget(options.compile);
  if (!machine)
    return machine.takeError();
  library.target = std::move(*machine);
  library.context = std::make_unique<llvm::LLVMContext>();
  Expected<std::unique_ptr<llvm::Module>> translated =
      translate(lowered, signature, *library.target, *library.context, /*isFreestanding=*/true);
  if (!translated)
    return translated.takeError();
  library.module = std::move(*translated);
  llvm::Module &module = *library.module;

  llvm::internalizeModule(module, [](const llvm::GlobalValue &) { return false; });
  addInit(module, options.name, *layout);
  addStep(module, options.name, *layout, signature, options.steps);
  for (llvm::Function &function : module) {
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // So that the back end, too, calls nothing that is not written down.
    function.addFnAttr("no-builtins");
    if (!function.isDeclaration() && options.compile.optLevel > 1)
      function.addFnAttr(llvm::Attribute::OptimizeForSize);
  }
  for (llvm::GlobalVariable &global : module.globals())
    if (global.isDeclaration())
      global.setDSOLocal(true);
  optimize(module, *library.target, options.compile.optLevel, /*isFreestanding=*/true);

  // Only now: the optimiser would write weights into instructions.
  std::vector<llvm::GlobalVariable *> declared;
  for (llvm::GlobalVariable &global : module.globals())
    if (global.isDeclaration() && !global.use_empty())
      declared.push_back(&global);
  for (llvm::GlobalVariable *global : declared) {
    uint64_t numBytes = module.getDataLayout().getTypeAllocSize(global->getValueType());
    Expected<Tensor> tensor = resolveWeight({global->getName().str(), numBytes, 1}, weights);
    if (!tensor)
      return tensor.takeError();
    define(*global, *tensor);
    sizes.weights += numBytes;
  }
  return library;
}
