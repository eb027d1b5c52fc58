//===- HookedScan.h - Scans that show their state after each token -*- C++ -*-===//

#ifndef SSMQ_LIB_KERNELS_HOOKEDSCAN_H
#define SSMQ_LIB_KERNELS_HOOKEDSCAN_H

#include "ssmq/Kernels/KernelOptions.h"
#include <algorithm>

namespace ssmq {

/// Token by token: `run` scans one token, then the hook sees the `size` numbers of the state, and
/// `advance` moves the inputs to the next token. A step reads its part of the state before it
/// writes it, so both may be one.
template <typename Scan, typename Run, typename Advance>
void scanWithHook(const Scan &scan, int64_t size, StateHook hook, Run run, Advance advance) {
  std::copy_n(scan.state, size, scan.newState);
  Scan step = scan;
  step.state = scan.newState;
  step.tokens = 1;
  for (int64_t t = 0; t < scan.tokens; ++t) {
    run(step);
    hook({scan.newState, static_cast<size_t>(size)});
    advance(step);
  }
}

} // namespace ssmq

#endif // SSMQ_LIB_KERNELS_HOOKEDSCAN_H
