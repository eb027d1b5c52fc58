//===- CompiledProgram.cpp - A program compiled in memory -----------------===//

#include "ssmq/ExecutionEngine/CompiledProgram.h"

#include "DeviceTensors.h"
#include "HostModule.h"
#include "ProgramKey.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/ExecutionEngine/Lower.h"
#include "ssmq/Runtime/Gemm.h"
#include "ssmq/Runtime/OpenCL/Launch.h"
#include "ssmq/Runtime/Profile.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <mutex>
#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

namespace {
/// Collects what an ORC session reports, from any thread.
class SessionErrors {
public:
  void add(Error error) {
    std::lock_guard<std::mutex> lock(mutex);
    text += (text.empty() ? "" : "; ") + llvm::toString(std::move(error));
  }
  /// The reported reasons if there are any, else `failure`.
  Error explain(Error failure) {
    std::lock_guard<std::mutex> lock(mutex);
    if (text.empty())
      return failure;
    llvm::consumeError(std::move(failure));
    return llvm::createStringError("the compiled code does not link: %s", text.c_str());
  }

private:
  std::mutex mutex;
  std::string text;
};
} // namespace

CompiledProgram::CompiledProgram(ProgramSignature signature) : signature(std::move(signature)) {}
CompiledProgram::~CompiledProgram() = default;

Expected<std::unique_ptr<CompiledProgram>> CompiledProgram::compile(mlir::ModuleOp lowered,
                                                                    ProgramSignature signature,
                                                                    WeightResolver weights,
                                                                    const CompileOptions &options) {
  Expected<ProgramObject> object = compileObject(lowered, signature, weights, options);
  if (!object)
    return object.takeError();
  return link(std::move(*object), std::move(signature), weights, options);
}

Expected<std::unique_ptr<CompiledProgram>>
CompiledProgram::compileSource(mlir::ModuleOp source, ProgramSignature signature,
                               llvm::StringRef lowering, WeightResolver weights,
                               const CompileOptions &options) {
  std::optional<ObjectCache> cache;
  std::optional<ProgramKey> key;
  if (options.useCache && (cache = ObjectCache::open()))
    key = computeKey(source, lowering, options);
  if (key)
    if (std::optional<ProgramObject> object = cache->lookup(*key)) {
      auto program = link(std::move(*object), signature, weights, options);
      if (program)
        return program;
      // New code will not help a device that is full or broken. Others: say, weights lie less
      // aligned than those it was compiled for.
      Error error = program.takeError();
      if (options.device)
        return error;
      llvm::consumeError(std::move(error));
    }

  std::optional<ProgramObject> object;
  {
    mlir::OwningOpRef<mlir::ModuleOp> module = source.clone();
    if (Error error = lower(*module, lowering))
      return error;
    Expected<ProgramObject> compiled = compileObject(*module, signature, weights, options);
    if (!compiled)
      return compiled.takeError();
    object = std::move(*compiled);
  }
#ifdef __GLIBC__
  // The compilers' memory, several times that of small models, is not needed again.
  malloc_trim(0);
#endif
  if (key)
    cache->store(*key, *object);
  return link(std::move(*object), std::move(signature), weights, options);
}

Expected<std::unique_ptr<CompiledProgram>> CompiledProgram::link(ProgramObject object,
                                                                 ProgramSignature signature,
                                                                 WeightResolver weights,
                                                                 const CompileOptions &options) {
  std::unique_ptr<CompiledProgram> program(new CompiledProgram(std::move(signature)));
  if (options.device)
    program->device = std::make_unique<DeviceTensors>(options.device);
  Expected<llvm::orc::JITTargetMachineBuilder> target = createTarget(options);
  if (!target)
    return target.takeError();
  Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(*target).create();
  if (!jit)
    return jit.takeError();
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  // ORC reports why a lookup failed (say, the missing function) apart from the failure.
  auto reasons = std::make_shared<SessionErrors>();
  (*jit)->getExecutionSession().setErrorReporter(
      [reasons](Error error) { reasons->add(std::move(error)); });

  llvm::orc::SymbolMap symbols;
  auto define = [&](llvm::StringRef name, auto *address) {
    symbols[(*jit)->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                              llvm::JITSymbolFlags::Exported};
  };
  define("ssmq_gemm", &ssmq_gemm);
  define("ssmq_profile_begin", &ssmq_profile_begin);
  define("ssmq_profile_end", &ssmq_profile_end);
  define("ssmq_xe_launch", &ssmq_xe_launch);
  define("ssmq_xe_copy", &ssmq_xe_copy);
  define("ssmq_xe_store", &ssmq_xe_store);
  define("ssmq_xe_scratch", &ssmq_xe_scratch);
  define("_mlir_memref_to_llvm_alloc", &ssmq_xe_allocate);
  define("_mlir_memref_to_llvm_free", &ssmq_xe_free);
  for (const ProgramObject::Weight &weight : object.weights) {
    Expected<Tensor> tensor = resolveWeight(weight, weights);
    if (tensor && program->device)
      tensor = program->device->upload(*tensor);
    if (!tensor)
      return tensor.takeError();
    define(weight.name, tensor->getRawData());
    program->weights.push_back(std::move(*tensor));
  }
  if (Error error = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  if (object.isThreaded) {
    auto runtime = llvm::orc::DynamicLibrarySearchGenerator::Load(
        findOpenMPRuntime().c_str(), (*jit)->getDataLayout().getGlobalPrefix());
    if (!runtime)
      return llvm::joinErrors(
          llvm::createStringError(
              "threaded code needs LLVM's OpenMP runtime; install libomp-22-dev"),
          runtime.takeError());
    library.addGenerator(std::move(*runtime));
  }
  if (Error error = (*jit)->addObjectFile(std::move(object.code)))
    return error;

  for (auto [name, invoke] : {std::pair(kInvokeForward, &program->invokeForward),
                              std::pair(kInvokeDecode, &program->invokeDecode),
                              std::pair(kInvokePrefill, &program->invokePrefill)}) {
    if (!llvm::is_contained(object.entries, name))
      continue;
    Expected<llvm::orc::ExecutorAddr> address = (*jit)->lookup(name);
    if (!address)
      return reasons->explain(address.takeError());
    *invoke = address->toPtr<Invoke>();
  }
  if (program->device && object.numSpirvBytes) {
    // Not at the first token: that would take seconds, and several programs may run by then.
    Expected<llvm::orc::ExecutorAddr> spirv = (*jit)->lookup(kSpirvSymbol);
    if (!spirv)
      return reasons->explain(spirv.takeError());
    llvm::StringRef bytes(spirv->toPtr<const char *>(), object.numSpirvBytes);
    if (Error error = program->device->getDevice().build(bytes))
      return error;
  }
  if (object.isThreaded && options.threads) {
    Expected<llvm::orc::ExecutorAddr> setter = (*jit)->lookup("omp_set_num_threads");
    if (!setter)
      return reasons->explain(setter.takeError());
    program->setNumThreads = setter->toPtr<void (*)(int)>();
    program->threads = options.threads;
  }
  program->jit = std::move(*jit);
  return program;
}

Expected<ProgramState> CompiledProgram::createState(int64_t capacity) const {
  return createZeroState(signature, capacity);
}

/// Appends the descriptor of a contiguous array to `words` (its pointers have 64 bits).
static void appendDescriptor(llvm::SmallVectorImpl<int64_t> &words, const void *data,
                             llvm::ArrayRef<int64_t> shape) {
  auto address = static_cast<int64_t>(reinterpret_cast<intptr_t>(data));
  words.append({address, address, 0});
  words.append(shape.begin(), shape.end());
  size_t strides = words.size();
  words.append(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    words[strides + i - 1] = words[strides + i] * shape[i];
}

static int64_t countSteps(const Tensor &inputs) { return inputs.getRank() ? inputs.getDim(0) : 0; }

Expected<Tensor> CompiledProgram::forward(const Tensor &inputs, ProgramState &state) const {
  int64_t numSteps = countSteps(inputs);
  return call(numSteps == 1 && invokeDecode ? invokeDecode : invokeForward, inputs, state,
              getNumRows(numSteps));
}

Expected<Tensor> CompiledProgram::forwardLast(const Tensor &inputs, ProgramState &state) const {
  if (countSteps(inputs) < 2 || !invokePrefill)
    return Program::forwardLast(inputs, state);
  return call(invokePrefill, inputs, state, 1);
}

Expected<Tensor> CompiledProgram::call(Invoke invoke, const Tensor &inputs, ProgramState &state,
                                       int64_t numRows) const {
  if (Error error = checkFeed(signature, inputs, state))
    return error;
  int64_t numSteps = inputs.getDim(0);
  Shape logitsShape = {numRows, signature.vocabSize};
  if (!getCheckedNumBytes(DType::F32, logitsShape))
    return llvm::createStringError("logits of %lld tokens are too large; feed fewer at a time",
                                   static_cast<long long>(numSteps));
  Tensor logits = Tensor::empty(DType::F32, logitsShape);
  if (logits.getNumElements() == 0)
    return logits;

  std::unique_lock<std::mutex> lock;
  if (device)
    lock = std::unique_lock<std::mutex>(device->getMutex());
  Expected<Buffers> buffers = getBuffers(inputs, state, logits);
  if (!buffers)
    return buffers.takeError();
  llvm::SmallVector<int64_t, 256> words;
  llvm::SmallVector<size_t, 64> starts;
  auto append = [&](const void *data, llvm::ArrayRef<int64_t> shape) {
    starts.push_back(words.size());
    appendDescriptor(words, data, shape);
  };
  append(buffers->inputs, inputs.getShape());
  for (auto [data, value] : llvm::zip_equal(buffers->states, state.values))
    append(data, value.getShape());
  append(buffers->logits, logitsShape);

  llvm::SmallVector<void *, 64> descriptors;
  for (size_t start : starts)
    descriptors.push_back(&words[start]);
  // The number of OpenMP threads belongs to the calling thread.
  if (setNumThreads)
    setNumThreads(static_cast<int>(threads));
  if (!device) {
    invoke(descriptors.data());
  } else {
    CurrentDevice current(device->getDevice());
    invoke(descriptors.data());
    if (Error error = finish(*buffers, logits))
      return error;
  }
  state.length += numSteps;
  return logits;
}

Expected<CompiledProgram::Buffers>
CompiledProgram::getBuffers(const Tensor &inputs, ProgramState &state, Tensor &logits) const {
  Buffers buffers;
  for (Tensor &value : state.values) {
    if (device) {
      Expected<void *> data = device->getWritable(value);
      if (!data)
        return data.takeError();
      buffers.states.push_back(*data);
      continue;
    }
    // A copy of the state is a snapshot: code writes only into bytes that no other state holds.
    if (!value.isUniquelyOwned())
      value = value.clone();
    buffers.states.push_back(value.getMutableRawData());
  }
  buffers.inputs = inputs.getRawData();
  buffers.logits = logits.getMutableRawData();
  if (!device)
    return buffers;
  Expected<void *> steps = device->getScratch(0, inputs.getNumBytes());
  if (!steps)
    return steps.takeError();
  Expected<void *> rows = device->getScratch(1, logits.getNumBytes());
  if (!rows)
    return rows.takeError();
  if (Error error =
          device->getDevice().enqueueCopy(*steps, inputs.getRawData(), inputs.getNumBytes()))
    return error;
  buffers.inputs = *steps;
  buffers.logits = *rows;
  return buffers;
}

Error CompiledProgram::finish(const Buffers &buffers, Tensor &logits) const {
  Device &queue = device->getDevice();
  if (!queue.hasError())
    if (Error error =
            queue.enqueueCopy(logits.getMutableRawData(), buffers.logits, logits.getNumBytes()))
      queue.keepError(std::move(error));
  return queue.takeError();
}
