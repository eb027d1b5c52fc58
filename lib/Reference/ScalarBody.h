//===- ScalarBody.h - The body of a structured op ---------------*- C++ -*-===//
//
// The region of a linalg op computes scalars from scalars. It is translated once into a list of
// steps, each of which works on a row of `lanes` scalars at a time. Floats are held as f32 and
// rounded to f16 or bf16 after each step that the IR types so; integers, index and i1 as i64, sign
// extended from their width.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFERENCE_SCALARBODY_H
#define SSMQ_REFERENCE_SCALARBODY_H

#include "mlir/IR/Operation.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>
#include <vector>

namespace mlir::ssm {

/// A row of scalars; one of both is used.
struct ScalarRow {
  std::vector<float> floats;
  std::vector<int64_t> integers;
};

class ScalarBody {
public:
  /// Where a row stands in the iteration space: `index` of its first scalar; `laneDim` grows by one
  /// from scalar to scalar, unless it is negative.
  struct Position {
    ArrayRef<int64_t> index;
    int laneDim = -1;
  };

  /// `captured` are the values of getCapturedValues(op) and must outlive the body. Fails with a
  /// diagnostic at an op that has no translation.
  static FailureOr<ScalarBody> create(Operation *op, ArrayRef<::ssmq::Tensor> captured,
                                      int64_t lanes);

  /// The row of a block argument, to be filled before each run.
  ScalarRow &getArgument(unsigned i) { return rows[i]; }
  /// Fails with a diagnostic when an index leaves a tensor.
  LogicalResult run(Position position, int64_t lanes);
  const ScalarRow &getYielded(unsigned i) const { return rows[yielded[i]]; }

private:
  using Step = std::function<LogicalResult(std::vector<ScalarRow> &, Position, int64_t lanes)>;

  explicit ScalarBody(int64_t maxLanes) : maxLanes(maxLanes) {}
  unsigned addRow(Value value);
  void addCaptured(Operation *op, ArrayRef<::ssmq::Tensor> captured);
  LogicalResult translate(Operation &op);
  bool translateFloat(Operation &op);
  bool translateInteger(Operation &op);
  bool translateConversion(Operation &op);
  LogicalResult translateExtract(Operation &op);
  template <typename Function>
  bool addFloats(Operation &op, Function function);
  template <typename Function>
  bool addIntegers(Operation &op, Function function);

  int64_t maxLanes;
  std::vector<ScalarRow> rows;
  llvm::DenseMap<Value, unsigned> rowOf;
  llvm::DenseMap<Value, ::ssmq::Tensor> tensors;
  std::vector<Step> steps;
  SmallVector<unsigned> yielded;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_SCALARBODY_H
