//===- LinalgModels.cpp - Evaluation of linalg ----------------------------===//

#include "Models.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include <cstring>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

namespace {

/// The init operand gives the shape, and `dimensions` the ones that the input does not have.
struct BroadcastModel : EvaluableOpInterface::ExternalModel<BroadcastModel, linalg::BroadcastOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands, const EvaluationContext &) const {
    const Tensor &in = operands[0];
    ArrayRef<int64_t> shape = operands[1].getShape(), added = getDimensions(op);
    if (in.getDType() == DType::I4) {
      op->emitOpError() << "is evaluated on tensors of whole bytes";
      return failure();
    }
    // How far the input moves when an index of the result grows by one; it stays in `added`.
    int64_t width = ::ssmq::getBitWidth(in.getDType()) / 8, step = width;
    SmallVector<int64_t> steps(shape.size(), 0);
    for (int64_t i = shape.size(), dim = in.getRank(); i-- > 0;) {
      if (llvm::is_contained(added, i))
        continue;
      if (in.getDim(--dim) != shape[i]) {
        op->emitOpError() << "takes size " << in.getDim(dim) << " to size " << shape[i];
        return failure();
      }
      steps[i] = step;
      step *= shape[i];
    }

    Tensor result = Tensor::empty(in.getDType(), shape);
    const char *source = static_cast<const char *>(in.getRawData());
    char *target = static_cast<char *>(result.getMutableRawData());
    SmallVector<int64_t> index(shape.size(), 0);
    for (int64_t n = result.getNumElements(); n > 0; --n, target += width) {
      std::memcpy(target, source, width);
      for (int64_t i = shape.size(); i-- > 0;) {
        source += steps[i];
        if (++index[i] < shape[i])
          break;
        source -= index[i] * steps[i];
        index[i] = 0;
      }
    }
    return SmallVector<Tensor>{result};
  }

private:
  static ArrayRef<int64_t> getDimensions(Operation *op) {
    return cast<linalg::BroadcastOp>(op).getDimensions();
  }
};

} // namespace

void mlir::ssm::attachLinalgModels(MLIRContext *context) {
  attachStructuredModels(context);
  linalg::BroadcastOp::attachInterface<BroadcastModel>(*context);
}
