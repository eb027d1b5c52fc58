//===- Training.cpp - Scans for training ----------------------------------===//

#include "Binding.h"

using namespace ssmq::python;

namespace {
template <int dims>
using Array = nb::ndarray<const float, nb::ndim<dims>, nb::c_contig, nb::device::cpu>;
template <int dims>
using Output = nb::ndarray<float, nb::ndim<dims>, nb::c_contig, nb::device::cpu>;
using Pairs = Array<3>;

/// The arguments that both directions take; arrays must outlive it.
struct Scan {
  Array<3> u;
  Pairs a, b, c;
  std::optional<std::string> format;
  std::vector<float> bounds;
  float limit, gradientLimit;
  unsigned threads;

  SsmqRoundedScan get() const {
    checkShapes();
    auto size = [](const auto &array, size_t axis) {
      return static_cast<int64_t>(array.shape(axis));
    };
    return {size(u, 0),    size(u, 1),    size(u, 2),
            size(a, 1),    u.data(),      a.data(),
            b.data(),      c.data(),      format ? format->c_str() : nullptr,
            bounds.data(), bounds.size(), limit,
            gradientLimit, threads};
  }

private:
  void checkShapes() const {
    for (const Pairs *pairs : {&a, &b, &c})
      if (pairs->shape(0) != u.shape(2) || pairs->shape(1) != a.shape(1) || pairs->shape(2) != 2)
        throw Failure{SSMQ_INPUT_ERROR, "a, b and c of a scan must be [heads, states, 2]"};
  }
};
} // namespace

template <typename... Arrays>
static void checkSizes(size_t expected, const Arrays &...arrays) {
  if (((arrays.size() != expected) || ...))
    throw Failure{SSMQ_INPUT_ERROR, "arrays of a scan differ in size"};
}

void ssmq::python::bindTraining(nb::module_ &module) {
  nb::class_<Scan>(module, "RoundedScan")
      .def(nb::init<Array<3>, Pairs, Pairs, Pairs, std::optional<std::string>, std::vector<float>,
                    float, float, unsigned>(),
           "u"_a, "a"_a, "b"_a, "c"_a, "format"_a.none(), "bounds"_a, "limit"_a, "gradient_limit"_a,
           "threads"_a)
      .def(
          "run",
          [](const Scan &scan, const Output<3> &y, const std::optional<Output<5>> &states) {
            SsmqRoundedScan handle = scan.get();
            checkSizes(scan.u.size(), y);
            if (states)
              checkSizes(scan.u.size() * 2 * scan.a.shape(1), *states);
            check([&] {
              return ssmqRoundedScan(&handle, y.data(), states ? states->data() : nullptr);
            });
          },
          "y"_a, "states"_a.none())
      .def("run_back",
           [](const Scan &scan, const Array<5> &states, const Array<3> &ofY, const Output<3> &ofU,
              const Output<3> &ofA, const Output<3> &ofB, const Output<3> &ofC) {
             SsmqRoundedScan handle = scan.get();
             checkSizes(scan.u.size() * 2 * scan.a.shape(1), states);
             checkSizes(scan.u.size(), ofY, ofU);
             checkSizes(scan.a.size(), ofA, ofB, ofC);
             check([&] {
               return ssmqRoundedScanGradient(&handle, states.data(), ofY.data(), ofU.data(),
                                              ofA.data(), ofB.data(), ofC.data());
             });
           });
}
