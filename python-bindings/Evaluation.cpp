//===- Evaluation.cpp - What evaluations and benchmarks give ------------===//

#include "Binding.h"

using namespace ssmq::python;

template <size_t n>
static std::vector<SsmqQuantile> toList(const SsmqQuantile (&quantiles)[n]) {
  return {quantiles, quantiles + n};
}

void ssmq::python::bindEvaluation(nb::module_ &module) {
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
      .def_ro("accuracy", &SsmqEvaluation::accuracy)
      .def_ro("accuracy_change", &SsmqEvaluation::accuracyChange)
      .def_prop_ro("forward_kl_quantiles",
                   [](const SsmqEvaluation &one) { return toList(one.forwardKLQuantiles); })
      .def_prop_ro("probability_change_quantiles", [](const SsmqEvaluation &one) {
        return toList(one.probabilityChangeQuantiles);
      });
  nb::class_<SsmqThroughput>(module, "Throughput")
      .def_ro("prefill", &SsmqThroughput::prefill)
      .def_ro("decode", &SsmqThroughput::decode);
}
