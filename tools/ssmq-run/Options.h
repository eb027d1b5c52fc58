//===- Options.h - The command line of ssmq-run -----------------*- C++ -*-===//

#ifndef SSMQ_TOOLS_SSMQ_RUN_OPTIONS_H
#define SSMQ_TOOLS_SSMQ_RUN_OPTIONS_H

#include "Backend.h"
#include "llvm/Support/CommandLine.h"
#include <thread>

namespace ssmq {

/// A backend as it is named on the command line.
enum class Runner { Interpreter, Reference, Fast, Compiled, Xe };

struct Options {
  llvm::cl::OptionCategory category{"ssmq-run options"};
  llvm::cl::opt<std::string> program{llvm::cl::Positional,
                                     llvm::cl::desc("PROGRAM.mlir[bc] or a Hugging Face directory"),
                                     llvm::cl::cat(category)};
  llvm::cl::opt<std::string> checkpoint{
      "checkpoint", llvm::cl::value_desc("path"), llvm::cl::cat(category),
      llvm::cl::desc("Folder or .safetensors of the weights, in place of ssm.checkpoint")};
  llvm::cl::list<int32_t> tokens{"tokens", llvm::cl::CommaSeparated, llvm::cl::value_desc("ids"),
                                 llvm::cl::cat(category), llvm::cl::desc("Tokens to feed")};
  llvm::cl::opt<std::string> tokensFile{"tokens-file", llvm::cl::value_desc("file.json"),
                                        llvm::cl::cat(category),
                                        llvm::cl::desc("Tokens to feed, as a JSON array")};
  llvm::cl::opt<std::string> sequences{
      "sequences", llvm::cl::value_desc("file.safetensors"), llvm::cl::cat(category),
      llvm::cl::desc("Labelled sequences (inputs, labels, lengths); feeds the one of --sequence")};
  llvm::cl::opt<int64_t> sequence{"sequence", llvm::cl::value_desc("N"), llvm::cl::init(0),
                                  llvm::cl::cat(category),
                                  llvm::cl::desc("Number of the sequence, 0 for the first")};
  llvm::cl::opt<Runner> backend{
      "backend", llvm::cl::init(Runner::Compiled), llvm::cl::cat(category),
      llvm::cl::desc("What runs the program"),
      llvm::cl::values(
          clEnumValN(Runner::Interpreter, "interpreter", "the reference interpreter"),
          clEnumValN(Runner::Compiled, "compiled", "code for this machine (default)"))};
  llvm::cl::opt<std::string> device{
      "device", llvm::cl::value_desc("name"), llvm::cl::init("cpu"), llvm::cl::cat(category),
      llvm::cl::desc("Where compiled code runs: cpu (default), or an OpenCL device: xe, xe:N")};
  llvm::cl::opt<KernelSet> kernels{
      "kernels", llvm::cl::init(KernelSet::Fast), llvm::cl::cat(category),
      llvm::cl::desc("Of the interpreter"),
      llvm::cl::values(clEnumValN(KernelSet::Reference, "reference", "plain loops in double"),
                       clEnumValN(KernelSet::Fast, "fast", "vectorised (default)"))};
  llvm::cl::opt<unsigned> threads{"threads", llvm::cl::init(0), llvm::cl::cat(category),
                                  llvm::cl::desc("0, the default, stands for all cores")};

  llvm::cl::opt<bool> devices{"devices", llvm::cl::cat(category),
                              llvm::cl::desc("Lists the OpenCL devices of this machine")};
  llvm::cl::opt<std::string> logits{"logits", llvm::cl::value_desc("file.safetensors"),
                                    llvm::cl::cat(category),
                                    llvm::cl::desc("Writes the logits after each token")};
  llvm::cl::opt<unsigned> printTop{
      "print-top", llvm::cl::value_desc("K"), llvm::cl::init(0), llvm::cl::cat(category),
      llvm::cl::desc("Prints the K (1) likeliest tokens after each token")};
  llvm::cl::opt<int64_t> generate{
      "generate", llvm::cl::value_desc("N"), llvm::cl::init(0), llvm::cl::cat(category),
      llvm::cl::desc("Prints the N likeliest tokens that follow, one by one")};
  llvm::cl::opt<bool> bench{
      "bench", llvm::cl::cat(category),
      llvm::cl::desc("Times the tokens as a prompt, and N (32) tokens after it; of a sequence "
                     "of features, N of its steps one by one")};

  llvm::cl::opt<std::string> profile{
      "profile", llvm::cl::value_desc("trace.json"), llvm::cl::ValueOptional,
      llvm::cl::cat(category),
      llvm::cl::desc("Prints where the time of the tokens as a prompt, and of N (32) tokens after "
                     "it, goes; writes a trace for chrome://tracing or Perfetto")};

  llvm::cl::opt<std::string> estimate{
      "estimate", llvm::cl::value_desc("xe2"), llvm::cl::cat(category),
      llvm::cl::desc("Prints launches, bytes and matrix products of the GPU of Lunar Lake for the "
                     "tokens as a prompt and one after it, counted from the kernels")};
  llvm::cl::list<Runner> compare{
      "compare", llvm::cl::CommaSeparated, llvm::cl::cat(category),
      llvm::cl::desc("Runs all of these; exits with 1 when one differs from the first"),
      llvm::cl::values(
          clEnumValN(Runner::Interpreter, "interpreter", "with --kernels"),
          clEnumValN(Runner::Reference, "reference", "the interpreter, reference kernels"),
          clEnumValN(Runner::Fast, "fast", "the interpreter, fast kernels"),
          clEnumValN(Runner::Compiled, "compiled", "code for this machine"),
          clEnumValN(Runner::Xe, "xe", "kernels of a GPU, on the device of --device"))};
  llvm::cl::opt<double> tolerance{"tolerance", llvm::cl::init(1e-4), llvm::cl::cat(category),
                                  llvm::cl::desc("Of --compare: absolute difference of a logit")};
  llvm::cl::opt<double> maxKL{
      "max-kl", llvm::cl::init(-1), llvm::cl::cat(category),
      llvm::cl::desc("Of --compare, in place of --tolerance: mean KL in nats, and the "
                     "same likeliest token everywhere")};
  llvm::cl::opt<unsigned> chunkings{
      "chunkings", llvm::cl::value_desc("N"), llvm::cl::init(0), llvm::cl::cat(category),
      llvm::cl::desc(
          "Of --compare: also feeds each in N random divisions, which must give the logits "
          "of the whole within --chunk-tolerance, or a few steps of stored states")};
  llvm::cl::opt<double> chunkTolerance{
      "chunk-tolerance", llvm::cl::init(1e-5), llvm::cl::cat(category),
      llvm::cl::desc("Of --compare: difference between divisions of the tokens, relative to the "
                     "largest logit")};

  llvm::cl::opt<Emission> emission{
      "emit", llvm::cl::init(Emission::None), llvm::cl::cat(category),
      llvm::cl::desc("Writes the compiled program instead of running it"),
      llvm::cl::values(clEnumValN(Emission::Object, "obj", "relocatable object with the weights"),
                       clEnumValN(Emission::SharedLibrary, "so", "shared library with the weights"),
                       clEnumValN(Emission::Header, "header", "C99 header of both"),
                       clEnumValN(Emission::Spirv, "spirv", "its kernels for Xe GPUs"))};
  llvm::cl::list<std::string> xeTargets{
      "xe-targets", llvm::cl::CommaSeparated, llvm::cl::value_desc("lnl,bmg,..."),
      llvm::cl::cat(category),
      llvm::cl::desc(
          "Of --emit with --device xe: GPUs as ocloc names them, for which native code is "
          "put beside the SPIR-V")};
  llvm::cl::opt<bool> noCache{
      "no-cache", llvm::cl::cat(category),
      llvm::cl::desc("Compiles anew and keeps nothing (also: SSMQ_CACHE_DIR set to nothing)")};
  llvm::cl::opt<std::string> output{"o", llvm::cl::value_desc("file"), llvm::cl::cat(category),
                                    llvm::cl::desc("Where --emit writes")};
  llvm::cl::opt<std::string> name{
      "name", llvm::cl::value_desc("identifier"), llvm::cl::cat(category),
      llvm::cl::desc("Prefix of the C functions (default: from the output)")};
  llvm::cl::opt<bool> freestanding{
      "freestanding", llvm::cl::cat(category),
      llvm::cl::desc(
          "Of --emit=obj and header: for machines without a system; prints what it takes")};
  llvm::cl::opt<int64_t> steps{
      "steps", llvm::cl::value_desc("N"), llvm::cl::init(1), llvm::cl::cat(category),
      llvm::cl::desc("Of --freestanding: steps of a sequence that a call takes (1)")};
  llvm::cl::opt<bool> externalWeights{
      "external-weights", llvm::cl::cat(category),
      llvm::cl::desc("Leaves the weights in their files, which the host names to *_load_weights")};
  llvm::cl::opt<std::string> lowering{
      "lowering", llvm::cl::value_desc("options"), llvm::cl::cat(category),
      llvm::cl::desc("Options of ssmq-lower-to-cpu, as vector-width=8")};
  llvm::cl::opt<unsigned> level{"O", llvm::cl::Prefix, llvm::cl::init(3), llvm::cl::cat(category),
                                llvm::cl::desc("Optimisation level, 0 to 3")};
  llvm::cl::opt<std::string> target{
      "target", llvm::cl::value_desc("processor"), llvm::cl::init("host"), llvm::cl::cat(category),
      llvm::cl::desc("What to compile for: host, lunarlake, x86-64-v3, cortex-m4, ...")};
  llvm::cl::alias cpu{"mcpu", llvm::cl::aliasopt(target), llvm::cl::cat(category),
                      llvm::cl::desc("The same as --target")};
  llvm::cl::opt<std::string> features{
      "mattr", llvm::cl::cat(category),
      llvm::cl::desc("Changes to the target's features, as +avxvnni,-avx512f")};

  llvm::cl::opt<bool> integerScans{
      "integer-scans", llvm::cl::init(true), llvm::cl::cat(category),
      llvm::cl::desc("Diagonal scans of integers run in integers on a CPU (default)")};
  llvm::cl::opt<bool> explain{
      "explain", llvm::cl::cat(category),
      llvm::cl::desc("Says which diagonal scans run in integers, and why others do not")};

  unsigned getThreads() const {
    return threads ? threads : std::max(1u, std::thread::hardware_concurrency());
  }
  CompileOptions getCompileOptions() const {
    bool integers = integerScans && device == "cpu";
    return {level, target, features, getThreads(), !noCache, integers, explain, /*device=*/nullptr};
  }
};
} // namespace ssmq

#endif // SSMQ_TOOLS_SSMQ_RUN_OPTIONS_H
