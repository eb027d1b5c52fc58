//===- Module.cpp - The Python module _ssmq over the C interface ----------===//
//
// Thin classes around the handles of ssmq-c/SSMQ.h. Long calls release the interpreter lock; a
// failed call becomes ssmq.Error, whose `status` is the exit code.
//
//===----------------------------------------------------------------------===//

#include "ssmq-c/SSMQ.h"
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace {
struct Failure {
  SsmqStatus status;
  std::string message;
};
} // namespace

/// Runs a call of the C interface without the interpreter lock.
template <typename F>
static void check(F call) {
  SsmqStatus status;
  std::string message;
  {
    nb::gil_scoped_release release;
    status = call();
    // The message belongs to this thread and to its last failure.
    if (status != SSMQ_OK)
      message = ssmqGetErrorMessage();
  }
  if (status != SSMQ_OK)
    throw Failure{status, std::move(message)};
}

/// The callback that collects bytes in the std::string behind `userData`.
static void appendTo(const char *data, size_t size, void *userData) {
  static_cast<std::string *>(userData)->append(data, size);
}

namespace {
template <typename T, void (*destroy)(T *)>
struct Deleter {
  void operator()(T *handle) const { destroy(handle); }
};
template <typename T, void (*destroy)(T *)>
using Handle = std::unique_ptr<T, Deleter<T, destroy>>;

using Tokens = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Values = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Logits = nb::ndarray<nb::numpy, float, nb::ndim<2>>;

/// Hands the array over to Python.
Logits toArray(std::unique_ptr<float[]> values, size_t rows, size_t columns) {
  float *data = values.get();
  nb::capsule owner(values.release(),
                    [](void *array) noexcept { delete[] static_cast<float *>(array); });
  return Logits(data, {rows, columns}, owner);
}

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

  SsmqEvaluation evaluate(const Tokens &tokens, const Program *teacher, int64_t sequenceLength,
                          unsigned threads, const std::string &teacherCache,
                          const std::string &teacherIdentity) const {
    SsmqEvaluationOptions options = {sequenceLength, threads,
                                     teacherCache.empty() ? nullptr : teacherCache.c_str(),
                                     teacherIdentity.c_str()};
    SsmqEvaluation result;
    check([&] {
      return ssmqEvaluate(handle.get(), teacher ? teacher->handle.get() : nullptr, tokens.data(),
                          tokens.size(), &options, &result);
    });
    return result;
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
  Program compile(unsigned threads, const std::string &target) const {
    SsmqProgram *made = nullptr;
    check([&] { return ssmqProgramCompile(handle.get(), threads, target.c_str(), &made); });
    return Program(made);
  }
};
} // namespace

template <size_t n>
static std::vector<SsmqQuantile> toList(const SsmqQuantile (&quantiles)[n]) {
  return {quantiles, quantiles + n};
}

static std::vector<std::string> getDefaultFormats(const std::string &kind) {
  std::vector<std::string> formats;
  auto append = [](const char *data, size_t size, void *userData) {
    static_cast<std::vector<std::string> *>(userData)->emplace_back(data, size);
  };
  check([&] { return ssmqGetDefaultFormats(kind.c_str(), append, &formats); });
  return formats;
}

static Logits roundValues(const std::string &format, const std::string &kind, int64_t headSize,
                          const Values &values) {
  size_t rows = values.shape(0), columns = values.shape(1);
  SsmqValueLayout layout{kind.c_str(), static_cast<int64_t>(rows), static_cast<int64_t>(columns),
                         headSize};
  auto rounded = std::make_unique<float[]>(rows * columns);
  check([&] { return ssmqFormatRound(format.c_str(), &layout, values.data(), rounded.get()); });
  return toArray(std::move(rounded), rows, columns);
}

NB_MODULE(_ssmq, module) {
  module.doc() = "Bindings of the C interface of ssmq; use the package ssmq.";

  nb::register_exception_translator([](const std::exception_ptr &pointer, void *) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Failure &failure) {
      nb::object type = nb::module_::import_("ssmq.errors").attr("Error");
      nb::object error = type(failure.message, static_cast<int>(failure.status));
      PyErr_SetObject(type.ptr(), error.ptr());
    }
  });

  nb::enum_<SsmqKernels>(module, "Kernels")
      .value("reference", SSMQ_KERNELS_REFERENCE)
      .value("fast", SSMQ_KERNELS_FAST);

  nb::class_<SsmqEstimate>(module, "Estimate")
      .def_ro("mean", &SsmqEstimate::mean)
      .def_ro("standard_error", &SsmqEstimate::standardError);
  nb::class_<SsmqQuantile>(module, "Quantile")
      .def_ro("level", &SsmqQuantile::level)
      .def_ro("value", &SsmqQuantile::value);
  nb::class_<SsmqEvaluation>(module, "Evaluation")
      .def_ro("num_sequences", &SsmqEvaluation::numSequences)
      .def_ro("num_scored", &SsmqEvaluation::numScored)
      .def_ro("cross_entropy", &SsmqEvaluation::crossEntropy)
      .def_ro("perplexity", &SsmqEvaluation::perplexity)
      .def_ro("has_teacher", &SsmqEvaluation::hasTeacher)
      .def_ro("teacher_perplexity", &SsmqEvaluation::teacherPerplexity)
      .def_ro("perplexity_ratio", &SsmqEvaluation::perplexityRatio)
      .def_ro("perplexity_change", &SsmqEvaluation::perplexityChange)
      .def_ro("cross_entropy_change", &SsmqEvaluation::crossEntropyChange)
      .def_ro("cross_entropy_correlation", &SsmqEvaluation::crossEntropyCorrelation)
      .def_ro("forward_kl", &SsmqEvaluation::forwardKL)
      .def_ro("reverse_kl", &SsmqEvaluation::reverseKL)
      .def_ro("mean_squared_error", &SsmqEvaluation::meanSquaredError)
      .def_ro("signal_to_noise", &SsmqEvaluation::signalToNoise)
      .def_ro("probability_change", &SsmqEvaluation::probabilityChange)
      .def_ro("rms_probability_change", &SsmqEvaluation::rmsProbabilityChange)
      .def_ro("same_top1", &SsmqEvaluation::sameTop1)
      .def_prop_ro("forward_kl_quantiles",
                   [](const SsmqEvaluation &one) { return toList(one.forwardKLQuantiles); })
      .def_prop_ro("probability_change_quantiles", [](const SsmqEvaluation &one) {
        return toList(one.probabilityChangeQuantiles);
      });
  nb::class_<SsmqThroughput>(module, "Throughput")
      .def_ro("prefill", &SsmqThroughput::prefill)
      .def_ro("decode", &SsmqThroughput::decode);

  module.def("assign",
             [](const std::string &request, const std::optional<std::string> &assignment) {
               std::string text;
               check([&] {
                 return ssmqAssign(request.c_str(), assignment ? assignment->c_str() : nullptr,
                                   appendTo, &text);
               });
               return text;
             });
  module.def("compute_front", [](const std::string &request, size_t maxPoints) {
    std::string text;
    check([&] { return ssmqComputeFront(request.c_str(), maxPoints, appendTo, &text); });
    return text;
  });

  module.def("list_devices", [] {
    std::string text;
    check([&] { return ssmqListDevices(appendTo, &text); });
    return text;
  });
  module.def("merge_tables", [](const std::vector<std::string> &tables, const std::string &merged) {
    std::vector<const char *> paths;
    for (const std::string &table : tables)
      paths.push_back(table.c_str());
    check([&] { return ssmqMergeTables(paths.data(), paths.size(), merged.c_str()); });
  });
  module.def("get_format_spelling", [](const std::string &format) {
    std::string text;
    check([&] { return ssmqFormatGetSpelling(format.c_str(), appendTo, &text); });
    return text;
  });
  module.def("get_default_formats", &getDefaultFormats);
  module.def("get_format_bytes", [](const std::string &format, const std::string &kind,
                                    int64_t rows, int64_t columns, int64_t headSize) {
    int64_t bytes;
    SsmqValueLayout layout{kind.c_str(), rows, columns, headSize};
    check([&] { return ssmqFormatGetNumBytes(format.c_str(), &layout, &bytes); });
    return bytes;
  });
  module.def("round_values", &roundValues, "format"_a, "kind"_a, "head_size"_a, "values"_a);

  nb::class_<Context>(module, "Context").def(nb::init<>());
  nb::class_<State>(module, "State")
      .def("clone", &State::clone)
      .def_prop_ro("length", &State::getLength)
      .def_prop_ro("capacity", &State::getCapacity);
  nb::class_<Program>(module, "Program")
      .def_prop_ro("vocab_size", &Program::getVocabSize)
      .def("new_state", &Program::newState)
      .def("forward", &Program::forward)
      .def("forward_last", &Program::forwardLast)
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
      .def("compile", &Module::compile, "threads"_a, "target"_a);
}
