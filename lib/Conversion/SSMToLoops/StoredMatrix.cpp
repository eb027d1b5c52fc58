//===- StoredMatrix.cpp - Numbers of a weight, in any format --------------===//

#include "StoredMatrix.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Reference/WeightValue.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using Load = ml_program::GlobalLoadConstOp;

static bool isFloats(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return isa<FloatType>(type.getElementType()) && type.getRank() <= 2 && type.getRank() > 0;
}

/// Magnitude bits of logpolar<m,p>; 0 for other formats.
static unsigned getMagnitudeBits(const ::ssmq::Numerics &numerics) {
  std::string text = numerics.getSpelling();
  StringRef spelling = text;
  unsigned bits = 0;
  return spelling.consume_front("logpolar<") && !spelling.consumeInteger(10, bits) ? bits : 0;
}

FailureOr<StoredMatrix> StoredMatrix::of(Value value, const WeightLookup &lookup) {
  StoredMatrix matrix;
  auto op = value.getDefiningOp<DequantizeOp>();
  matrix.data = op ? op.getCodes() : value;
  if (!op) {
    if (!isFloats(value))
      return failure();
    return matrix;
  }
  std::shared_ptr<const ::ssmq::Format> format = op.getFormat().getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  ::ssmq::ValueLayout layout = op.getLayout();
  llvm::Expected<::ssmq::Runs> known = format->getRuns(layout);
  if (!known) {
    llvm::consumeError(known.takeError());
    return failure();
  }
  // Runs are whole rows, or groups of a row.
  bool areRows = known->runSize % std::max<int64_t>(layout.columns, 1) == 0;
  if (op.getChannelDim() != 0 || known->runSize == 0 ||
      (!areRows && known->unitSize != layout.columns))
    return failure();
  matrix.bits = numerics.getCodeBits();
  matrix.runs = op.getScales();
  matrix.isAsymmetric = numerics.isAsymmetric();
  if (areRows)
    matrix.rowsOfRun = known->runSize / layout.columns;
  else
    matrix.runsPerRow = known->getRunsPerUnit();
  matrix.runColumns = known->runSize;
  if (numerics.getInteger())
    return matrix;
  matrix.magnitudeBits = getMagnitudeBits(numerics);
  FailureOr<bool> isKnown = matrix.readLogPolar(op, lookup);
  if (failed(isKnown) || !*isKnown)
    return failure();
  return matrix;
}

/// The magnitudes that a run can have; false for formats that are no logpolar, or of many bits.
FailureOr<bool> StoredMatrix::readLogPolar(DequantizeOp op, const WeightLookup &lookup) {
  constexpr unsigned mostBits = 4;
  if (magnitudeBits == 0 || magnitudeBits > mostBits || runsPerRow != 1)
    return false;
  auto load = op.getScales().getDefiningOp<Load>();
  if (!load)
    return false;
  FailureOr<::ssmq::Tensor> bytes = getWeightValue(load, lookup);
  if (failed(bytes))
    return failure();
  std::shared_ptr<const ::ssmq::Format> format = op.getFormat().getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  for (int64_t run = 0; run < bytes->getDim(0); ++run) {
    ::ssmq::RunGrid grid = numerics.loadGrid(static_cast<const uint8_t *>(bytes->getRawData()) +
                                             run * numerics.getRunBytes());
    for (uint32_t code = 0; code < 1u << magnitudeBits; ++code) {
      // A phase of zero leaves the magnitude.
      float value[2];
      numerics.decode(ArrayRef(code), grid, value);
      magnitudes.push_back(value[0]);
    }
  }
  unsigned quarter = (1u << (bits - magnitudeBits)) / 4;
  for (unsigned phase = 0; phase < quarter; ++phase)
    cosines.push_back(std::cos(llvm::numbers::pi / 2 * phase / quarter));
  cosines.push_back(0);
  return true;
}

FailureOr<StoredMatrix> StoredMatrix::of(LinearOp op, const WeightLookup &lookup) {
  if (!op.getScales())
    return of(op.getWeight(), lookup);
  auto load = op.getWeight().getDefiningOp<Load>();
  auto type = cast<RankedTensorType>(op.getWeight().getType());
  auto element = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (op.getTileRows())
    return ofTiles(op);
  if (!load || !element)
    return failure();
  auto module = op->getParentOfType<ModuleOp>();
  auto global = module.lookupSymbol<ml_program::GlobalOp>(load.getGlobal().getLeafReference());
  std::optional<SymbolTable::UseRange> uses;
  if (global)
    uses = SymbolTable::getSymbolUses(global, module);
  if (!uses || !llvm::hasSingleElement(*uses) || !load->hasOneUse())
    return failure();
  // Rows of bytes from here on, as --ssmq-pack makes them.
  StoredMatrix matrix;
  matrix.bits = element.getStorageTypeIntegralWidth();
  int64_t rowBytes = ::ssmq::getPackedRowBytes(type.getDimSize(1), matrix.bits);
  auto bytes =
      RankedTensorType::get({type.getDimSize(0), rowBytes}, IntegerType::get(op.getContext(), 8));
  global.setType(bytes);
  global.setValueAttr(ml_program::ExternAttr::get(op.getContext(), bytes));
  OpBuilder builder(load);
  matrix.data = Load::create(builder, load.getLoc(), bytes, load.getGlobal());
  matrix.scales = op.getScales();
  matrix.zeroPoints = op.getZeroPoints();
  matrix.runColumns = std::min<int64_t>(*op.getGroupSize(), type.getDimSize(1));
  matrix.runsPerRow = cast<RankedTensorType>(matrix.scales.getType()).getDimSize(1);
  return matrix;
}

StoredMatrix StoredMatrix::ofTiles(LinearOp op) {
  StoredMatrix matrix;
  matrix.data = op.getWeight();
  matrix.scales = op.getScales();
  matrix.zeroPoints = op.getZeroPoints();
  matrix.bits = *op.getPackedBits();
  int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  matrix.runColumns = std::min<int64_t>(*op.getGroupSize(), columns);
  matrix.runsPerRow = cast<RankedTensorType>(matrix.scales.getType()).getDimSize(1);
  matrix.tiles.emplace(op.getType().getDimSize(1), columns, *op.getGroupSize(), matrix.bits);
  return matrix;
}

/// As Formats/Tiling.h lays codes.
Value StoredMatrix::loadTiledCode(LoopBuilder &b, Value row, Value column) const {
  auto divide = [&](Value value, int64_t by) {
    return std::pair(b.make<arith::DivUIOp>(value, b.index(by)),
                     b.make<arith::RemUIOp>(value, b.index(by)));
  };
  auto combine = [&](Value high, int64_t size, Value low) {
    return b.make<arith::AddIOp>(b.make<arith::MulIOp>(high, b.index(size)), low);
  };
  auto [tile, rowOfTile] = divide(row, ::ssmq::TileLayout::tileRows);
  auto [group, inGroup] = divide(column, tiles->getGroupSize());
  auto [block, inBlock] = divide(inGroup, tiles->getBlockColumns());
  auto [upper, byte] = divide(inBlock, ::ssmq::TileLayout::rowBytesOfBlock);
  Value place =
      combine(combine(group, tiles->getGroupBlocks(), block), ::ssmq::TileLayout::blockBytes,
              combine(rowOfTile, ::ssmq::TileLayout::rowBytesOfBlock, byte));
  Value stored = b.extract(data, {tile, place});
  if (bits == 8)
    return b.widenSigned(stored);
  Value shift =
      b.make<arith::MulIOp>(arith::IndexCastOp::create(b, b.getI32Type(), upper), b.integer(4));
  Value nibble =
      b.make<arith::AndIOp>(b.make<arith::ShRUIOp>(b.widenUnsigned(stored), shift), b.integer(15));
  return b.make<arith::SubIOp>(nibble, b.integer(8));
}

/// Of scales or zero points by row and group.
Value StoredMatrix::loadOfGroup(LoopBuilder &b, Value table, Value row, Value column) const {
  Value group = runsPerRow == 1 ? b.index(0) : b.make<arith::DivUIOp>(column, b.index(runColumns));
  if (!tiles)
    return b.extract(table, {row, group});
  Value size = b.index(::ssmq::TileLayout::tileRows);
  return b.extract(table,
                   {b.make<arith::DivUIOp>(row, size), group, b.make<arith::RemUIOp>(row, size)});
}

Value StoredMatrix::getRun(LoopBuilder &b, Value row, Value column) const {
  Value run = rowsOfRun == 1 ? row : b.make<arith::DivUIOp>(row, b.index(rowsOfRun));
  if (runsPerRow == 1)
    return run;
  Value group = b.make<arith::DivUIOp>(column, b.index(runColumns));
  return b.make<arith::AddIOp>(b.make<arith::MulIOp>(run, b.index(runsPerRow)), group);
}

static Value loadByte(LoopBuilder &b, Value bytes, Value row, Value column, bool isSigned = false) {
  Value byte = b.extract(bytes, {row, column});
  return isSigned ? b.widenSigned(byte) : b.widenUnsigned(byte);
}

/// Two bytes, low one first.
static Value loadPair(LoopBuilder &b, Value bytes, Value row, int64_t column, bool isSigned) {
  Value low = loadByte(b, bytes, row, b.index(column));
  Value high = loadByte(b, bytes, row, b.index(column + 1), isSigned);
  return b.make<arith::OrIOp>(low, b.make<arith::ShLIOp>(high, b.integer(8)));
}

Value StoredMatrix::loadScale(LoopBuilder &b, Value run, Value row, Value column) const {
  if (scales)
    return b.widen(loadOfGroup(b, scales, row, column));
  Value word = loadPair(b, runs, run, 0, /*isSigned=*/false);
  if (bits > 8) // bf16 is the upper half of f32
    return arith::BitcastOp::create(b, b.getF32Type(), b.make<arith::ShLIOp>(word, b.integer(16)));
  Value half = arith::TruncIOp::create(b, b.getI16Type(), word);
  return b.widen(arith::BitcastOp::create(b, b.getF16Type(), half));
}

Value StoredMatrix::loadZeroPoint(LoopBuilder &b, Value run, Value row, Value column) const {
  if (zeroPoints)
    return b.widenSigned(loadOfGroup(b, zeroPoints, row, column));
  if (!isAsymmetric)
    return nullptr;
  return bits > 8 ? loadPair(b, runs, run, 2, /*isSigned=*/true)
                  : loadByte(b, runs, run, b.index(2), /*isSigned=*/true);
}

StoredMatrix::Row StoredMatrix::open(LoopBuilder &b, Value row) const {
  if (!hasScalePerRow())
    return {row, nullptr, nullptr};
  Value run = getRun(b, row, nullptr), first = b.index(0);
  return {row, loadScale(b, run, row, first), loadZeroPoint(b, run, row, first)};
}

Value StoredMatrix::loadCode(LoopBuilder &b, Value row, Value index) const {
  if (bits == 8)
    return loadByte(b, data, row, index, /*isSigned=*/true);
  Value place = b.make<arith::MulIOp>(index, b.index(bits));
  Value first = b.make<arith::DivUIOp>(place, b.index(8));
  Value shift =
      arith::IndexCastOp::create(b, b.getI32Type(), b.make<arith::RemUIOp>(place, b.index(8)));
  Value window = loadByte(b, data, row, first);
  // A code may lie in as many bytes as this; those past the row's end hold nothing of it.
  unsigned numBytes = 8 % bits == 0 ? 1 : bits % 8 == 0 ? bits / 8 : (bits + 6) / 8 + 1;
  int64_t rowBytes = cast<RankedTensorType>(data.getType()).getDimSize(1);
  for (unsigned i = 1; i < numBytes; ++i) {
    Value next =
        b.make<arith::MinUIOp>(b.make<arith::AddIOp>(first, b.index(i)), b.index(rowBytes - 1));
    window = b.make<arith::OrIOp>(
        window, b.make<arith::ShLIOp>(loadByte(b, data, row, next), b.integer(8 * i)));
  }
  return b.make<arith::ShRUIOp>(window, shift);
}

Value StoredMatrix::loadSteps(LoopBuilder &b, const Row &row, Value column) const {
  Value code = tiles ? loadTiledCode(b, row.index, column) : loadCode(b, row.index, column);
  if (bits != 8 && !tiles) {
    Value unused = b.integer(32 - bits);
    code = b.make<arith::ShRSIOp>(b.make<arith::ShLIOp>(code, unused), unused);
  }
  Value zeroPoint = row.zeroPoint;
  if (!row.scale)
    zeroPoint = loadZeroPoint(b, getRun(b, row.index, column), row.index, column);
  if (zeroPoint)
    code = b.make<arith::SubIOp>(code, zeroPoint);
  return b.toReal(code);
}

Value StoredMatrix::loadOfVector(LoopBuilder &b, Value place) const {
  auto type = cast<RankedTensorType>(data.getType());
  if (type.getRank() == 1)
    return b.widen(b.extract(data, place));
  Value zero = b.index(0);
  bool isRow = type.getDimSize(0) == 1;
  return load(b, open(b, isRow ? zero : place), isRow ? place : zero);
}

Value StoredMatrix::load(LoopBuilder &b, const Row &row, Value column) const {
  if (bits == 0)
    return b.widen(b.extract(data, {row.index, column}));
  Value scale = row.scale;
  if (!scale)
    scale = loadScale(b, getRun(b, row.index, column), row.index, column);
  return b.make<arith::MulFOp>(loadSteps(b, row, column), scale);
}

std::pair<Value, Value> StoredMatrix::loadComplex(LoopBuilder &b, const Row &row,
                                                  Value number) const {
  if (magnitudeBits == 0) {
    Value column = b.make<arith::MulIOp>(number, b.index(2));
    return {load(b, row, column), load(b, row, b.make<arith::AddIOp>(column, b.index(1)))};
  }
  Value code = loadCode(b, row.index, number);
  int32_t turn = 1 << (bits - magnitudeBits), numMagnitudes = 1 << magnitudeBits;
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(b, b.getIndexType(), value);
  };
  Value magnitude = b.extract(
      b.table(magnitudes, {static_cast<int64_t>(magnitudes.size()) / numMagnitudes, numMagnitudes}),
      {getRun(b, row.index, nullptr),
       toIndex(b.make<arith::AndIOp>(code, b.integer(numMagnitudes - 1)))});
  Value phase = b.make<arith::ShRUIOp>(code, b.integer(magnitudeBits));
  Value quarter = b.table(cosines, {static_cast<int64_t>(cosines.size())});
  auto cosine = [&](Value phase) {
    // cos(-x) = cos(x), and cos(half a turn - x) = -cos(x).
    phase = b.make<arith::AndIOp>(phase, b.integer(turn - 1));
    Value folded = b.make<arith::MinUIOp>(phase, b.make<arith::SubIOp>(b.integer(turn), phase));
    Value mirrored = b.make<arith::SubIOp>(b.integer(turn / 2), folded);
    Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, mirrored, folded);
    Value number = b.extract(quarter, toIndex(b.make<arith::MinUIOp>(folded, mirrored)));
    Value product = b.make<arith::MulFOp>(magnitude, number);
    return b.select(isNegative, arith::NegFOp::create(b, product), product);
  };
  return {cosine(phase), cosine(b.make<arith::SubIOp>(phase, b.integer(turn / 4)))};
}
