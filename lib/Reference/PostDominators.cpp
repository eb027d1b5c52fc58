//===- PostDominators.cpp - Values that all flow passes -------------------===//

#include "PostDominators.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir::ssm;

static constexpr unsigned none = ~0u;

PostDominators::PostDominators(unsigned numValues, llvm::ArrayRef<Edge> edges, unsigned root,
                               unsigned first)
    : root(root), next(numValues, none), trunk(numValues) {
  next[root] = root;
  // Larger numbers are complete when an edge leads to them.
  for (Edge edge : llvm::reverse(edges))
    if (next[edge.to] != none && edge.from != root)
      next[edge.from] = next[edge.from] == none ? edge.to : meet(next[edge.from], edge.to);
  for (; next[first] != none && first != root; first = next[first])
    trunk.set(first);
}

unsigned PostDominators::meet(unsigned a, unsigned b) const {
  while (a != b)
    (a < b ? a : b) = next[a < b ? a : b];
  return a;
}

std::optional<unsigned> PostDominators::findOnTrunk(llvm::ArrayRef<unsigned> values) const {
  unsigned met = none;
  for (unsigned value : values)
    if (next[value] != none)
      met = met == none ? value : meet(met, value);
  if (met == none)
    return std::nullopt;
  while (met != root && !trunk.test(met))
    met = next[met];
  return met == root ? std::nullopt : std::optional(met);
}
