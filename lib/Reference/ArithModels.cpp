//===- ArithModels.cpp - Evaluation of arith and math ---------------------===//
//
// Elementwise ops on f32 tensors go to lib/Kernels. Scalars are tensors of rank 0: f32, i32, and
// i64 for index.
//
//===----------------------------------------------------------------------===//

#include "Models.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Kernels/Elementwise.h"
#include "ssmq/Support/HalfFloat.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::BinaryOp;
using ::ssmq::DType;
using ::ssmq::Tensor;
using ::ssmq::UnaryOp;
using Results = FailureOr<SmallVector<Tensor>>;

namespace {

template <typename OpTy, UnaryOp Kind>
struct UnaryModel : EvaluableOpInterface::ExternalModel<UnaryModel<OpTy, Kind>, OpTy> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    return SmallVector<Tensor>{::ssmq::applyUnary(Kind, operands[0].toF32(), context.kernels)};
  }
};

template <typename OpTy, BinaryOp Kind>
struct BinaryModel : EvaluableOpInterface::ExternalModel<BinaryModel<OpTy, Kind>, OpTy> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    return SmallVector<Tensor>{
        ::ssmq::applyBinary(Kind, operands[0].toF32(), operands[1].toF32(), context.kernels)};
  }
};

/// Wrapping integer arithmetic on i32 and on index (i64).
template <typename OpTy, typename Function>
struct IntegerModel : EvaluableOpInterface::ExternalModel<IntegerModel<OpTy, Function>, OpTy> {
  template <typename T>
  static Tensor apply(const Tensor &lhs, const Tensor &rhs) {
    using Unsigned = std::make_unsigned_t<T>;
    Tensor result = Tensor::empty(lhs.getDType(), lhs.getShape());
    auto out = result.mutableData<T>();
    for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(lhs.data<T>(), rhs.data<T>())))
      out[i] = static_cast<T>(Function()(static_cast<Unsigned>(std::get<0>(pair)),
                                         static_cast<Unsigned>(std::get<1>(pair))));
    return result;
  }

  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    switch (operands[0].getDType()) {
    case DType::I32: return SmallVector<Tensor>{apply<int32_t>(operands[0], operands[1])};
    case DType::I64: return SmallVector<Tensor>{apply<int64_t>(operands[0], operands[1])};
    default: op->emitOpError() << "is evaluated on i32 and index only"; return failure();
    }
  }
};

struct IndexCastModel : EvaluableOpInterface::ExternalModel<IndexCastModel, arith::IndexCastOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    const Tensor &in = operands[0];
    bool toIndex = getElementTypeOrSelf(op->getResult(0).getType()).isIndex();
    if (toIndex && in.getDType() == DType::I32) {
      Tensor result = Tensor::empty(DType::I64, in.getShape());
      llvm::copy(in.data<int32_t>(), result.mutableData<int64_t>().begin());
      return SmallVector<Tensor>{result};
    }
    if (!toIndex && in.getDType() == DType::I64 &&
        getElementTypeOrSelf(op->getResult(0).getType()).isInteger(32)) {
      Tensor result = Tensor::empty(DType::I32, in.getShape());
      llvm::transform(in.data<int64_t>(), result.mutableData<int32_t>().begin(),
                      [](int64_t value) { return static_cast<int32_t>(value); });
      return SmallVector<Tensor>{result};
    }
    op->emitOpError() << "is evaluated between index and i32 only";
    return failure();
  }
};

/// Widening is exact and values are held in f32 already.
struct ExtFModel : EvaluableOpInterface::ExternalModel<ExtFModel, arith::ExtFOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    return SmallVector<Tensor>{operands[0].toF32()};
  }
};

struct TruncFModel : EvaluableOpInterface::ExternalModel<TruncFModel, arith::TruncFOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    Type type = getElementTypeOrSelf(op->getResult(0).getType());
    Tensor in = operands[0].toF32(), result = Tensor::empty(DType::F32, in.getShape());
    if (!type.isF16() && !type.isBF16()) {
      op->emitOpError() << "is evaluated to f16 and bf16 only";
      return failure();
    }
    bool half = type.isF16();
    llvm::transform(in.data<float>(), result.mutableData<float>().begin(), [&](float value) {
      return half ? ::ssmq::halfToFloat(::ssmq::floatToHalf(value))
                  : ::ssmq::bfloatToFloat(::ssmq::floatToBFloat(value));
    });
    return SmallVector<Tensor>{result};
  }
};

} // namespace

void mlir::ssm::attachArithModels(MLIRContext *context) {
  using namespace arith;
  attachConstantModel(context);
  IndexCastOp::attachInterface<IndexCastModel>(*context);
  ExtFOp::attachInterface<ExtFModel>(*context);
  TruncFOp::attachInterface<TruncFModel>(*context);
  NegFOp::attachInterface<UnaryModel<NegFOp, UnaryOp::Neg>>(*context);
  AddFOp::attachInterface<BinaryModel<AddFOp, BinaryOp::Add>>(*context);
  SubFOp::attachInterface<BinaryModel<SubFOp, BinaryOp::Sub>>(*context);
  MulFOp::attachInterface<BinaryModel<MulFOp, BinaryOp::Mul>>(*context);
  DivFOp::attachInterface<BinaryModel<DivFOp, BinaryOp::Div>>(*context);
  MaximumFOp::attachInterface<BinaryModel<MaximumFOp, BinaryOp::Maximum>>(*context);
  MinimumFOp::attachInterface<BinaryModel<MinimumFOp, BinaryOp::Minimum>>(*context);
  MaxNumFOp::attachInterface<BinaryModel<MaxNumFOp, BinaryOp::MaxNum>>(*context);
  MinNumFOp::attachInterface<BinaryModel<MinNumFOp, BinaryOp::MinNum>>(*context);
  AddIOp::attachInterface<IntegerModel<AddIOp, std::plus<>>>(*context);
  SubIOp::attachInterface<IntegerModel<SubIOp, std::minus<>>>(*context);
  MulIOp::attachInterface<IntegerModel<MulIOp, std::multiplies<>>>(*context);
}

void mlir::ssm::attachMathModels(MLIRContext *context) {
  using namespace math;
  AbsFOp::attachInterface<UnaryModel<AbsFOp, UnaryOp::Abs>>(*context);
  ExpOp::attachInterface<UnaryModel<ExpOp, UnaryOp::Exp>>(*context);
  ExpM1Op::attachInterface<UnaryModel<ExpM1Op, UnaryOp::Expm1>>(*context);
  LogOp::attachInterface<UnaryModel<LogOp, UnaryOp::Log>>(*context);
  Log1pOp::attachInterface<UnaryModel<Log1pOp, UnaryOp::Log1p>>(*context);
  SqrtOp::attachInterface<UnaryModel<SqrtOp, UnaryOp::Sqrt>>(*context);
  RsqrtOp::attachInterface<UnaryModel<RsqrtOp, UnaryOp::Rsqrt>>(*context);
  TanhOp::attachInterface<UnaryModel<TanhOp, UnaryOp::Tanh>>(*context);
  ErfOp::attachInterface<UnaryModel<ErfOp, UnaryOp::Erf>>(*context);
  SinOp::attachInterface<UnaryModel<SinOp, UnaryOp::Sin>>(*context);
  CosOp::attachInterface<UnaryModel<CosOp, UnaryOp::Cos>>(*context);
  PowFOp::attachInterface<BinaryModel<PowFOp, BinaryOp::Pow>>(*context);
}
