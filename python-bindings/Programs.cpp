//===- Programs.cpp - Modules, programs and their states ----------------===//

#include "Binding.h"

using namespace ssmq::python;

namespace {
struct Context {
  Handle<SsmqContext, ssmqContextDestroy> handle;

  Context() {
    SsmqContext *made = nullptr;
    check([&] { return ssmqContextCreate(&made); });
    handle.reset(made);
  }
};

struct State {
  Handle<SsmqState, ssmqStateDestroy> handle;

  int64_t getLength() const { return ssmqStateGetLength(handle.get()); }
  int64_t getCapacity() const { return ssmqStateGetCapacity(handle.get()); }
  State clone() const {
    SsmqState *made = nullptr;
    check([&] { return ssmqStateClone(handle.get(), &made); });
    return {Handle<SsmqState, ssmqStateDestroy>(made)};
  }
};

struct Program {
  std::shared_ptr<SsmqProgram> handle;

  explicit Program(SsmqProgram *made) : handle(made, ssmqProgramDestroy) {}

  int64_t getVocabSize() const { return ssmqProgramGetVocabSize(handle.get()); }
  int64_t getNumFeatures() const { return ssmqProgramGetNumFeatures(handle.get()); }

  State newState(int64_t capacity) const {
    SsmqState *made = nullptr;
    check([&] { return ssmqStateCreate(handle.get(), capacity, &made); });
    return {Handle<SsmqState, ssmqStateDestroy>(made)};
  }

  template <auto call>
  Logits feed(const Tokens &tokens, State &state, size_t rows) const {
    size_t vocab = getVocabSize();
    auto logits = std::make_unique<float[]>(rows * vocab);
    check([&] {
      return call(handle.get(), state.handle.get(), tokens.data(), tokens.size(), logits.get());
    });
    return toArray(std::move(logits), rows, vocab);
  }
  Logits forward(const Tokens &tokens, State &state) const {
    return feed<ssmqProgramForward>(tokens, state, tokens.size());
  }
  Logits forwardLast(const Tokens &tokens, State &state) const {
    return feed<ssmqProgramForwardLast>(tokens, state, std::min<size_t>(tokens.size(), 1));
  }

  Logits forwardFeatures(const Values &features, State &state) const {
    size_t steps = features.shape(0), classes = getVocabSize();
    if (static_cast<int64_t>(features.shape(1)) != getNumFeatures())
      throw Failure{SSMQ_INPUT_ERROR, "the program reads " + std::to_string(getNumFeatures()) +
                                          " features a step, not " +
                                          std::to_string(features.shape(1))};
    size_t rows = steps ? ssmqProgramGetNumRows(handle.get(), steps) : 0;
    auto logits = std::make_unique<float[]>(rows * classes);
    check([&] {
      return ssmqProgramForwardFeatures(handle.get(), state.handle.get(), features.data(), steps,
                                        logits.get());
    });
    return toArray(std::move(logits), rows, classes);
  }

  template <typename Call>
  static SsmqEvaluation evaluateBy(Call call, int64_t sequenceLength, unsigned threads,
                                   const std::string &teacherCache,
                                   const std::string &teacherIdentity) {
    SsmqEvaluationOptions options = {sequenceLength, threads,
                                     teacherCache.empty() ? nullptr : teacherCache.c_str(),
                                     teacherIdentity.c_str()};
    SsmqEvaluation result;
    check([&] { return call(&options, &result); });
    return result;
  }
  SsmqEvaluation evaluate(const Tokens &tokens, const Program *teacher, int64_t sequenceLength,
                          unsigned threads, const std::string &teacherCache,
                          const std::string &teacherIdentity) const {
    auto call = [&](const SsmqEvaluationOptions *options, SsmqEvaluation *result) {
      return ssmqEvaluate(handle.get(), teacher ? teacher->handle.get() : nullptr, tokens.data(),
                          tokens.size(), options, result);
    };
    return evaluateBy(call, sequenceLength, threads, teacherCache, teacherIdentity);
  }
  SsmqEvaluation evaluateSequences(const std::string &sequences, const Program *teacher,
                                   int64_t sequenceLength, unsigned threads,
                                   const std::string &teacherCache,
                                   const std::string &teacherIdentity) const {
    auto call = [&](const SsmqEvaluationOptions *options, SsmqEvaluation *result) {
      return ssmqEvaluateSequences(handle.get(), teacher ? teacher->handle.get() : nullptr,
                                   sequences.c_str(), options, result);
    };
    return evaluateBy(call, sequenceLength, threads, teacherCache, teacherIdentity);
  }

  /// `onToken` is None or a function that answers whether to go on.
  std::vector<int32_t> generate(const Tokens &prompt, int64_t numTokens, double temperature,
                                uint64_t seed, nb::object onToken) const {
    struct Sink {
      std::vector<int32_t> tokens;
      nb::object onToken;
      std::exception_ptr exception;
    } sink{{}, std::move(onToken), nullptr};
    auto callback = [](int32_t token, void *userData) {
      auto &sink = *static_cast<Sink *>(userData);
      sink.tokens.push_back(token);
      if (sink.onToken.is_none())
        return true;
      nb::gil_scoped_acquire acquire;
      // An exception of Python must not cross the C interface.
      try {
        return nb::cast<bool>(sink.onToken(token));
      } catch (...) {
        sink.exception = std::current_exception();
        return false;
      }
    };
    check([&] {
      return ssmqGenerate(handle.get(), prompt.data(), prompt.size(), numTokens, temperature, seed,
                          callback, &sink);
    });
    if (sink.exception)
      std::rethrow_exception(sink.exception);
    return std::move(sink.tokens);
  }

  SsmqThroughput benchmark(const Tokens &prompt, int64_t numTokens, unsigned repeats) const {
    SsmqThroughput result;
    check([&] {
      return ssmqBenchmark(handle.get(), prompt.data(), prompt.size(), numTokens, repeats, &result);
    });
    return result;
  }
};

struct Module {
  Handle<SsmqModule, ssmqModuleDestroy> handle;

  static Module importHuggingFace(const Context &context, const std::string &directory) {
    SsmqModule *made = nullptr;
    check([&] {
      return ssmqModuleImportHuggingFace(context.handle.get(), directory.c_str(), &made);
    });
    return {Handle<SsmqModule, ssmqModuleDestroy>(made)};
  }

  static Module parse(const Context &context, nb::bytes data, const std::string &name) {
    SsmqModule *made = nullptr;
    check([&, bytes = data.c_str(), size = data.size()] {
      return ssmqModuleParse(context.handle.get(), bytes, size, name.c_str(), &made);
    });
    return {Handle<SsmqModule, ssmqModuleDestroy>(made)};
  }

  Module clone() const {
    SsmqModule *made = nullptr;
    check([&] { return ssmqModuleClone(handle.get(), &made); });
    return {Handle<SsmqModule, ssmqModuleDestroy>(made)};
  }

  void setCheckpoint(const std::string &directory) {
    check([&] { return ssmqModuleSetCheckpoint(handle.get(), directory.c_str()); });
  }

  void runPipeline(const std::string &pipeline) {
    check([&] { return ssmqModuleRunPipeline(handle.get(), pipeline.c_str()); });
  }

  template <SsmqStatus (*write)(SsmqModule *, SsmqBytesCallback, void *)>
  std::string get() const {
    std::string text;
    check([&] { return write(handle.get(), appendTo, &text); });
    return text;
  }
  std::string print() const { return get<ssmqModulePrint>(); }
  nb::bytes getBytecode() const {
    std::string code = get<ssmqModuleWriteBytecode>();
    return nb::bytes(code.data(), code.size());
  }

  Program interpret(SsmqKernels kernels, unsigned threads) const {
    SsmqProgram *made = nullptr;
    check([&] { return ssmqProgramInterpret(handle.get(), kernels, threads, &made); });
    return Program(made);
  }
  Program compile(unsigned threads, const std::string &target, const std::string &device) const {
    SsmqProgram *made = nullptr;
    check([&] {
      return ssmqProgramCompile(handle.get(), threads, target.c_str(), device.c_str(), &made);
    });
    return Program(made);
  }
};
} // namespace

void ssmq::python::bindPrograms(nb::module_ &module) {
  nb::enum_<SsmqKernels>(module, "Kernels")
      .value("reference", SSMQ_KERNELS_REFERENCE)
      .value("fast", SSMQ_KERNELS_FAST);

  nb::class_<Context>(module, "Context").def(nb::init<>());
  nb::class_<State>(module, "State")
      .def("clone", &State::clone)
      .def_prop_ro("length", &State::getLength)
      .def_prop_ro("capacity", &State::getCapacity);
  nb::class_<Program>(module, "Program")
      .def_prop_ro("vocab_size", &Program::getVocabSize)
      .def_prop_ro("num_features", &Program::getNumFeatures)
      .def("new_state", &Program::newState)
      .def("forward", &Program::forward)
      .def("forward_last", &Program::forwardLast)
      .def("forward_features", &Program::forwardFeatures)
      .def("evaluate_sequences", &Program::evaluateSequences, "sequences"_a, "teacher"_a.none(),
           "sequence_length"_a, "threads"_a, "teacher_cache"_a, "teacher_identity"_a)
      .def("evaluate", &Program::evaluate, "tokens"_a, "teacher"_a.none(), "sequence_length"_a,
           "threads"_a, "teacher_cache"_a, "teacher_identity"_a)
      .def("generate", &Program::generate, "prompt"_a, "num_tokens"_a, "temperature"_a, "seed"_a,
           "on_token"_a.none())
      .def("benchmark", &Program::benchmark);
  nb::class_<Module>(module, "Module")
      .def_static("import_hugging_face", &Module::importHuggingFace)
      .def_static("parse", &Module::parse)
      .def("clone", &Module::clone)
      .def("set_checkpoint", &Module::setCheckpoint)
      .def("run_pipeline", &Module::runPipeline)
      .def("print", &Module::print)
      .def("bytecode", &Module::getBytecode)
      .def("interpret", &Module::interpret)
      .def("compile", &Module::compile, "threads"_a, "target"_a, "device"_a);
}
