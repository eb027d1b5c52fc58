//===- Profiling.cpp - Where the time of a program goes -------------------===//

#include "Profiling.h"

#include "ssmq/Measure/ProfileReport.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static constexpr int kPrompts = 5;

/// Feeds steps; the likeliest class or next token.
static Expected<int32_t> feed(const Program &program, const Tensor &inputs, ProgramState &state,
                              llvm::StringRef phase, std::vector<ProfiledStep> &steps) {
  ProfiledStep step{phase.str(), inputs.getDim(0), state.length, getProfileTime(), 0, {}};
  Expected<Tensor> logits = program.forwardLast(inputs, state);
  step.end = getProfileTime();
  step.calls = takeProfiledCalls();
  if (!logits)
    return logits.takeError();
  steps.push_back(std::move(step));
  llvm::ArrayRef<float> last = logits->data<float>().take_back(logits->getDim(1));
  return static_cast<int32_t>(llvm::max_element(last) - last.begin());
}

/// One prompt and the tokens after it; of features, their steps from the first on.
static Error run(const Program &program, const Tensor &prompt, int64_t numSteps,
                 std::vector<ProfiledStep> &steps) {
  int64_t length = prompt.getDim(0);
  Expected<ProgramState> state = program.createState(length + numSteps);
  if (!state)
    return state.takeError();
  Expected<int32_t> token = feed(program, prompt, *state, "prefill", steps);
  for (int64_t i = 0; token && i < numSteps; ++i) {
    Tensor next = program.getNumFeatures() ? takeSteps(prompt, i % length, 1)
                                           : Tensor::fromData<int32_t>({1}, *token);
    token = feed(program, next, *state, "decode", steps);
  }
  return token.takeError();
}

Error ssmq::profile(const Model &model, const Tensor &prompt, const CompileOptions &compile,
                    const ProfilingOptions &options) {
  Expected<ProfiledProgram> profiled = model.makeProfiledProgram(compile);
  if (!profiled)
    return profiled.takeError();
  std::vector<ProfiledStep> cold, steps;
  if (Error error = run(*profiled->program, prompt, 1, cold))
    return error;
  for (int i = 1; i < kPrompts; ++i)
    if (Error error = run(*profiled->program, prompt, 0, steps))
      return error;
  if (Error error = run(*profiled->program, prompt, options.numTokens, steps))
    return error;

  printProfile(summarize(profiled->ops, steps), measurePeaks(compile.threads), llvm::outs());
  if (options.trace.empty())
    return Error::success();
  return writeFileAtomically(options.trace, [&](llvm::raw_ostream &stream) {
    writeTrace(profiled->ops, steps, stream);
    return Error::success();
  });
}
