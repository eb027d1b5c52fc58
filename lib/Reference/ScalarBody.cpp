//===- ScalarBody.cpp - The body of a structured op -----------------------===//

#include "ScalarBody.h"

#include "HostScalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Support/HalfFloat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Tensor;

static unsigned getWidth(Type type) { return type.isIndex() ? 64 : type.getIntOrFloatBitWidth(); }

static void narrowFloats(MutableArrayRef<float> values, Type type) {
  if (type.isF16())
    for (float &value : values)
      value = ::ssmq::halfToFloat(::ssmq::floatToHalf(value));
  else if (type.isBF16())
    for (float &value : values)
      value = ::ssmq::bfloatToFloat(::ssmq::floatToBFloat(value));
}

static void narrowIntegers(MutableArrayRef<int64_t> values, Type type) {
  if (unsigned width = getWidth(type); width < 64)
    for (int64_t &value : values)
      value = llvm::SignExtend64(static_cast<uint64_t>(value), width);
}

static bool isHeldAsFloat(Type type) { return type.isF32() || type.isF16() || type.isBF16(); }
static bool isHeldAsInteger(Type type) {
  return type.isIndex() || (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
}

unsigned ScalarBody::addRow(Value value) {
  ScalarRow &row = rows.emplace_back();
  if (isHeldAsFloat(value.getType()))
    row.floats.resize(maxLanes);
  else if (isHeldAsInteger(value.getType()))
    row.integers.resize(maxLanes);
  rowOf[value] = rows.size() - 1;
  return rows.size() - 1;
}

/// The rows of up to three operands, the first one standing in for those that an op has not.
static std::array<unsigned, 3> getOperandRows(Operation &op,
                                              const llvm::DenseMap<Value, unsigned> &rowOf) {
  std::array<unsigned, 3> result = {};
  for (unsigned i = 0; i < 3; ++i)
    result[i] = rowOf.lookup(op.getOperand(i < op.getNumOperands() ? i : 0));
  return result;
}

template <typename Function>
bool ScalarBody::addFloats(Operation &op, Function function) {
  std::array<unsigned, 3> in = getOperandRows(op, rowOf);
  unsigned out = addRow(op.getResult(0));
  Type type = op.getResult(0).getType();
  steps.push_back([=](std::vector<ScalarRow> &rows, Position, int64_t lanes) {
    const float *a = rows[in[0]].floats.data(), *b = rows[in[1]].floats.data();
    const float *c = rows[in[2]].floats.data();
    float *result = rows[out].floats.data();
    for (int64_t i = 0; i < lanes; ++i)
      result[i] = function(a[i], b[i], c[i]);
    narrowFloats({result, static_cast<size_t>(lanes)}, type);
    return success();
  });
  return true;
}

template <typename Function>
bool ScalarBody::addIntegers(Operation &op, Function function) {
  std::array<unsigned, 3> in = getOperandRows(op, rowOf);
  unsigned out = addRow(op.getResult(0));
  Type type = op.getResult(0).getType();
  steps.push_back([=](std::vector<ScalarRow> &rows, Position, int64_t lanes) {
    const int64_t *a = rows[in[0]].integers.data(), *b = rows[in[1]].integers.data();
    int64_t *result = rows[out].integers.data();
    for (int64_t i = 0; i < lanes; ++i)
      result[i] =
          static_cast<int64_t>(function(static_cast<uint64_t>(a[i]), static_cast<uint64_t>(b[i])));
    narrowIntegers({result, static_cast<size_t>(lanes)}, type);
    return success();
  });
  return true;
}

static float getNaN() { return std::numeric_limits<float>::quiet_NaN(); }
static bool isOrdered(float a, float b) { return !std::isnan(a) && !std::isnan(b); }

bool ScalarBody::translateFloat(Operation &op) {
  auto unary = [&](auto f) { return addFloats(op, [f](float a, float, float) { return f(a); }); };
  auto binary = [&](auto f) {
    return addFloats(op, [f](float a, float b, float) { return f(a, b); });
  };
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case([&](arith::AddFOp) { return binary(std::plus<>()); })
      .Case([&](arith::SubFOp) { return binary(std::minus<>()); })
      .Case([&](arith::MulFOp) { return binary(std::multiplies<>()); })
      .Case([&](arith::DivFOp) { return binary(std::divides<>()); })
      .Case([&](arith::NegFOp) { return unary(std::negate<>()); })
      .Case([&](arith::RemFOp) { return binary([](float a, float b) { return std::fmod(a, b); }); })
      .Case([&](arith::MaximumFOp) {
        return binary([](float a, float b) { return isOrdered(a, b) ? std::max(a, b) : getNaN(); });
      })
      .Case([&](arith::MinimumFOp) {
        return binary([](float a, float b) { return isOrdered(a, b) ? std::min(a, b) : getNaN(); });
      })
      .Case([&](arith::MaxNumFOp) {
        return binary([](float a, float b) { return std::fmax(a, b); });
      })
      .Case([&](arith::MinNumFOp) {
        return binary([](float a, float b) { return std::fmin(a, b); });
      })
      .Case([&](math::AbsFOp) { return unary([](float a) { return std::fabs(a); }); })
      .Case([&](math::CeilOp) { return unary([](float a) { return std::ceil(a); }); })
      .Case([&](math::FloorOp) { return unary([](float a) { return std::floor(a); }); })
      .Case([&](math::RoundOp) { return unary([](float a) { return std::round(a); }); })
      .Case([&](math::RoundEvenOp) { return unary([](float a) { return std::nearbyint(a); }); })
      .Case([&](math::ExpOp) { return unary([](float a) { return std::exp(a); }); })
      .Case([&](math::Exp2Op) { return unary([](float a) { return std::exp2(a); }); })
      .Case([&](math::ExpM1Op) { return unary([](float a) { return std::expm1(a); }); })
      .Case([&](math::LogOp) { return unary([](float a) { return std::log(a); }); })
      .Case([&](math::Log2Op) { return unary([](float a) { return std::log2(a); }); })
      .Case([&](math::Log1pOp) { return unary([](float a) { return std::log1p(a); }); })
      .Case([&](math::SqrtOp) { return unary([](float a) { return std::sqrt(a); }); })
      .Case([&](math::RsqrtOp) { return unary([](float a) { return 1 / std::sqrt(a); }); })
      .Case([&](math::TanhOp) { return unary([](float a) { return std::tanh(a); }); })
      .Case([&](math::ErfOp) { return unary([](float a) { return std::erf(a); }); })
      .Case([&](math::SinOp) { return unary([](float a) { return std::sin(a); }); })
      .Case([&](math::CosOp) { return unary([](float a) { return std::cos(a); }); })
      .Case([&](math::PowFOp) { return binary([](float a, float b) { return std::pow(a, b); }); })
      .Case([&](math::FmaOp) {
        return addFloats(op, [](float a, float b, float c) { return std::fma(a, b, c); });
      })
      .Default(false);
}

template <typename T>
static bool compareBy(arith::CmpIPredicate predicate, T a, T b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq: return a == b;
  case arith::CmpIPredicate::ne: return a != b;
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult: return a < b;
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule: return a <= b;
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt: return a > b;
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge: return a >= b;
  }
  return false;
}

static bool compare(arith::CmpIPredicate predicate, uint64_t a, uint64_t b) {
  // Sign extension keeps the unsigned order of equally wide numbers.
  bool isUnsigned = predicate >= arith::CmpIPredicate::ult;
  return isUnsigned ? compareBy(predicate, a, b)
                    : compareBy(predicate, static_cast<int64_t>(a), static_cast<int64_t>(b));
}

static bool compare(arith::CmpFPredicate predicate, float a, float b) {
  using P = arith::CmpFPredicate;
  if (predicate == P::AlwaysTrue || predicate == P::UNO)
    return predicate == P::AlwaysTrue || !isOrdered(a, b);
  // The numbers OEQ to ORD are sums of 1 (equal), 2 (greater) and 4 (less); UEQ to UNE follow.
  bool isUnordered = predicate >= P::UEQ;
  if (!isOrdered(a, b))
    return isUnordered;
  unsigned relations = static_cast<unsigned>(predicate) - (isUnordered ? 7 : 0);
  return (relations & (a == b ? 1 : a > b ? 2 : 4)) != 0;
}

bool ScalarBody::translateInteger(Operation &op) {
  auto binary = [&](auto f) { return addIntegers(op, f); };
  auto signedBinary = [&](auto f) {
    return addIntegers(op, [f](uint64_t a, uint64_t b) {
      return f(static_cast<int64_t>(a), static_cast<int64_t>(b));
    });
  };
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case([&](arith::AddIOp) { return binary(std::plus<>()); })
      .Case([&](arith::SubIOp) { return binary(std::minus<>()); })
      .Case([&](arith::MulIOp) { return binary(std::multiplies<>()); })
      .Case([&](arith::AndIOp) { return binary(std::bit_and<>()); })
      .Case([&](arith::OrIOp) { return binary(std::bit_or<>()); })
      .Case([&](arith::XOrIOp) { return binary(std::bit_xor<>()); })
      .Case([&](arith::MaxSIOp) {
        return signedBinary([](int64_t a, int64_t b) { return std::max(a, b); });
      })
      .Case([&](arith::MinSIOp) {
        return signedBinary([](int64_t a, int64_t b) { return std::min(a, b); });
      })
      .Case([&](arith::MaxUIOp) {
        return binary([](uint64_t a, uint64_t b) { return std::max(a, b); });
      })
      .Case([&](arith::MinUIOp) {
        return binary([](uint64_t a, uint64_t b) { return std::min(a, b); });
      })
      .Case([&](arith::CmpIOp cmp) {
        arith::CmpIPredicate predicate = cmp.getPredicate();
        return binary([=](uint64_t a, uint64_t b) { return compare(predicate, a, b); });
      })
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(
          [&](Operation *) { return binary([](uint64_t a, uint64_t) { return a; }); })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>([&](Operation *cast) {
        unsigned width = getWidth(cast->getOperand(0).getType());
        uint64_t mask = llvm::maskTrailingOnes<uint64_t>(width);
        return binary([=](uint64_t a, uint64_t) { return a & mask; });
      })
      .Default(false);
}

/// Ops between floats and integers, and those that work on either.
bool ScalarBody::translateConversion(Operation &op) {
  std::array<unsigned, 3> in = {};
  if (op.getNumOperands() > 0)
    in = getOperandRows(op, rowOf);
  Type type = op.getNumResults() ? op.getResult(0).getType() : Type();
  auto add = [&](auto function) {
    unsigned out = addRow(op.getResult(0));
    steps.push_back([=](std::vector<ScalarRow> &rows, Position position, int64_t lanes) {
      for (int64_t i = 0; i < lanes; ++i)
        function(rows, rows[out], position, i);
      if (isHeldAsFloat(type))
        narrowFloats(MutableArrayRef(rows[out].floats).take_front(lanes), type);
      else
        narrowIntegers(MutableArrayRef(rows[out].integers).take_front(lanes), type);
      return success();
    });
    return true;
  };
  using Rows = std::vector<ScalarRow>;
  return llvm::TypeSwitch<Operation *, bool>(&op)
      .Case<arith::ExtFOp, arith::TruncFOp>(
          [&](Operation *) { return addFloats(op, [](float a, float, float) { return a; }); })
      .Case([&](arith::SIToFPOp) {
        return add([=](Rows &rows, ScalarRow &out, Position, int64_t i) {
          out.floats[i] = static_cast<float>(rows[in[0]].integers[i]);
        });
      })
      .Case([&](arith::UIToFPOp cast) {
        uint64_t mask = llvm::maskTrailingOnes<uint64_t>(getWidth(cast.getIn().getType()));
        return add([=](Rows &rows, ScalarRow &out, Position, int64_t i) {
          out.floats[i] = static_cast<float>(static_cast<uint64_t>(rows[in[0]].integers[i]) & mask);
        });
      })
      .Case([&](arith::FPToSIOp) {
        return add([=](Rows &rows, ScalarRow &out, Position, int64_t i) {
          // What no integer holds has no defined value.
          float value = rows[in[0]].floats[i];
          out.integers[i] = std::fabs(value) < 0x1p63f ? static_cast<int64_t>(value) : 0;
        });
      })
      .Case([&](arith::CmpFOp cmp) {
        arith::CmpFPredicate predicate = cmp.getPredicate();
        return add([=](Rows &rows, ScalarRow &out, Position, int64_t i) {
          out.integers[i] = compare(predicate, rows[in[0]].floats[i], rows[in[1]].floats[i]);
        });
      })
      .Case([&](arith::SelectOp) {
        bool isFloat = isHeldAsFloat(type);
        return add([=](Rows &rows, ScalarRow &out, Position, int64_t i) {
          const ScalarRow &from = rows[rows[in[0]].integers[i] != 0 ? in[1] : in[2]];
          if (isFloat)
            out.floats[i] = from.floats[i];
          else
            out.integers[i] = from.integers[i];
        });
      })
      .Case([&](linalg::IndexOp index) {
        auto dim = static_cast<int>(index.getDim());
        return add([=](Rows &, ScalarRow &out, Position position, int64_t i) {
          out.integers[i] = position.index[dim] + (dim == position.laneDim ? i : 0);
        });
      })
      .Default(false);
}

LogicalResult ScalarBody::translateExtract(Operation &op) {
  auto extract = cast<tensor::ExtractOp>(op);
  Tensor source = tensors.lookup(extract.getTensor());
  if (!source)
    return op.emitOpError("reads a tensor that is made inside the body");
  SmallVector<unsigned> indices;
  for (Value index : extract.getIndices())
    indices.push_back(rowOf.lookup(index));
  bool isFloat = isHeldAsFloat(extract.getType());
  unsigned out = addRow(extract.getResult());
  steps.push_back([=](std::vector<ScalarRow> &rows, Position, int64_t lanes) {
    for (int64_t i = 0; i < lanes; ++i) {
      int64_t offset = 0;
      for (auto [dim, row] : llvm::enumerate(indices)) {
        int64_t index = rows[row].integers[i], size = source.getDim(dim);
        if (index < 0 || index >= size) {
          Operation *at = extract;
          return LogicalResult(at->emitOpError() << "reads index " << index << " of dimension "
                                                 << dim << " of size " << size);
        }
        offset = offset * size + index;
      }
      if (isFloat)
        rows[out].floats[i] = getFloat(source, offset);
      else
        rows[out].integers[i] = getInteger(source, offset);
    }
    return success();
  });
  return success();
}

static bool fillConstant(arith::ConstantOp op, ScalarRow &row) {
  if (auto value = dyn_cast<FloatAttr>(op.getValue())) {
    llvm::fill(row.floats, static_cast<float>(value.getValueAsDouble()));
    return true;
  }
  if (auto value = dyn_cast<IntegerAttr>(op.getValue())) {
    llvm::fill(row.integers, value.getValue().getSExtValue());
    return true;
  }
  return false;
}

LogicalResult ScalarBody::translate(Operation &op) {
  for (Value value : op.getResults())
    if (!isHeldAsFloat(value.getType()) && !isHeldAsInteger(value.getType()))
      return op.emitOpError("gives ") << value.getType() << ", which is not evaluated";
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (fillConstant(constant, rows[addRow(constant)]))
      return success();
  } else if (isa<tensor::ExtractOp>(op)) {
    return translateExtract(op);
  } else if (translateFloat(op) || translateInteger(op) || translateConversion(op)) {
    return success();
  }
  return op.emitOpError("in the body of a structured op cannot be evaluated");
}

void ScalarBody::addCaptured(Operation *op, ArrayRef<Tensor> captured) {
  for (auto [value, tensor] : llvm::zip_equal(getCapturedValues(op), captured)) {
    if (isa<RankedTensorType>(value.getType())) {
      tensors[value] = tensor;
      continue;
    }
    ScalarRow &row = rows[addRow(value)];
    if (isHeldAsFloat(value.getType()))
      llvm::fill(row.floats, getFloat(tensor, 0));
    else
      llvm::fill(row.integers, getInteger(tensor, 0));
  }
}

FailureOr<ScalarBody> ScalarBody::create(Operation *op, ArrayRef<Tensor> captured, int64_t lanes) {
  ScalarBody body(lanes);
  Block &block = op->getRegion(0).front();
  SmallVector<Value> inputs = getCapturedValues(op);
  llvm::append_range(inputs, block.getArguments());
  for (Value input : inputs) {
    Type type = getElementTypeOrSelf(input.getType());
    if (!isHeldAsFloat(type) && !isHeldAsInteger(type))
      return op->emitOpError("works on ") << type << ", which is not evaluated";
  }
  for (BlockArgument argument : block.getArguments())
    body.addRow(argument);
  body.addCaptured(op, captured);
  for (Operation &inner : block.without_terminator())
    if (failed(body.translate(inner)))
      return failure();
  for (Value value : block.getTerminator()->getOperands())
    body.yielded.push_back(body.rowOf.lookup(value));
  return body;
}

LogicalResult ScalarBody::run(Position position, int64_t lanes) {
  for (const Step &step : steps)
    if (failed(step(rows, position, lanes)))
      return failure();
  return success();
}
