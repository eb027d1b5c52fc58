//===- ssmq-run.cpp - Runs, compares and compiles programs ----------------===//

#include "Comparison.h"
#include "Options.h"
#include "Profiling.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Support/FileUtilities.h"
#include "ssmq/InitAll.h"
#include "ssmq/Measure/Evaluation.h"
#include "ssmq/Runtime/OpenCL/Device.h"
#include "ssmq/Runtime/OpenCL/DeviceInfo.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Json.h"
#include "ssmq/Support/Tool.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include <numeric>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

/// The exit code follows from the error unless it is given.
static int fail(Error error, std::optional<ExitCode> exitCode = std::nullopt) {
  std::string message;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &one) {
    if (!exitCode)
      exitCode = getExitCode(one.convertToErrorCode(), one.message());
    message += (message.empty() ? "" : "; ") + one.message();
  });
  llvm::WithColor::error(llvm::errs(), "ssmq-run") << message << "\n";
  return *exitCode;
}

static int failUsage(llvm::StringRef message) {
  llvm::WithColor::error(llvm::errs(), "ssmq-run") << message << "\n";
  return ExitUsage;
}

static Expected<NamedProgram> makeProgram(const Model &model, Runner runner,
                                          const Options &options) {
  static constexpr const char *names[] = {"interpreter", "reference", "fast", "compiled", "xe"};
  KernelOptions kernels{options.kernels, options.getThreads()};
  if (runner == Runner::Reference || runner == Runner::Fast)
    kernels.set = runner == Runner::Fast ? KernelSet::Fast : KernelSet::Reference;
  CompileOptions compile = options.getCompileOptions();
  bool isCompiled = runner == Runner::Compiled || runner == Runner::Xe;
  if (isCompiled) {
    bool isImplied = runner == Runner::Xe && options.device == "cpu";
    Expected<std::shared_ptr<Device>> device =
        openDevice(isImplied ? "xe" : options.device.getValue());
    if (!device)
      return device.takeError();
    compile.device = std::move(*device);
  }
  Expected<std::unique_ptr<Program>> program =
      model.makeProgram(isCompiled ? Backend::Compiled : Backend::Interpreter, kernels, compile);
  if (!program)
    return program.takeError();
  return NamedProgram{names[static_cast<int>(runner)], std::move(*program)};
}

static void printTop(const Tensor &logits, unsigned count) {
  size_t vocabSize = logits.getDim(1);
  std::vector<int32_t> order(vocabSize);
  for (int64_t t = 0; t < logits.getDim(0); ++t) {
    llvm::ArrayRef<float> row = logits.data<float>().slice(t * vocabSize, vocabSize);
    std::iota(order.begin(), order.end(), 0);
    auto end = order.begin() + std::min<size_t>(count, vocabSize);
    std::partial_sort(order.begin(), end, order.end(), [&](int32_t a, int32_t b) {
      return row[a] != row[b] ? row[a] > row[b] : a < b;
    });
    llvm::outs() << t << ":";
    for (auto it = order.begin(); it != end; ++it)
      llvm::outs() << llvm::format(" %d (%.5g)", *it, row[*it]);
    llvm::outs() << "\n";
  }
}

static int runInputs(const Program &program, const Tensor &inputs, const Options &options) {
  Expected<ProgramState> state = program.createState(inputs.getDim(0));
  if (!state)
    return fail(state.takeError());
  Expected<Tensor> logits = program.forward(inputs, *state);
  if (!logits)
    return fail(logits.takeError());
  if (options.printTop || options.logits.empty())
    printTop(*logits, options.printTop ? options.printTop : 1);
  if (!options.logits.empty())
    if (Error error = writeSafetensors(options.logits, {{"logits", *logits}}))
      return fail(std::move(error), ExitResource);
  return ExitOk;
}

static int runGenerate(const Program &program, llvm::ArrayRef<int32_t> tokens,
                       const Options &options) {
  GenerationOptions generation;
  generation.numTokens = options.generate;
  Expected<std::vector<int32_t>> generated = generate(program, tokens, generation);
  if (!generated)
    return fail(generated.takeError());
  llvm::interleave(*generated, llvm::outs(), ",");
  llvm::outs() << "\n";
  return ExitOk;
}

static int runBench(const Program &program, const Tensor &inputs, const Options &options) {
  int64_t count = options.generate ? options.generate : 32;
  bool hasTokens = inputs.getDType() == DType::I32;
  Expected<Throughput> speed = hasTokens ? benchmark(program, inputs.data<int32_t>(), count)
                                         : benchmark(program, inputs, count);
  if (!speed)
    return fail(speed.takeError());
  llvm::outs() << llvm::format(hasTokens ? "prefill %.1f tokens/s, decode %.1f tokens/s\n"
                                         : "whole %.1f steps/s, one by one %.1f steps/s\n",
                               speed->prefill, speed->decode);
  return ExitOk;
}

static int runCompare(const Model &model, const Tensor &inputs, const Options &options) {
  std::vector<NamedProgram> programs;
  for (Runner runner : options.compare) {
    Expected<NamedProgram> program = makeProgram(model, runner, options);
    if (!program)
      return fail(program.takeError());
    programs.push_back(std::move(*program));
  }
  ComparisonOptions comparison;
  comparison.tolerance = options.tolerance;
  if (options.maxKL >= 0)
    comparison.maxKL = options.maxKL;
  comparison.numChunkings = options.chunkings;
  comparison.chunkTolerance = options.chunkTolerance;
  Expected<bool> agree = compare(programs, inputs, comparison);
  if (!agree)
    return fail(agree.takeError());
  return *agree ? ExitOk : ExitInput;
}

static int runProfile(const Model &model, const Tensor &inputs, const Options &options) {
  if (inputs.getDim(0) == 0)
    return failUsage("--profile needs a token at least");
  ProfilingOptions profiling;
  profiling.numTokens = options.generate ? options.generate : 32;
  profiling.trace = options.profile;
  if (Error error = profile(model, inputs, options.getCompileOptions(), profiling))
    return fail(std::move(error));
  return ExitOk;
}

static int runDevices() {
  Expected<std::vector<DeviceInfo>> devices = listDevices();
  if (!devices)
    return fail(devices.takeError());
  printDevices(*devices, llvm::outs());
  return ExitOk;
}

/// What the options name to be fed.
static Expected<Tensor> readInputs(const Options &options) {
  if (!options.sequences.empty()) {
    Expected<SequenceSet> set = SequenceSet::read(options.sequences, /*length=*/2);
    if (!set)
      return set.takeError();
    int64_t count = set->getSequences().size();
    if (options.sequence < 0 || options.sequence >= count)
      return makeError("{0} holds {1} sequences; --sequence must be below", options.sequences,
                       count);
    return set->getSequences()[options.sequence].inputs;
  }
  std::vector<int32_t> tokens(options.tokens.begin(), options.tokens.end());
  if (!options.tokensFile.empty()) {
    Expected<std::vector<int32_t>> read = readTokenFile(options.tokensFile);
    if (!read)
      return read.takeError();
    tokens = std::move(*read);
  }
  return Tensor::fromData<int32_t>({static_cast<int64_t>(tokens.size())}, tokens);
}

/// Of a call of a freestanding object, whose buffers have a row for each.
static constexpr int64_t kMostSteps = 4096;

static int run(const Options &options) {
  if (options.devices)
    return runDevices();
  if (options.program.empty())
    return failUsage("give a program or --devices");
  bool emits = options.emission != Emission::None;
  if (emits == options.output.empty())
    return failUsage("--emit and -o go together");
  int numInputs =
      !options.tokens.empty() + !options.tokensFile.empty() + !options.sequences.empty();
  if (numInputs > 1 || (!emits && numInputs == 0))
    return failUsage("give one of --tokens, --tokens-file and --sequences");
  if (options.device != "cpu" &&
      (options.profile.getNumOccurrences() || options.backend != Runner::Compiled))
    return failUsage("--device is of compiled programs that are not profiled");

  if (options.freestanding &&
      (options.device != "cpu" || options.externalWeights ||
       (options.emission != Emission::Object && options.emission != Emission::Header)))
    return failUsage("--freestanding is of --emit=obj and --emit=header, with the weights inside");
  if (options.freestanding ? options.steps < 1 || options.steps > kMostSteps
                           : options.steps.getNumOccurrences() > 0)
    return failUsage("--steps is of --freestanding, from 1 to 4096");

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::ssm::registerAllDialects(registry);
  mlir::ssm::registerAllPasses();
  // One program is one function: threads of MLIR's would only escape the tool's stack.
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context);
  std::unique_ptr<Model> model =
      Model::load(context, options.program, options.checkpoint, options.lowering);
  if (!model)
    return ExitInput;
  if (options.freestanding) {
    FreestandingOptions object;
    object.name = options.name.empty() ? makeLibraryName(options.output) : options.name.getValue();
    object.compile = options.getCompileOptions();
    object.steps = options.steps;
    if (Error error =
            model->emitFreestanding(options.emission, object, options.output, llvm::outs()))
      return fail(std::move(error));
    return ExitOk;
  }
  if (emits) {
    LibraryOptions library;
    library.name = options.name;
    library.compile = options.getCompileOptions();
    library.embedWeights = !options.externalWeights;
    library.isForXe = options.device != "cpu";
    library.xeTargets.assign(options.xeTargets.begin(), options.xeTargets.end());
    if (library.name.empty())
      library.name = makeLibraryName(options.output);
    if (Error error = model->emit(options.emission, library, options.output))
      return fail(std::move(error));
    return ExitOk;
  }

  Expected<Tensor> inputs = readInputs(options);
  if (!inputs)
    return fail(inputs.takeError());
  if (!options.estimate.empty()) {
    if (options.estimate != "xe2")
      return failUsage("--estimate knows xe2");
    if (Error error = model->estimate(inputs->getDim(0), llvm::outs()))
      return fail(std::move(error));
    return ExitOk;
  }
  bool hasTokens = inputs->getDType() == DType::I32;
  bool isTimed = options.bench || options.profile.getNumOccurrences();
  if (!hasTokens && options.generate && !isTimed)
    return failUsage("--generate feeds tokens");
  if (options.profile.getNumOccurrences())
    return runProfile(*model, *inputs, options);
  if (!options.compare.empty())
    return runCompare(*model, *inputs, options);
  Expected<NamedProgram> program = makeProgram(*model, options.backend, options);
  if (!program)
    return fail(program.takeError());
  if (options.bench)
    return runBench(*program->program, *inputs, options);
  if (options.generate)
    return runGenerate(*program->program, inputs->data<int32_t>(), options);
  return runInputs(*program->program, *inputs, options);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // LLVM's libraries register some hundred options of their own, one of them `threads`.
  cl::ResetCommandLineParser();
  Options options;
  if (!cl::ParseCommandLineOptions(argc, argv, "Runs, compares and compiles ssmq programs\n",
                                   &llvm::errs()))
    return ExitUsage;
  return runTool("ssmq-run", [&] { return run(options); });
}
