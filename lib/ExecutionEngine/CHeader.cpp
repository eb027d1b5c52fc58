//===- CHeader.cpp - The C interface of an emitted library ----------------===//

#include "ssmq/ExecutionEngine/Library.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;

// LibraryRuntime.c implements this. `@` stands for the name of the library, `$` for it in capitals,
// `%` for the size of the vocabulary; `&` stands for the parts of libraries without weights and `~`
// for those of libraries for GPUs, in their order.
static constexpr llvm::StringLiteral kHeader = R"c(/* @: a language model compiled by ssmq. C99.
 *
 * Feed tokens to a state; each call gives the logits after every token it is fed, and the state
 * remembers them. A sequence may be fed whole, one token at a time or in any chunks. Calls with
 * different states may run at the same time; one state is for one thread at a time.
 */
#ifndef SSMQ_LIBRARY_$_H
#define SSMQ_LIBRARY_$_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tokens are in [0, $_VOCAB_SIZE). */
#define $_VOCAB_SIZE INT64_C(%)

/* What functions that can fail return. */
enum {
  $_OK = 0,
  $_INVALID_ARGUMENT = 1,  /* a null pointer or a negative count */
  $_INVALID_TOKEN = 2,     /* a token outside the vocabulary */
  $_CAPACITY_EXCEEDED = 3, /* more tokens than the state was made for */
  $_OUT_OF_MEMORY = 4&~
};

/* A status in words. */
const char *@_status_message(int status);

/* $_VOCAB_SIZE of the library that is linked or loaded. */
int64_t @_vocab_size(void);

&~/* What the program remembers of one sequence. */
typedef struct @_state @_state;

/* Makes the state of an empty sequence that can grow to `capacity` tokens; *state is null when this
 * fails. */
int @_state_create(int64_t capacity, @_state **state);

/* Frees a state; null is permitted. */
void @_state_destroy(@_state *state);

/* Forgets the sequence and keeps the memory. */
void @_state_reset(@_state *state);

/* The tokens that the state can hold, and those it was fed. */
int64_t @_state_capacity(const @_state *state);
int64_t @_state_length(const @_state *state);

/* Feeds `n` tokens and writes n rows of $_VOCAB_SIZE logits. When this fails, the state is as it
 * was. */
int @_forward(@_state *state, const int32_t *tokens, int64_t n, float *logits);

/* The same, but computes and writes only the $_VOCAB_SIZE logits after the last token: for prompts,
 * in less time and memory. */
int @_forward_last(@_state *state, const int32_t *tokens, int64_t n, float *logits);

#ifdef __cplusplus
}
#endif

#endif /* SSMQ_LIBRARY_$_H */
)c";

// Only for libraries without weights.
static constexpr llvm::StringLiteral kWeightParts[] = {
    R"c(,
  $_CANNOT_READ_WEIGHTS = 5, /* a file of the weights is missing or cannot be mapped */
  $_OTHER_WEIGHTS = 6,       /* a file is not the one that the program was compiled with */
  $_NO_WEIGHTS = 7           /* @_load_weights comes first */)c",
    R"c(/* Maps the weights, which lie in the files of a checkpoint in `folder` and must stay there
 * unchanged. Call it once, before tokens are fed. */
int @_load_weights(const char *folder);

)c"};

// Only for libraries that run on OpenCL devices.
static constexpr llvm::StringLiteral kDeviceParts[] = {
    R"c(,
  $_NO_DEVICE = 8,    /* no OpenCL loader, or no device that runs the program */
  $_DEVICE_FAILED = 9 /* of a call: the state is of no use until it is reset */)c",
    R"c(/* Opens an OpenCL device and copies the weights there: "xe", the first GPU that runs the program,
 * else the first CPU, or "xe:N", number N of all devices; null stands for "xe". Without it the first
 * state that is made does so. The loader is libOpenCL.so.1 or what the environment names in SSMQ_OPENCL. */
int @_open_device(const char *device);

/* More on the last failure of the device, as a driver's words. */
const char *@_device_message(void);

/* Whether native code for the device was in the library; else its driver compiled SPIR-V. */
int @_device_is_native(void);

)c"};

std::string ssmq::makeLibraryName(llvm::StringRef path) {
  std::string name;
  for (char c : llvm::sys::path::stem(path))
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(0, "_");
  return name;
}

Error ssmq::emitHeader(const ProgramSignature &signature, const LibraryOptions &options,
                       llvm::StringRef path) {
  if (makeLibraryName(options.name) != options.name)
    return makeError("the name {0} is not a C identifier", quote(options.name));
  std::string upper = llvm::StringRef(options.name).upper();
  auto print = [&](auto &self, llvm::raw_ostream &stream, llvm::StringRef text) -> void {
    const llvm::StringLiteral *weightPart = kWeightParts, *devicePart = kDeviceParts;
    for (size_t at; (at = text.find_first_of("@$%&~")) != llvm::StringRef::npos;) {
      stream << text.take_front(at);
      switch (text[at]) {
      case '@': stream << options.name; break;
      case '$': stream << upper; break;
      case '%': stream << signature.vocabSize; break;
      case '&':
        if (!options.embedWeights)
          self(self, stream, *weightPart);
        ++weightPart;
        break;
      default:
        if (options.isForXe)
          self(self, stream, *devicePart);
        ++devicePart;
      }
      text = text.drop_front(at + 1);
    }
    stream << text;
  };
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    print(print, stream, kHeader);
    return Error::success();
  });
}
