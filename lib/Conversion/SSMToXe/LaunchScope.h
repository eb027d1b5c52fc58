//===- LaunchScope.h - Values of one launch ---------------------*- C++ -*-===//
//
// A launch computes its roots: ops that its work-groups share. What only feeds them comes before
// (prologues): an elementwise op is computed where a number of it is read; norms, rotations and
// rounded activations of the one token, and what a linear layer reads, are computed by each
// work-group into its own memory. Elementwise ops that read a root (epilogues) are computed where
// a number of it is stored.
//
// An input that is widened, or a result that is rounded before it is yielded, is its buffer:
// numbers are widened as they are loaded and rounded as they are stored.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHSCOPE_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHSCOPE_H

#include "XeBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

/// Work-groups that compute an op: `groups` for every `tokens` tokens; 0: for all tokens together.
struct Grid {
  int64_t groups;
  int64_t tokens;
};

class LaunchScope {
public:
  /// `tokens` is the number of rows of activations, an index.
  LaunchScope(XeBuilder &k, LaunchOp launch, ArrayRef<Place> inputs, ArrayRef<Place> results,
              Value tokens);

  /// One number, f32 where it is one of less bits.
  Value load(Value tensor, ValueRange indices);
  /// Where the numbers of a value lie; null when they are computed as they are read.
  const Place *getPlace(Value tensor) const;
  /// Takes a number of a result to all places that it and what is computed from it have.
  void store(Value result, ValueRange indices, Value number);
  /// The place of a yielded result, as those of states; null for what only the launch reads.
  const Place *getOutput(Value result) const;

  /// Rows of a value that has one for each token.
  Value countTokens(Value tensor);

  /// Gives a value, in the memory of the work-group, its place.
  void place(Value tensor, Place where) { places[tensor] = std::move(where); }

  /// Numbers of values that have no place, at some indices.
  using Numbers = DenseMap<Value, Value>;
  /// What a generic op makes of the numbers at `indices` of its loops.
  Value evaluate(linalg::GenericOp op, ValueRange indices, const Numbers &known = Numbers());

  XeBuilder &k;
  const Value tokens;

private:
  /// `known` are those that were computed of the same number.
  void store(Value result, ValueRange indices, Value number, Numbers &known);
  /// Of the launch, computed by each work-item.
  Value evaluateScalar(Value scalar);

  DenseMap<Value, Place> places;
  /// Of each yielded value.
  DenseMap<Value, Place> outputs;
};

/// Whether a value of a launch lies in a buffer of its inputs, as it is or with less bits.
bool liesInMemory(Value tensor);

/// Ops of a launch by their part in it.
struct LaunchParts {
  explicit LaunchParts(LaunchOp launch);
  /// In the order of the program.
  SmallVector<Operation *> prologues, roots;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHSCOPE_H
