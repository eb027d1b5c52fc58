//===- Freestanding.cpp - Programs for machines without a system ----------===//

#include "Backend.h"

#include "ssmq/ExecutionEngine/Lower.h"
#include "ssmq/Pipelines/LowerToCPU.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static void print(const FreestandingSizes &sizes, llvm::raw_ostream &stream) {
  std::pair<llvm::StringRef, uint64_t> lines[] = {{"code", sizes.code},
                                                  {"read-only data", sizes.readOnly},
                                                  {"  of it weights", sizes.weights},
                                                  {"state", sizes.state},
                                                  {"workspace", sizes.workspace},
                                                  {"stack", sizes.stack},
                                                  {"flash", sizes.code + sizes.readOnly},
                                                  {"RAM", sizes.getRAM()}};
  for (auto [name, bytes] : lines)
    stream << name << ": " << bytes << " bytes\n";
  if (!sizes.helpers.empty()) {
    stream << "calls of the compiler's runtime: ";
    llvm::interleave(sizes.helpers, stream, " ");
    stream << "\n";
  }
}

Error Model::emitFreestanding(Emission emission, const FreestandingOptions &options,
                              llvm::StringRef path, llvm::raw_ostream &report) const {
  if (Error error = resolveTarget(options.compile.cpu, options.compile.features).takeError())
    return error;
  Expected<ProgramSignature> source = mlir::ssm::readCompiledSignature(*module);
  if (!source)
    return source.takeError();
  if (source->numTokens.value_or(options.steps) != options.steps)
    return makeError("the program takes {0} steps at a time; give --steps {0}", *source->numTokens);
  auto lookup = [this](llvm::StringRef name) { return this->lookup(name); };
  auto prepared = mlir::ssm::prepareForSmallKernels(
      *module, lookup,
      {options.compile.threads, options.compile.integerScans, options.compile.explain},
      options.steps);
  if (failed(prepared))
    return makeError("the weights cannot be prepared for kernels");
  Expected<ProgramSignature> signature = mlir::ssm::readCompiledSignature(*prepared->module);
  if (!signature)
    return signature.takeError();
  // A row for one step looks like a row for all.
  signature->isClassifier = source->isClassifier;
  std::string more = llvm::formatv("freestanding={0} {1}", options.steps, lowering);
  if (Error error = lower(*prepared->module, getLowering(options.compile, more)))
    return error;
  if (emission == Emission::Header)
    return emitFreestandingHeader(*prepared->module, *signature, options, path);
  Expected<FreestandingSizes> sizes =
      emitFreestandingObject(*prepared->module, *signature, prepared->weights, options, path);
  if (!sizes)
    return sizes.takeError();
  print(*sizes, report);
  return Error::success();
}
