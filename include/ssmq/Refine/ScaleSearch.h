//===- ScaleSearch.h - The best grid for a run of values --------*- C++ -*-===//
//
// The scale that just reaches the largest value of a run is not the one of least error: clipping a
// few large values makes all steps finer. The search tries ranges that are fractions of the whole
// one, then each end on its own, and last the scale of least squares for the codes it has come to.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFINE_SCALESEARCH_H
#define SSMQ_REFINE_SCALESEARCH_H

#include "ssmq/Formats/IntegerGrid.h"
#include "llvm/ADT/ArrayRef.h"

namespace ssmq {

/// sum_k importance[k] (values[k] - grid.round(values[k]))^2; without importance each counts 1.
double measureGridError(const IntegerGrid &grid, llvm::ArrayRef<float> values,
                        llvm::ArrayRef<float> importance);

/// The grid of least error among those tried, of which `start` is one, so that it is never worse
/// than that. Importance is not negative and as long as the values, or empty.
IntegerGrid searchGrid(IntegerCodes codes, llvm::ArrayRef<float> values,
                       llvm::ArrayRef<float> importance, const IntegerGrid &start);

} // namespace ssmq

#endif // SSMQ_REFINE_SCALESEARCH_H
