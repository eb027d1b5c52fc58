//===- Binding.h - What all bindings of the C interface share ---*- C++ -*-===//
//
// Thin classes around the handles of ssmq-c/SSMQ.h. Long calls release the interpreter lock; a
// failed call becomes ssmq.Error, whose `status` is the exit code.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_PYTHON_BINDING_H
#define SSMQ_PYTHON_BINDING_H

#include "ssmq-c/SSMQ.h"
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace ssmq::python {

namespace nb = nanobind;
using namespace nb::literals;

struct Failure {
  SsmqStatus status;
  std::string message;
};

/// Runs a call of the C interface without the interpreter lock.
template <typename F>
void check(F call) {
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
inline void appendTo(const char *data, size_t size, void *userData) {
  static_cast<std::string *>(userData)->append(data, size);
}

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
inline Logits toArray(std::unique_ptr<float[]> values, size_t rows, size_t columns) {
  float *data = values.get();
  nb::capsule owner(values.release(),
                    [](void *array) noexcept { delete[] static_cast<float *>(array); });
  return Logits(data, {rows, columns}, owner);
}

/// Each adds its part to the module _ssmq.
void bindEvaluation(nb::module_ &module);
void bindFormats(nb::module_ &module);
void bindPrograms(nb::module_ &module);
void bindTraining(nb::module_ &module);

} // namespace ssmq::python

#endif // SSMQ_PYTHON_BINDING_H
