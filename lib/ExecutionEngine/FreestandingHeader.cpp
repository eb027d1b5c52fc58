//===- FreestandingHeader.cpp - The C interface of small objects ----------===//

#include "ssmq/ExecutionEngine/Freestanding.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/ExecutionEngine/Library.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

// Words in braces are replaced; the object's functions are made by FreestandingModule.cpp.
static constexpr llvm::StringLiteral kHeader =
    R"c(/* {name}: {what} compiled by ssmq. C99, freestanding.
 *
 * Needs no memory but what it is given, no operating system and no C library. The sizes are of the
 * object that was emitted with the same options; link no other.
 */
#ifndef SSMQ_FREESTANDING_{NAME}_H
#define SSMQ_FREESTANDING_{NAME}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A step reads {NAME}_STEPS x {NAME}_{INPUTS} inputs. */
#define {NAME}_STEPS {steps}
#define {NAME}_{INPUTS} {inputs}
/* And writes {NAME}_ROWS x {NAME}_{OUTPUTS} logits. */
#define {NAME}_ROWS {rows}
#define {NAME}_{OUTPUTS} {outputs}
#define {NAME}_STATE_BYTES {state}
#define {NAME}_WORKSPACE_BYTES {workspace}

/* What the program remembers of one sequence. Aligned to 8 bytes, as the type is. */
typedef union {
  unsigned char bytes[{state+}];
  uint64_t alignment;
} {name}_state;

/* What a step needs while it runs; nothing in it matters before or after. Aligned to 8 bytes. Steps
 * that do not run at the same time may share one. */
typedef union {
  unsigned char bytes[{workspace+}];
  uint64_t alignment;
} {name}_workspace;

/* Makes a state that of an empty sequence. */
void {name}_init({name}_state *state);

/* Feeds the next {NAME}_STEPS steps of a sequence, {meaning}.
 * Calls may run at the same time when they share neither state nor workspace. */
void {name}_step({name}_state *state, {name}_workspace *workspace, const {type} *{values},
     {indent}float *logits);

#ifdef __cplusplus
}
#endif

#endif /* SSMQ_FREESTANDING_{NAME}_H */
)c";

Error ssmq::emitFreestandingHeader(mlir::ModuleOp lowered, const ProgramSignature &signature,
                                   const FreestandingOptions &options, llvm::StringRef path) {
  if (makeLibraryName(options.name) != options.name)
    return makeError("the name {0} is not a C identifier", quote(options.name));
  Expected<FreestandingLayout> layout = getFreestandingLayout(lowered, signature);
  if (!layout)
    return layout.takeError();
  bool hasTokens = signature.numFeatures == 0;
  auto text = [](int64_t number) { return llvm::formatv("{0}", number).str(); };
  std::pair<llvm::StringRef, std::string> words[] = {
      {"name", options.name},
      {"NAME", llvm::StringRef(options.name).upper()},
      {"what", signature.isClassifier ? "a classifier of sequences" : "a model of sequences"},
      {"steps", text(options.steps)},
      {"INPUTS", hasTokens ? "TOKENS" : "FEATURES"},
      {"inputs", text(hasTokens ? 1 : signature.numFeatures)},
      {"rows", text(signature.getNumRows(options.steps))},
      {"OUTPUTS", signature.isClassifier ? "CLASSES" : "OUTPUTS"},
      {"outputs", text(signature.vocabSize)},
      {"state", text(layout->stateBytes)},
      {"workspace", text(layout->workspaceBytes)},
      {"state+", text(std::max<int64_t>(layout->stateBytes, 1))},
      {"workspace+", text(std::max<int64_t>(layout->workspaceBytes, 1))},
      {"meaning", signature.isClassifier
                      ? "a row after the other, and gives the\n"
                        " * logits of the classes for all that the state was fed so far"
                      : "a row after the other, and gives the\n * logits after each of them"},
      {"type", hasTokens ? "int32_t" : "float"},
      {"values", hasTokens ? "tokens" : "features"},
      {"indent", std::string(options.name.size() + 6, ' ')},
  };
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    llvm::StringRef rest = kHeader;
    for (size_t at; (at = rest.find('{')) != llvm::StringRef::npos;) {
      size_t end = rest.find('}', at);
      llvm::StringRef key = rest.slice(at + 1, end);
      auto *word = llvm::find_if(words, [&](const auto &word) { return word.first == key; });
      stream << rest.take_front(at);
      if (word == std::end(words)) { // a brace of C
        stream << '{';
        rest = rest.drop_front(at + 1);
        continue;
      }
      stream << word->second;
      rest = rest.drop_front(end + 1);
    }
    stream << rest;
    return Error::success();
  });
}
