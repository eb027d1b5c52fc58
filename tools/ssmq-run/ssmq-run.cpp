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

static int fail(Error error, int exitCode = ExitInput) {
  llvm::WithColor::error(llvm::errs(), "ssmq-run") << llvm::toString(std::move(error)) << "\n";
  return exitCode;
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
  if (runner == Runner::Xe || (isCompiled && options.device != "cpu")) {
    Expected<std::unique_ptr<Device>> device =
        Device::open(options.device == "cpu" ? "xe" : options.device.getValue());
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

static int runTokens(const Program &program, llvm::ArrayRef<int32_t> tokens,
                     const Options &options) {
  Expected<ProgramState> state = program.createState(tokens.size());
  if (!state)
    return fail(state.takeError());
  Expected<Tensor> logits = program.forward(tokens, *state);
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

static int runBench(const Program &program, llvm::ArrayRef<int32_t> tokens,
                    const Options &options) {
  Expected<Throughput> speed = benchmark(program, tokens, options.generate ? options.generate : 32);
  if (!speed)
    return fail(speed.takeError());
  llvm::outs() << llvm::format("prefill %.1f tokens/s, decode %.1f tokens/s\n", speed->prefill,
                               speed->decode);
  return ExitOk;
}

static int runCompare(const Model &model, llvm::ArrayRef<int32_t> tokens, const Options &options) {
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
  Expected<bool> agree = compare(programs, tokens, comparison);
  if (!agree)
    return fail(agree.takeError());
  return *agree ? ExitOk : ExitInput;
}

static int runProfile(const Model &model, llvm::ArrayRef<int32_t> tokens, const Options &options) {
  if (tokens.empty())
    return failUsage("--profile needs a token at least");
  ProfilingOptions profiling;
  profiling.numTokens = options.generate ? options.generate : 32;
  profiling.trace = options.profile;
  if (Error error = profile(model, tokens, options.getCompileOptions(), profiling))
    return fail(std::move(error));
  return ExitOk;
}

static int runDevices() {
  Expected<std::vector<DeviceInfo>> devices = listDevices();
  if (!devices)
    return fail(devices.takeError(), ExitResource);
  printDevices(*devices, llvm::outs());
  return ExitOk;
}

static int run(const Options &options) {
  if (options.devices)
    return runDevices();
  if (options.program.empty())
    return failUsage("give a program or --devices");
  bool emits = options.emission != Emission::None;
  if (emits == options.output.empty())
    return failUsage("--emit and -o go together");
  if (!options.tokens.empty() && !options.tokensFile.empty())
    return failUsage("give either --tokens or --tokens-file");
  if (!emits && options.tokens.empty() && options.tokensFile.empty())
    return failUsage("give --tokens or --tokens-file");

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
  if (emits) {
    LibraryOptions library{options.name, options.getCompileOptions(), !options.externalWeights};
    if (library.name.empty())
      library.name = makeLibraryName(options.output);
    if (Error error = model->emit(options.emission, library, options.output))
      return fail(std::move(error));
    return ExitOk;
  }

  std::vector<int32_t> tokens(options.tokens.begin(), options.tokens.end());
  if (!options.tokensFile.empty()) {
    Expected<std::vector<int32_t>> read = readTokenFile(options.tokensFile);
    if (!read)
      return fail(read.takeError());
    tokens = std::move(*read);
  }
  if (!options.estimate.empty()) {
    if (options.estimate != "xe2")
      return failUsage("--estimate knows xe2");
    if (Error error = model->estimate(tokens.size(), llvm::outs()))
      return fail(std::move(error));
    return ExitOk;
  }
  if (options.profile.getNumOccurrences())
    return runProfile(*model, tokens, options);
  if (!options.compare.empty())
    return runCompare(*model, tokens, options);
  Expected<NamedProgram> program = makeProgram(*model, options.backend, options);
  if (!program)
    return fail(program.takeError());
  if (options.bench)
    return runBench(*program->program, tokens, options);
  if (options.generate)
    return runGenerate(*program->program, tokens, options);
  return runTokens(*program->program, tokens, options);
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
