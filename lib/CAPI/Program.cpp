//===- Program.cpp - Programs and states of the C interface ---------------===//

#include "Handles.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/ExecutionEngine/CompiledProgram.h"
#include "ssmq/ExecutionEngine/Lower.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Pipelines/LowerToCPU.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "ssmq/Runtime/OpenCL/Device.h"
#include "ssmq/Support/Target.h"
#include "ssmq/Transforms/KernelWeights.h"
#include <cstring>
#include <thread>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

static Expected<mlir::ssm::WeightLookup> openWeights(mlir::ModuleOp module) {
  auto directory =
      module->getAttrOfType<mlir::StringAttr>(mlir::ssm::SSMDialect::kCheckpointAttrName);
  if (!directory)
    return createStringError("the module names no checkpoint in ssm.checkpoint");
  Expected<WeightStore> store = WeightStore::open(directory);
  if (!store)
    return store.takeError();
  auto shared = std::make_shared<const WeightStore>(std::move(*store));
  return [shared](llvm::StringRef name) { return shared->lookup(name); };
}

/// Makes a program of the module, which `fill` does not change.
static SsmqStatus makeProgram(
    SsmqModule *module, SsmqProgram **program,
    llvm::function_ref<Error(mlir::ModuleOp, SsmqProgram &, const mlir::ssm::WeightLookup &)>
        fill) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({module, program}))
      return error;
    return capi::runInContext(*module->shared, [&]() -> Error {
      Expected<mlir::ssm::WeightLookup> weights = openWeights(*module->op);
      if (!weights)
        return weights.takeError();
      auto made = std::make_unique<SsmqProgram>();
      made->shared = module->shared;
      if (Error error = fill(*module->op, *made, *weights))
        return error;
      *program = made.release();
      return Error::success();
    });
  });
}

static unsigned getThreads(unsigned threads) {
  return threads ? threads : std::max(1u, std::thread::hardware_concurrency());
}

SsmqStatus ssmqProgramInterpret(SsmqModule *module, SsmqKernels kernels, unsigned threads,
                                SsmqProgram **program) {
  KernelOptions options;
  options.set = kernels == SSMQ_KERNELS_FAST ? KernelSet::Fast : KernelSet::Reference;
  options.threads = getThreads(threads);
  return makeProgram(module, program,
                     [&](mlir::ModuleOp source, SsmqProgram &made,
                         const mlir::ssm::WeightLookup &weights) -> Error {
                       made.op = source.clone();
                       auto interpreter =
                           mlir::ssm::InterpreterProgram::create(*made.op, weights, options);
                       if (failed(interpreter))
                         return createStringError("the module cannot be interpreted");
                       made.program = std::move(*interpreter);
                       return Error::success();
                     });
}

SsmqStatus ssmqProgramCompile(SsmqModule *module, unsigned threads, const char *target,
                              const char *device, SsmqProgram **program) {
  CompileOptions options;
  options.threads = getThreads(threads);
  options.cpu = target ? target : "";
  return makeProgram(
      module, program,
      [&](mlir::ModuleOp source, SsmqProgram &made,
          const mlir::ssm::WeightLookup &weights) -> Error {
        // Before it is spelled in a pipeline.
        if (Error error = checkRunsHere(options.cpu))
          return error;
        Expected<std::shared_ptr<Device>> opened = openDevice(device && *device ? device : "cpu");
        if (!opened)
          return opened.takeError();
        options.device = std::move(*opened);
        mlir::ssm::KernelWeightOptions preparation{options.threads};
        preparation.integerScans = !options.device;
        auto kernels = mlir::ssm::prepareForKernels(source, weights, preparation);
        if (failed(kernels))
          return createStringError("the weights cannot be prepared for kernels");
        Expected<ProgramSignature> signature = mlir::ssm::readCompiledSignature(*kernels->module);
        if (!signature)
          return signature.takeError();
        auto compiled =
            CompiledProgram::compileSource(*kernels->module, std::move(*signature),
                                           getLowering(options), kernels->weights, options);
        if (!compiled)
          return compiled.takeError();
        made.program = std::move(*compiled);
        return Error::success();
      });
}

void ssmqProgramDestroy(SsmqProgram *program) {
  if (!program)
    return;
  std::shared_ptr<capi::SharedContext> shared = program->shared;
  std::lock_guard<std::mutex> lock(shared->mutex);
  delete program;
}

int64_t ssmqProgramGetVocabSize(const SsmqProgram *program) {
  return program->program->getVocabSize();
}

int64_t ssmqProgramGetNumFeatures(const SsmqProgram *program) {
  return program->program->getNumFeatures();
}

int64_t ssmqProgramGetNumRows(const SsmqProgram *program, int64_t numSteps) {
  return program->program->getNumRows(numSteps);
}

SsmqStatus ssmqStateCreate(const SsmqProgram *program, int64_t capacity, SsmqState **state) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({program, state}))
      return error;
    Expected<ProgramState> value = program->program->createState(capacity);
    if (!value)
      return value.takeError();
    auto made = std::make_unique<SsmqState>();
    made->value = std::move(*value);
    *state = made.release();
    return Error::success();
  });
}

SsmqStatus ssmqStateClone(SsmqState *state, SsmqState **clone) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({state, clone}))
      return error;
    auto made = std::make_unique<SsmqState>();
    std::lock_guard<std::mutex> lock(state->mutex);
    // Tensors share their bytes until one of the states is written.
    made->value = state->value;
    *clone = made.release();
    return Error::success();
  });
}

void ssmqStateDestroy(SsmqState *state) { delete state; }

int64_t ssmqStateGetLength(SsmqState *state) {
  std::lock_guard<std::mutex> lock(state->mutex);
  return state->value.length;
}

int64_t ssmqStateGetCapacity(SsmqState *state) {
  std::lock_guard<std::mutex> lock(state->mutex);
  return state->value.capacity;
}

using Forward = Expected<Tensor> (Program::*)(const Tensor &, ProgramState &) const;

/// Feeds steps of `inputs`, which are borrowed from the caller.
static SsmqStatus feed(const SsmqProgram *program, SsmqState *state, const void *inputs, DType type,
                       size_t numSteps, float *logits, Forward forward) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({program, state}))
      return error;
    if (numSteps == 0)
      return Error::success();
    if (Error error = capi::checkPointers({program, state, inputs, logits}))
      return error;
    Shape shape{static_cast<int64_t>(numSteps)};
    if (type == DType::F32)
      shape.push_back(program->program->getNumFeatures());
    std::lock_guard<std::mutex> lock(state->mutex);
    Expected<Tensor> result = ((*program->program).*forward)(
        Tensor::borrow(type, shape, inputs, /*owner=*/nullptr), state->value);
    if (!result)
      return result.takeError();
    std::memcpy(logits, result->getRawData(), result->getNumBytes());
    return Error::success();
  });
}

SsmqStatus ssmqProgramForward(const SsmqProgram *program, SsmqState *state, const int32_t *tokens,
                              size_t numTokens, float *logits) {
  return feed(program, state, tokens, DType::I32, numTokens, logits, &Program::forward);
}

SsmqStatus ssmqProgramForwardLast(const SsmqProgram *program, SsmqState *state,
                                  const int32_t *tokens, size_t numTokens, float *logits) {
  return feed(program, state, tokens, DType::I32, numTokens, logits, &Program::forwardLast);
}

SsmqStatus ssmqProgramForwardFeatures(const SsmqProgram *program, SsmqState *state,
                                      const float *features, size_t numSteps, float *logits) {
  return feed(program, state, features, DType::F32, numSteps, logits, &Program::forward);
}
