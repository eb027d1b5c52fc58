//===- ssmq-run.cpp - Runs, compares and compiles programs ----------------===//

#include "Backend.h"
#include "Comparison.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Support/FileUtilities.h"
#include "ssmq/ExecutionEngine/Library.h"
#include "ssmq/InitAll.h"
#include "ssmq/Measure/Evaluation.h"
#include "ssmq/Support/Json.h"
#include "ssmq/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include <numeric>
#include <thread>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {
/// A backend as it is named on the command line.
enum class Runner { Interpreter, Reference, Fast, Compiled };

struct Options {
  cl::OptionCategory category{"ssmq-run options"};
  cl::opt<std::string> program{cl::Positional, cl::Required,
                               cl::desc("PROGRAM.mlir[bc] or a Hugging Face directory"),
                               cl::cat(category)};
  cl::opt<std::string> checkpoint{
      "checkpoint", cl::value_desc("path"), cl::cat(category),
      cl::desc("Folder or .safetensors of the weights, in place of ssm.checkpoint")};
  cl::list<int32_t> tokens{"tokens", cl::CommaSeparated, cl::value_desc("ids"), cl::cat(category),
                           cl::desc("Tokens to feed")};
  cl::opt<std::string> tokensFile{"tokens-file", cl::value_desc("file.json"), cl::cat(category),
                                  cl::desc("Tokens to feed, as a JSON array")};
  cl::opt<Runner> backend{
      "backend", cl::init(Runner::Compiled), cl::cat(category), cl::desc("What runs the program"),
      cl::values(clEnumValN(Runner::Interpreter, "interpreter", "the reference interpreter"),
                 clEnumValN(Runner::Compiled, "compiled", "code for this machine (default)"))};
  cl::opt<KernelSet> kernels{
      "kernels", cl::init(KernelSet::Fast), cl::cat(category), cl::desc("Of the interpreter"),
      cl::values(clEnumValN(KernelSet::Reference, "reference", "plain loops in double"),
                 clEnumValN(KernelSet::Fast, "fast", "vectorised (default)"))};
  cl::opt<unsigned> threads{"threads", cl::init(0), cl::cat(category),
                            cl::desc("0, the default, stands for all cores")};

  cl::opt<std::string> logits{"logits", cl::value_desc("file.safetensors"), cl::cat(category),
                              cl::desc("Writes the logits after each token")};
  cl::opt<unsigned> printTop{"print-top", cl::value_desc("K"), cl::init(0), cl::cat(category),
                             cl::desc("Prints the K (1) likeliest tokens after each token")};
  cl::opt<int64_t> generate{"generate", cl::value_desc("N"), cl::init(0), cl::cat(category),
                            cl::desc("Prints the N likeliest tokens that follow, one by one")};
  cl::opt<bool> bench{"bench", cl::cat(category),
                      cl::desc("Times the tokens as a prompt, and N (32) tokens after it")};

  cl::list<Runner> compare{
      "compare", cl::CommaSeparated, cl::cat(category),
      cl::desc("Runs all of these; exits with 1 when one differs from the first"),
      cl::values(clEnumValN(Runner::Interpreter, "interpreter", "with --kernels"),
                 clEnumValN(Runner::Reference, "reference", "the interpreter, reference kernels"),
                 clEnumValN(Runner::Fast, "fast", "the interpreter, fast kernels"),
                 clEnumValN(Runner::Compiled, "compiled", "code for this machine"))};
  cl::opt<double> tolerance{"tolerance", cl::init(1e-4), cl::cat(category),
                            cl::desc("Of --compare: absolute difference of a logit")};
  cl::opt<double> maxKL{"max-kl", cl::init(-1), cl::cat(category),
                        cl::desc("Of --compare, in place of --tolerance: mean KL in nats, and the "
                                 "same likeliest token everywhere")};
  cl::opt<unsigned> chunkings{
      "chunkings", cl::value_desc("N"), cl::init(0), cl::cat(category),
      cl::desc("Of --compare: also feeds each in N random divisions, which must give the logits "
               "of the whole within 1e-5 of the largest")};

  cl::opt<Emission> emission{
      "emit", cl::init(Emission::None), cl::cat(category),
      cl::desc("Writes the compiled program instead of running it"),
      cl::values(clEnumValN(Emission::Object, "obj", "relocatable object with the weights"),
                 clEnumValN(Emission::SharedLibrary, "so", "shared library with the weights"),
                 clEnumValN(Emission::Header, "header", "C99 header of both"))};
  cl::opt<std::string> output{"o", cl::value_desc("file"), cl::cat(category),
                              cl::desc("Where --emit writes")};
  cl::opt<std::string> name{"name", cl::value_desc("identifier"), cl::cat(category),
                            cl::desc("Prefix of the C functions (default: from the output)")};
  cl::opt<bool> externalWeights{
      "external-weights", cl::cat(category),
      cl::desc("Leaves the weights in their files, which the host names to *_load_weights")};
  cl::opt<std::string> lowering{"lowering", cl::value_desc("options"), cl::cat(category),
                                cl::desc("Options of ssmq-lower-to-cpu, as vector-width=8")};
  cl::opt<unsigned> level{"O", cl::Prefix, cl::init(3), cl::cat(category),
                          cl::desc("Optimisation level, 0 to 3")};
  cl::opt<std::string> cpu{"mcpu", cl::cat(category), cl::desc("Processor to compile for")};
  cl::opt<std::string> features{"mattr", cl::cat(category), cl::desc("Features to compile for")};

  unsigned getThreads() const {
    return threads ? threads : std::max(1u, std::thread::hardware_concurrency());
  }
  CompileOptions getCompileOptions() const { return {level, cpu, features, getThreads()}; }
};
} // namespace

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
  static constexpr const char *names[] = {"interpreter", "reference", "fast", "compiled"};
  KernelOptions kernels{options.kernels, options.getThreads()};
  if (runner == Runner::Reference || runner == Runner::Fast)
    kernels.set = runner == Runner::Fast ? KernelSet::Fast : KernelSet::Reference;
  Expected<std::unique_ptr<Program>> program =
      model.makeProgram(runner == Runner::Compiled ? Backend::Compiled : Backend::Interpreter,
                        kernels, options.getCompileOptions());
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
  Expected<bool> agree = compare(programs, tokens, comparison);
  if (!agree)
    return fail(agree.takeError());
  return *agree ? ExitOk : ExitInput;
}

static int run(const Options &options) {
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
