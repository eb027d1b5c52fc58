//===- TensorModels.cpp - Evaluation of tensor and ml_program -------------===//

#include "HostScalar.h"
#include "Models.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

/// Static entries of `mixed` as they are, dynamic ones from `values` in order.
static SmallVector<int64_t> resolve(ArrayRef<int64_t> mixed, ArrayRef<Tensor> values) {
  SmallVector<int64_t> result;
  for (int64_t entry : mixed) {
    if (ShapedType::isDynamic(entry)) {
      entry = values.front().data<int64_t>().front();
      values = values.drop_front();
    }
    result.push_back(entry);
  }
  return result;
}

static Tensor makeIndex(int64_t value) { return Tensor::fromData<int64_t>({}, {value}); }

namespace {

struct DimModel : EvaluableOpInterface::ExternalModel<DimModel, tensor::DimOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    int64_t dim = operands[1].data<int64_t>().front();
    if (dim < 0 || dim >= operands[0].getRank()) {
      op->emitOpError() << "asks for dimension " << dim << " of a tensor of rank "
                        << operands[0].getRank();
      return failure();
    }
    return SmallVector<Tensor>{makeIndex(operands[0].getDim(dim))};
  }
};

/// Zeros stand for contents that nobody may read.
struct EmptyModel : EvaluableOpInterface::ExternalModel<EmptyModel, tensor::EmptyOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    std::optional<DType> held = getHostType(type.getElementType());
    SmallVector<int64_t> shape = resolve(type.getShape(), operands);
    if (held == DType::F16 || held == DType::BF16)
      held = DType::F32;
    if (!held || !::ssmq::getCheckedNumBytes(*held, shape)) {
      op->emitOpError() << "has a type or a size that the interpreter does not know";
      return failure();
    }
    return SmallVector<Tensor>{Tensor::zeros(*held, shape)};
  }
};

struct SplatModel : EvaluableOpInterface::ExternalModel<SplatModel, tensor::SplatOp> {
  template <typename T>
  static Tensor fill(const Tensor &value, ArrayRef<int64_t> shape) {
    Tensor result = Tensor::empty(value.getDType(), shape);
    llvm::fill(result.mutableData<T>(), value.data<T>().front());
    return result;
  }

  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> shape = resolve(type.getShape(), operands.drop_front());
    switch (operands[0].getDType()) {
    case DType::F32: return SmallVector<Tensor>{fill<float>(operands[0], shape)};
    case DType::I32: return SmallVector<Tensor>{fill<int32_t>(operands[0], shape)};
    case DType::I64: return SmallVector<Tensor>{fill<int64_t>(operands[0], shape)};
    default: op->emitOpError() << "is evaluated on f32, i32 and index only"; return failure();
    }
  }
};

struct ExtractSliceModel
    : EvaluableOpInterface::ExternalModel<ExtractSliceModel, tensor::ExtractSliceOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    auto slice = cast<tensor::ExtractSliceOp>(op);
    const Tensor &in = operands[0];
    ArrayRef<Tensor> rest = operands.drop_front();
    auto take = [&](ArrayRef<int64_t> mixed, size_t dynamic) {
      SmallVector<int64_t> result = resolve(mixed, rest.take_front(dynamic));
      rest = rest.drop_front(dynamic);
      return result;
    };
    SmallVector<int64_t> offsets = take(slice.getStaticOffsets(), slice.getOffsets().size());
    SmallVector<int64_t> sizes = take(slice.getStaticSizes(), slice.getSizes().size());
    SmallVector<int64_t> strides = take(slice.getStaticStrides(), slice.getStrides().size());
    unsigned rank = in.getRank();
    for (unsigned i = 0; i < rank; ++i)
      if (offsets[i] < 0 || sizes[i] < 0 || strides[i] < 1 ||
          (sizes[i] > 0 && offsets[i] + (sizes[i] - 1) * strides[i] >= in.getDim(i))) {
        op->emitOpError() << "leaves the source in dimension " << i << ": offset " << offsets[i]
                          << ", size " << sizes[i] << ", stride " << strides[i] << ", source "
                          << in.getDim(i);
        return failure();
      }
    if (rank == 0 || in.getDType() == DType::I4) {
      op->emitOpError() << "is evaluated on tensors of whole bytes and rank 1 or more";
      return failure();
    }

    SmallVector<int64_t> shape(sizes);
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    ::ssmq::Shape resultShape;
    for (unsigned i = 0; i < rank; ++i)
      if (!dropped.test(i))
        resultShape.push_back(shape[i]);
    Tensor result = Tensor::empty(in.getDType(), resultShape);
    copySlice(in, result, offsets, sizes, strides);
    return SmallVector<Tensor>{result};
  }

private:
  static void copySlice(const Tensor &in, Tensor &result, ArrayRef<int64_t> offsets,
                        ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
    if (result.getNumElements() == 0)
      return;
    unsigned rank = in.getRank();
    int64_t width = ::ssmq::getBitWidth(in.getDType()) / 8;
    SmallVector<int64_t> steps(rank, width);
    for (unsigned i = rank - 1; i > 0; --i)
      steps[i - 1] = steps[i] * in.getDim(i);
    const char *source = static_cast<const char *>(in.getRawData());
    for (unsigned i = 0; i < rank; ++i)
      source += offsets[i] * steps[i];
    char *target = static_cast<char *>(result.getMutableRawData());
    SmallVector<int64_t> index(rank, 0);
    int64_t rows = result.getNumElements() / sizes.back();
    for (int64_t row = 0; row < rows; ++row) {
      const char *from = source;
      for (unsigned i = 0; i + 1 < rank; ++i)
        from += index[i] * strides[i] * steps[i];
      if (strides.back() == 1) {
        std::memcpy(target, from, sizes.back() * width);
        target += sizes.back() * width;
      } else {
        for (int64_t i = 0; i < sizes.back(); ++i, target += width)
          std::memcpy(target, from + i * strides.back() * width, width);
      }
      for (unsigned i = rank - 1; i-- > 0;) {
        if (++index[i] < sizes[i])
          break;
        index[i] = 0;
      }
    }
  }
};

/// Reshapes keep the bytes; a dynamic dimension takes what the static ones leave.
template <typename OpTy>
struct ReshapeModel : EvaluableOpInterface::ExternalModel<ReshapeModel<OpTy>, OpTy> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    SmallVector<int64_t> shape(cast<RankedTensorType>(op->getResult(0).getType()).getShape());
    int64_t known = 1;
    for (int64_t dim : shape)
      known *= ShapedType::isDynamic(dim) ? 1 : dim;
    if (llvm::count_if(shape, ShapedType::isDynamic) > 1 ||
        (known == 0 && operands[0].getNumElements() != 0) ||
        (known != 0 && operands[0].getNumElements() % known != 0)) {
      op->emitOpError() << "has a result shape that the interpreter cannot tell";
      return failure();
    }
    for (int64_t &dim : shape)
      if (ShapedType::isDynamic(dim))
        dim = known ? operands[0].getNumElements() / known : 0;
    return SmallVector<Tensor>{operands[0].reshape(shape)};
  }
};

struct FromElementsModel
    : EvaluableOpInterface::ExternalModel<FromElementsModel, tensor::FromElementsOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (operands.empty() || operands[0].getDType() == DType::I4) {
      op->emitOpError() << "needs elements of whole bytes";
      return failure();
    }
    Tensor result = Tensor::empty(operands[0].getDType(), type.getShape());
    int64_t width = operands[0].getNumBytes();
    for (auto [i, element] : llvm::enumerate(operands))
      std::memcpy(static_cast<char *>(result.getMutableRawData()) + i * width, element.getRawData(),
                  width);
    return SmallVector<Tensor>{result};
  }
};

struct CastModel : EvaluableOpInterface::ExternalModel<CastModel, tensor::CastOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    return SmallVector<Tensor>{operands[0]};
  }
};

/// Only the interpreter knows where weights are: it fills this op's value before it runs.
struct GlobalLoadConstModel
    : EvaluableOpInterface::ExternalModel<GlobalLoadConstModel, ml_program::GlobalLoadConstOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor>, const EvaluationContext &) const {
    op->emitOpError() << "has no value: the weights were not loaded";
    return failure();
  }
};

} // namespace

void mlir::ssm::attachTensorModels(MLIRContext *context) {
  using namespace tensor;
  DimOp::attachInterface<DimModel>(*context);
  EmptyOp::attachInterface<EmptyModel>(*context);
  SplatOp::attachInterface<SplatModel>(*context);
  ExtractSliceOp::attachInterface<ExtractSliceModel>(*context);
  CollapseShapeOp::attachInterface<ReshapeModel<CollapseShapeOp>>(*context);
  ExpandShapeOp::attachInterface<ReshapeModel<ExpandShapeOp>>(*context);
  FromElementsOp::attachInterface<FromElementsModel>(*context);
  CastOp::attachInterface<CastModel>(*context);
}

void mlir::ssm::attachMLProgramModels(MLIRContext *context) {
  ml_program::GlobalLoadConstOp::attachInterface<GlobalLoadConstModel>(*context);
}
