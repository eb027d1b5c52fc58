//===- Tensor.h - Typed host tensors ----------------------------*- C++ -*-===//
//
// A Tensor is a dense row-major array on the host: an element type, a shape and shared, reference
// counted bytes. It owns what it allocates and borrows what it maps (a safetensors file), so that
// weights are never copied. Copies of a Tensor share bytes; whoever wants to write asks for
// `mutableData`, which is only legal on a tensor made by `empty`/`zeros`/`clone`.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_TENSOR_H
#define SSMQ_SUPPORT_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <optional>

namespace ssmq {

/// Element types as they lie in memory. I4 packs two values a byte, low nibble first, each row
/// (innermost dimension) starting on a new byte.
enum class DType : uint8_t { F32, F16, BF16, F64, I64, I32, I16, I8, U8, I4, Bool };

/// "f32", "bf16", ... as MLIR spells them; U8 is "ui8", Bool "i1".
llvm::StringRef getName(DType type);
unsigned getBitWidth(DType type);

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::F32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::F64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::I64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::I32;
};
template <>
struct DTypeOf<int16_t> {
  static constexpr DType value = DType::I16;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = DType::I8;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::U8;
};

using Shape = llvm::SmallVector<int64_t, 4>;

class Tensor {
public:
  Tensor() = default;

  /// Uninitialised and zero-filled owning tensors.
  static Tensor empty(DType type, llvm::ArrayRef<int64_t> shape);
  static Tensor zeros(DType type, llvm::ArrayRef<int64_t> shape);
  /// Borrows `data` (at least getNumBytes() of it) and keeps `owner` alive.
  static Tensor borrow(DType type, llvm::ArrayRef<int64_t> shape, const void *data,
                       std::shared_ptr<const void> owner);
  template <typename T>
  static Tensor fromData(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values);

  DType getDType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getDim(unsigned i) const { return shape[i]; }
  unsigned getRank() const { return shape.size(); }
  int64_t getNumElements() const;
  /// Bytes in memory; I4 rows are rounded up to whole bytes.
  int64_t getNumBytes() const;
  explicit operator bool() const { return bytes != nullptr; }
  /// True when the bytes may be written and no other tensor shares them.
  bool isUniquelyOwned() const;

  const void *getRawData() const { return bytes; }
  void *getMutableRawData();

  template <typename T>
  llvm::ArrayRef<T> data() const {
    return {static_cast<const T *>(getRawData()), static_cast<size_t>(getNumElements())};
  }
  template <typename T>
  llvm::MutableArrayRef<T> mutableData() {
    return {static_cast<T *>(getMutableRawData()), static_cast<size_t>(getNumElements())};
  }

  /// The same values as f32: shares the bytes when they are f32 already, converts f16, bf16, f64
  /// and integers otherwise.
  Tensor toF32() const;
  Tensor clone() const;
  /// The same bytes under another shape of the same number of elements.
  Tensor reshape(llvm::ArrayRef<int64_t> newShape) const;

private:
  DType type = DType::F32;
  Shape shape;
  std::shared_ptr<const void> owner;
  const void *bytes = nullptr;
  bool writable = false;
};

/// Bytes of a tensor of this type and shape; nullopt when the product overflows, a dimension is
/// negative, or there are 2^40 elements or more (the bound our verifiers keep, see
/// facts/reliability.md section 3).
std::optional<int64_t> getCheckedNumBytes(DType type, llvm::ArrayRef<int64_t> shape);

template <typename T>
Tensor Tensor::fromData(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values) {
  Tensor result = empty(DTypeOf<T>::value, shape);
  std::copy(values.begin(), values.end(), result.mutableData<T>().begin());
  return result;
}

} // namespace ssmq

#endif // SSMQ_SUPPORT_TENSOR_H
