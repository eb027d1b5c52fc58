//===- XeBuilder.h - Builds the body of a GPU kernel ------------*- C++ -*-===//
//
// Code of one work-item, of sub-groups of 16 (the size that Xe2 has) and work-groups of
// `kSubgroups` of them. Memory is reached through pointers with static strides, as kernels take
// their buffers; numbers are widened to f32 as they are loaded.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_XEBUILDER_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_XEBUILDER_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

namespace mlir::ssm {

/// Numbers in memory; strides count elements.
struct Place {
  Value pointer;
  Type element;
  SmallVector<int64_t> strides;
  /// How many rows of a cache there are; null for all else.
  Value rows;
  /// Elements between a multiple of 64 bytes, as buffers begin at, and the first; if known.
  std::optional<int64_t> offset = std::nullopt;
};

/// SPIR-V has no bf16: it is in memory what an integer of 16 bits is.
Type getTypeInMemory(Type element);

class XeBuilder : public ImplicitLocOpBuilder {
public:
  using Values = SmallVector<Value>;
  static constexpr int64_t kLanes = 16;
  static constexpr int64_t kSubgroups = 8;
  static constexpr int64_t kItems = kLanes * kSubgroups;

  XeBuilder(Location loc, OpBuilder &builder, gpu::GPUModuleOp module);

  // Where this work-item is.
  Value lane, subgroup, item;

  // Scalars. Index arithmetic folds.
  Value index(int64_t value);
  Value f32(float value);
  Value i32(int32_t value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs) { return rhs == 0 ? lhs : add(lhs, index(rhs)); }
  Value mul(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, index(rhs)); }
  Value floorDiv(Value lhs, int64_t rhs);
  Value rem(Value lhs, int64_t rhs);
  Value isLess(Value lhs, Value rhs);
  Value isEqual(Value lhs, Value rhs);
  Value addf(Value lhs, Value rhs);
  Value mulf(Value lhs, Value rhs);
  Value fma(Value a, Value b, Value c);
  Value subf(Value lhs, Value rhs);
  Value divf(Value lhs, Value rhs);
  Value exp(Value value);
  /// Of 4 signed bytes in an i32 each: sum + lhs . rhs.
  Value dotBytes(Value lhs, Value rhs, Value sum);
  Value select(Value condition, Value then, Value otherwise);
  Value both(Value lhs, Value rhs);
  /// Signed. Uniform where both are, unlike the extended instruction that arith.minsi becomes.
  Value min(Value lhs, Value rhs);
  Value bitcast(Value value, Type type);

  // Memory.
  Value address(const Place &place, ValueRange indices);
  /// A number, or `count` of the innermost dimension as a vector, as they lie.
  Value loadRaw(const Place &place, ValueRange indices, int64_t count = 1);
  /// f32 of f32, f16, bf16 or i8; i32 as it is.
  Value load(const Place &place, ValueRange indices);
  Value widen(Value value);
  /// f32 in another type, to nearest.
  Value narrow(Value value, Type element);
  /// f32 to the place's element, to nearest; integers as they are.
  void store(Value value, const Place &place, ValueRange indices);
  /// Memory of the work-group.
  Place local(Type element, ArrayRef<int64_t> shape);
  /// Numbers that the kernel has with it.
  Place constants(ArrayRef<float> numbers);
  void barrier();

  // Control.
  Values loop(Value begin, Value end, Value step, ValueRange inits,
              function_ref<Values(Value, ValueRange)> body);
  void loop(Value begin, Value end, Value step, function_ref<void(Value)> body);
  /// Calls body(first, count, values) for steps of `step`, the last of which may be shorter, and
  /// threads `values` through.
  Values overSteps(int64_t size, int64_t step, ValueRange inits,
                   function_ref<Values(Value, int64_t, ValueRange)> body);
  /// Columns of a row, one after another for each of the work-group's items.
  void overColumns(int64_t columns, function_ref<void(Value)> body);
  void ifThen(Value condition, function_ref<void()> body, function_ref<void()> otherwise = {});

  // Reductions; every work-item has the result.
  using Combine = function_ref<Value(Value, Value)>;
  Value shuffleXor(Value value, int64_t distance);
  Value reduceSubgroup(Value value, Combine combine);
  Value reduceGroup(Value value, Combine combine);
  Value sumSubgroup(Value value);
  Value sumGroup(Value value);

  gpu::GPUModuleOp module;

private:
  std::string nameGlobal(StringRef prefix);
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_XEBUILDER_H
