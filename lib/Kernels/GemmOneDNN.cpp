//===- GemmOneDNN.cpp - GEMM by oneDNN where it is built in ---------------===//

#include "GemmOneDNN.h"

#ifdef SSMQ_HAVE_ONEDNN
#include <dlfcn.h>
#include <dnnl.h>
#endif

using namespace ssmq;

#ifdef SSMQ_HAVE_ONEDNN

namespace {

/// oneDNN has no thread count per call: the OpenMP runtime that it brought along is asked to limit
/// the calling thread. A build on another runtime has no such functions and is left alone.
class ThreadLimit {
public:
  explicit ThreadLimit(unsigned threads) {
    static const auto getThreads =
        reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    if (!getThreads || !setThreads())
      return;
    previous = getThreads();
    setThreads()(static_cast<int>(threads));
  }
  ~ThreadLimit() {
    if (previous)
      setThreads()(previous);
  }
  ThreadLimit(const ThreadLimit &) = delete;
  ThreadLimit &operator=(const ThreadLimit &) = delete;

private:
  static void (*setThreads())(int) {
    static const auto function =
        reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    return function;
  }
  int previous = 0;
};

} // namespace

bool ssmq::multiplyOneDNN(ConstMatrix a, ConstMatrix b, bool transposedB, MutableMatrix c,
                          GemmShape shape, unsigned threads) {
  ThreadLimit limit(threads);
  return dnnl_sgemm('N', transposedB ? 'T' : 'N', shape.m, shape.n, shape.k, 1.0f, a.data, a.stride,
                    b.data, b.stride, 0.0f, c.data, c.stride) == dnnl_success;
}

#else

bool ssmq::multiplyOneDNN(ConstMatrix, ConstMatrix, bool, MutableMatrix, GemmShape, unsigned) {
  return false;
}

#endif

bool ssmq::isAvailable(GemmLibrary library) {
#ifdef SSMQ_HAVE_ONEDNN
  return true;
#else
  return library == GemmLibrary::Builtin;
#endif
}
