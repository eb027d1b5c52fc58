//===- Tensor.cpp - Typed host tensors ------------------------------------===//

#include "ssmq/Support/Tensor.h"

#include "BufferPool.h"
#include "ssmq/Support/HalfFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/ErrorHandling.h"
#include <atomic>
#include <cassert>
#include <cstring>

using namespace ssmq;

llvm::StringRef ssmq::getName(DType type) {
  switch (type) {
  case DType::F32: return "f32";
  case DType::F16: return "f16";
  case DType::BF16: return "bf16";
  case DType::F64: return "f64";
  case DType::I64: return "i64";
  case DType::I32: return "i32";
  case DType::I16: return "i16";
  case DType::I8: return "i8";
  case DType::U8: return "ui8";
  case DType::I4: return "i4";
  case DType::Bool: return "i1";
  }
  llvm_unreachable("all element types are named");
}

unsigned ssmq::getBitWidth(DType type) {
  switch (type) {
  case DType::F64:
  case DType::I64: return 64;
  case DType::F32:
  case DType::I32: return 32;
  case DType::F16:
  case DType::BF16:
  case DType::I16: return 16;
  case DType::I8:
  case DType::U8:
  case DType::Bool: return 8;
  case DType::I4: return 4;
  }
  llvm_unreachable("all element types have a width");
}

std::optional<int64_t> ssmq::getCheckedNumBytes(DType type, llvm::ArrayRef<int64_t> shape) {
  constexpr int64_t maxElements = int64_t(1) << 40;
  int64_t rows = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || dim >= maxElements)
      return std::nullopt;
    std::optional<int64_t> product = llvm::checkedMul(rows, dim);
    if (!product || *product >= maxElements)
      return std::nullopt;
    rows = *product;
  }
  if (type != DType::I4)
    return rows * (getBitWidth(type) / 8);
  if (shape.empty() || shape.back() == 0)
    return shape.empty() ? 1 : 0;
  return rows / shape.back() * ((shape.back() + 1) / 2);
}

int64_t Tensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count;
}

int64_t Tensor::getNumBytes() const { return *getCheckedNumBytes(type, shape); }

Tensor Tensor::empty(DType type, llvm::ArrayRef<int64_t> shape) {
  Tensor result;
  result.type = type;
  result.shape.assign(shape.begin(), shape.end());
  // Never a null pointer for an empty tensor.
  size_t size = std::max<int64_t>(result.getNumBytes(), 1);
  void *memory = takeBuffer(size);
  if (!memory)
    llvm::report_bad_alloc_error("no memory left for a tensor");
  result.owner = std::shared_ptr<const void>(
      memory, [size](const void *p) { giveBuffer(const_cast<void *>(p), size); });
  result.bytes = memory;
  result.writable = true;
  return result;
}

Tensor Tensor::zeros(DType type, llvm::ArrayRef<int64_t> shape) {
  Tensor result = empty(type, shape);
  std::memset(result.getMutableRawData(), 0, result.getNumBytes());
  return result;
}

Tensor Tensor::borrow(DType type, llvm::ArrayRef<int64_t> shape, const void *data,
                      std::shared_ptr<const void> owner) {
  Tensor result;
  result.type = type;
  result.shape.assign(shape.begin(), shape.end());
  result.owner = std::move(owner);
  result.bytes = data;
  return result;
}

bool Tensor::isUniquelyOwned() const {
  if (!writable || owner.use_count() != 1)
    return false;
  // Orders our writes after the last reads of a thread that has just dropped its copy.
  std::atomic_thread_fence(std::memory_order_acquire);
  return true;
}

void *Tensor::getMutableRawData() {
  assert(writable && "this tensor borrows its bytes; clone it first");
  return const_cast<void *>(bytes);
}

Tensor Tensor::clone() const {
  Tensor result = empty(type, shape);
  std::memcpy(result.getMutableRawData(), bytes, getNumBytes());
  return result;
}

Tensor Tensor::reshape(llvm::ArrayRef<int64_t> newShape) const {
  Tensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  assert(result.getNumElements() == getNumElements() && "reshape keeps the number of elements");
  return result;
}

template <typename T>
static void convert(const Tensor &from, Tensor &to) {
  llvm::copy(from.data<T>(), to.mutableData<float>().begin());
}

Tensor Tensor::toF32() const {
  if (type == DType::F32)
    return *this;
  Tensor result = empty(DType::F32, shape);
  float *out = result.mutableData<float>().data();
  switch (type) {
  case DType::F16: convertHalfToFloat(data<uint16_t>(), out); break;
  case DType::BF16: convertBFloatToFloat(data<uint16_t>(), out); break;
  case DType::F64: convert<double>(*this, result); break;
  case DType::I64: convert<int64_t>(*this, result); break;
  case DType::I32: convert<int32_t>(*this, result); break;
  case DType::I16: convert<int16_t>(*this, result); break;
  case DType::I8: convert<int8_t>(*this, result); break;
  case DType::U8:
  case DType::Bool: convert<uint8_t>(*this, result); break;
  case DType::I4: {
    int64_t columns = shape.empty() ? 1 : shape.back();
    int64_t rowBytes = (columns + 1) / 2, rows = columns ? getNumElements() / columns : 0;
    const auto *packed = static_cast<const uint8_t *>(bytes);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        int nibble = (packed[r * rowBytes + c / 2] >> (c % 2 * 4)) & 15;
        *out++ = float(nibble < 8 ? nibble : nibble - 16);
      }
    break;
  }
  case DType::F32: break;
  }
  return result;
}
