//===- PostDominators.h - Values that all flow passes -----------*- C++ -*-===//
//
// In a program without control flow, a value post-dominates another when everything that the other
// contributes to a result passes it: the sum at the end of a residual block post-dominates all that
// is computed inside. The *trunk* is the chain of post-dominators of the first value of the flow:
// of the embeddings, the residual stream block by block.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFERENCE_POSTDOMINATORS_H
#define SSMQ_REFERENCE_POSTDOMINATORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/BitVector.h"
#include <optional>
#include <vector>

namespace mlir::ssm {

/// Values are numbered so that an edge leads to a larger number.
class PostDominators {
public:
  struct Edge {
    unsigned from, to;
  };
  PostDominators() = default;
  /// Edges ordered by `to`; all flow is followed to the value `root`, and the trunk starts at
  /// `first`.
  PostDominators(unsigned numValues, llvm::ArrayRef<Edge> edges, unsigned root, unsigned first);

  /// The first value of the trunk that all flow from these values passes; nullopt when none of them
  /// reaches the root or only the root is passed by all.
  std::optional<unsigned> findOnTrunk(llvm::ArrayRef<unsigned> values) const;

private:
  /// Nearest value that both flow through, one of them included.
  unsigned meet(unsigned a, unsigned b) const;

  unsigned root = 0;
  /// Immediate post-dominators; the root's is itself, and `none` of values that do not reach it.
  std::vector<unsigned> next;
  llvm::BitVector trunk;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_POSTDOMINATORS_H
