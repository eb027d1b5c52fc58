//===- KernelBuilder.h - Builds the loops of a kernel -----------*- C++ -*-===//
//
// What the emitters of all ops need: f32 vectors of the machine's width over rows of buffers, with
// weights widened as they are loaded; loops over static extents whose tail is a shorter vector, so
// that nothing outside a buffer is touched; and sums whose order is fixed by shapes alone, so that
// results do not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_KERNELBUILDER_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_KERNELBUILDER_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "ssmq/Conversion/SSMToVector/SSMToVector.h"

namespace mlir::ssm {

class KernelBuilder : public ImplicitLocOpBuilder {
public:
  using Values = SmallVector<Value>;

  KernelBuilder(Location loc, OpBuilder &builder, const KernelTarget &target)
      : ImplicitLocOpBuilder(loc, builder), target(target) {}

  // Scalars. Index arithmetic folds.
  Value index(int64_t value);
  Value f32(float value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs) { return rhs == 0 ? lhs : add(lhs, index(rhs)); }
  Value mul(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, index(rhs)); }
  Value floorDiv(Value lhs, int64_t rhs);
  Value rem(Value lhs, int64_t rhs);
  Value min(Value lhs, Value rhs);
  Value dim(Value memref, int64_t dim);

  // Vectors of f32.
  VectorType vectorType(int64_t lanes) { return VectorType::get({lanes}, getF32Type()); }
  Value zeros(int64_t lanes);
  Value splat(Value scalar, int64_t lanes);
  /// A constant of integers, cut to their width.
  Value integers(VectorType type, int64_t value);
  Value fma(Value a, Value b, Value c);
  Value shuffle(Value a, Value b, ArrayRef<int64_t> mask);
  /// `vector` followed by zeros up to `lanes`.
  Value pad(Value vector, int64_t lanes);
  Value slice(Value vector, int64_t first, int64_t lanes);
  Value extract(Value vector, int64_t lane);
  /// Sums (or maxima) over the lanes, pairwise.
  Value sumLanes(Value vector);
  Value maxLanes(Value vector);
  /// One vector whose lane i is the sum of the lanes of vectors[i]; all have one width, a power of
  /// two.
  Value sumEach(ArrayRef<Value> vectors);
  /// The same with another operation than a sum, on elements of any type.
  Value mergeLanes(ArrayRef<Value> vectors, function_ref<Value(Value, Value)> combine);

  /// Lane i of the result is lane places[i] of the vectors, of one width, one after the other.
  Value pick(ArrayRef<Value> vectors, ArrayRef<int64_t> places);
  /// As many vectors as each has lanes (a power of two) as the rows of a matrix, transposed.
  Values transpose(ArrayRef<Value> rows);

  // Memory. The innermost stride of a memref is one.
  Value loadRaw(Value memref, ValueRange indices, int64_t lanes);
  /// Loads f32, f16, bf16 or i8 as f32.
  Value load(Value memref, ValueRange indices, int64_t lanes);
  Value loadScalar(Value memref, ValueRange indices);
  void store(Value vector, Value memref, ValueRange indices);
  void storeScalar(Value scalar, Value memref, ValueRange indices);
  /// A number or a vector of f16, bf16, f32 or i8 as f32.
  Value widen(Value value);
  /// A vector of f32 as f16, bf16 or f32, to nearest, ties to even.
  Value narrow(Value vector, Type element);
  /// Uninitialised buffer; `tokens` is its leading dynamic dimension.
  Value allocate(Value tokens, ArrayRef<int64_t> trailing);
  void free(Value memref);

  // Loops.
  /// for (i = begin; i < end; i += step) values = body(i, values); gives the last values.
  Values loop(Value begin, Value end, int64_t step, ValueRange inits,
              function_ref<Values(Value, ValueRange)> body);
  void loop(Value begin, Value end, int64_t step, function_ref<void(Value)> body);
  /// Covers `extent` columns from `base` on with vectors of `lanes` columns and one shorter tail;
  /// body(column, lanes, values). Up to `unroll` whole vectors are unrolled instead of looped.
  Values overColumns(Value base, int64_t extent, int64_t lanes, ValueRange inits,
                     function_ref<Values(Value, int64_t, ValueRange)> body, int64_t unroll = 1);
  void overColumns(int64_t extent, int64_t lanes, function_ref<void(Value, int64_t)> body);
  /// Calls body(tokens) for blocks of `most` tokens; the last may take in tokens of the one before
  /// it, so that there are single tokens only where there are less than `most`.
  void overTokens(Value tokens, int64_t most, function_ref<void(ArrayRef<Value>)> body);
  /// Calls body(row, rows) for `rowsAtOnce` rows at a time, and one by one for the rest.
  void overRows(Value end, int64_t rowsAtOnce, function_ref<void(Value row, int64_t rows)> body);
  /// A product of matrices in registers: adds factor(i, r) times vector v of row i, for i in
  /// [0, end), to each of the `sums`, which are rows of equally many vectors.
  Values accumulate(Value end, Values sums, int64_t rows,
                    function_ref<Value(Value i, int64_t r)> factor,
                    function_ref<Value(Value i, int64_t v)> vector);
  /// Multiply-adds that an exponential costs.
  static constexpr int64_t workOfExp = 16;
  /// Iterations on OpenMP threads when `work` (multiply-adds of all, see KernelTarget) is worth it.
  void parallel(Value count, Value work, function_ref<void(Value)> body);

  /// Lanes of a vector for rows of `columns` values: a power of two, at most the machine's width.
  int64_t lanesFor(int64_t columns) const;

  const KernelTarget &target;

private:
  /// Iterations of the smallest piece of a loop that threads fetch.
  Value getChunk(Value count, Value work);
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_KERNELBUILDER_H
