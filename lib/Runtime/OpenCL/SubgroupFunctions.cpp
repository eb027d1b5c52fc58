//===- SubgroupFunctions.cpp - Matrix functions of sub-groups -------------===//

#include "ssmq/Runtime/OpenCL/SubgroupFunctions.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Regex.h"
#include <optional>

using namespace ssmq;
using llvm::Expected;
using llvm::StringRef;

static constexpr StringRef kEmulation =
#include "Emulation.cl.inc"
    ;

namespace {
/// _Z, the length of the name, the name, the parameters.
struct MangledName {
  StringRef name, parameters;
};

/// D = C + A B of `rows` rows.
struct MatrixFunction {
  std::string a, b;
  int64_t rows;
  bool isFloat;

  std::string getSpelling() const;
  std::string getDefinition() const;
};

struct BlockFunction {
  /// read, read_transform, read_transpose, write, prefetch
  std::string action;
  int64_t bits, rows, columns, blocks;

  std::string getSpelling() const;
  std::string getDefinition() const;
  bool isOfXe2() const;

private:
  /// What the elements travel in: two of 8 bits in a short, as do all of a prefetch in nothing.
  char getPointee() const;
};
} // namespace

static std::optional<MangledName> parseMangled(StringRef mangled) {
  size_t length = 0;
  if (!mangled.consume_front("_Z") || mangled.consumeInteger(10, length) || length > mangled.size())
    return std::nullopt;
  return MangledName{mangled.take_front(length), mangled.drop_front(length)};
}

static std::string mangle(const std::string &name, const std::string &parameters) {
  return "_Z" + std::to_string(name.size()) + name + parameters;
}

static std::optional<MatrixFunction> parseMatrixFunction(StringRef mangled) {
  std::optional<MangledName> parsed = parseMangled(mangled);
  static llvm::Regex names("^intel_sub_group_(f16|bf16|s8|i8|u8)_(f16|bf16|s8|i8|u8)_matrix_mad_k"
                           "(16|32)$");
  static llvm::Regex shapes("^(Dv([248])_)?[st]Dv8_[ij](.*)$");
  llvm::SmallVector<StringRef> name, shape;
  if (!parsed || !names.match(parsed->name, &name) || !shapes.match(parsed->parameters, &shape))
    return std::nullopt;
  auto spell = [](StringRef type) { return type == "s8" ? "i8" : type.str(); };
  MatrixFunction result{spell(name[1]), spell(name[2]), 1, StringRef(name[1]).contains('f')};
  shape[2].getAsInteger(10, result.rows);
  // Sums of other types, as of half, are not used here.
  std::string sum = result.isFloat ? "f" : "i";
  std::string vector = "Dv" + std::to_string(result.rows) + "_" + sum;
  bool isSum = shape[3] == (result.rows == 1 ? sum : vector) ||
               (shape[3] == "S0_" && result.rows == 8 && !result.isFloat);
  bool isOneKind = result.isFloat ? result.a == result.b : !StringRef(result.b).contains('f');
  if (!isSum || !isOneKind || name[3] != (result.isFloat ? "16" : "32"))
    return std::nullopt;
  return result;
}

std::string MatrixFunction::getSpelling() const {
  std::string vector = rows == 1 ? "" : "Dv" + std::to_string(rows) + "_";
  std::string parameters = vector + (a == "u8" ? "t" : "s") + "Dv8_" + (b == "u8" ? "j" : "i");
  // The type of B is the second to be named, or the first when A is no vector.
  parameters += rows == 8 && !isFloat && b == "i8" ? "S0_" : vector + (isFloat ? "f" : "i");
  return mangle("intel_sub_group_" + a + "_" + b + "_matrix_mad_k" + (isFloat ? "16" : "32"),
                parameters);
}

std::string MatrixFunction::getDefinition() const {
  std::string lanes = rows == 1 ? "" : std::to_string(rows);
  if (isFloat)
    return llvm::formatv("SSMQ_MAD_16({0}, ssmq_{0}, {1}, short{2}, float{2})\n", a, rows, lanes);
  auto getByte = [](StringRef type) { return type == "u8" ? "uchar" : "char"; };
  return llvm::formatv("SSMQ_MAD_8({0}, {1}, {2}, {3}, {4}, {5}short{6}, {7}int8, int{6})\n", a, b,
                       getByte(a), getByte(b), rows, a == "u8" ? "u" : "", lanes,
                       b == "u8" ? "u" : "");
}

static std::optional<BlockFunction> parseBlockFunction(StringRef mangled) {
  std::optional<MangledName> parsed = parseMangled(mangled);
  static llvm::Regex names("^intel_sub_group_2d_block_(read|read_transform|read_transpose|write|"
                           "prefetch)_(8|16|32)b_([0-9]+)r([0-9]+)x([0-9]+)c$");
  llvm::SmallVector<StringRef> name;
  if (!parsed || !parsed->parameters.starts_with("PU3AS1viiiDv2_i") ||
      !names.match(parsed->name, &name))
    return std::nullopt;
  BlockFunction result{name[1].str(), 0, 0, 0, 0};
  if (name[2].getAsInteger(10, result.bits) || name[3].getAsInteger(10, result.rows) ||
      name[4].getAsInteger(10, result.columns) || name[5].getAsInteger(10, result.blocks))
    return std::nullopt;
  return result;
}

bool BlockFunction::isOfXe2() const {
  bool isRows = rows >= 1 && rows <= 32 && llvm::isPowerOf2_64(rows);
  if (action == "read_transform")
    return columns == 16 &&
           ((bits == 8 && rows == 32 && llvm::is_contained({1, 2, 4}, blocks)) ||
            (bits == 16 && (rows == 16 || rows == 32) && (blocks == 1 || blocks == 2)));
  if (action == "read_transpose")
    return bits == 32 && rows == 16 && llvm::is_contained({1, 2, 4, 8}, columns) && blocks == 1;
  if (action == "write")
    return isRows && rows <= 8 && blocks == 1 && (columns == 16 || (bits == 8 && columns == 32));
  bool isWidth = columns == (bits == 8 ? 32 : 16) || (action == "prefetch" && columns == 16);
  return isRows && isWidth && (blocks == 1 || (blocks == 2 && bits < 32));
}

char BlockFunction::getPointee() const {
  if (action == "read_transform" || action == "read_transpose" || bits == 32)
    return 'j';
  return bits == 16 || columns == 32 ? 't' : 'h';
}

std::string BlockFunction::getSpelling() const {
  std::string name = llvm::formatv("intel_sub_group_2d_block_{0}_{1}b_{2}r{3}x{4}c", action, bits,
                                   rows, columns, blocks);
  std::string parameters = "PU3AS1viiiDv2_i";
  return mangle(name, action == "prefetch" ? parameters : parameters + "P" + getPointee());
}

std::string BlockFunction::getDefinition() const {
  auto getType = [](char letter) {
    return llvm::StringSwitch<StringRef>(StringRef(&letter, 1))
        .Case("h", "uchar")
        .Case("t", "ushort")
        .Default("uint");
  };
  StringRef element = getType(bits == 8 ? 'h' : bits == 16 ? 't' : 'j');
  return llvm::formatv("SSMQ_{0}({1}, {2}, {3}, {4}, {5}, {6})\n", StringRef(action).upper(),
                       element, bits, rows, columns, blocks, getType(getPointee()));
}

SubgroupExtension ssmq::getSubgroupExtension(StringRef mangledName) {
  std::optional<MangledName> parsed = parseMangled(mangledName);
  if (!parsed || !parsed->name.starts_with("intel_sub_group_"))
    return SubgroupExtension::None;
  if (parsed->name.contains("_matrix_mad_k"))
    return SubgroupExtension::MatrixMultiply;
  return parsed->name.contains("_2d_block_") ? SubgroupExtension::BlockIO : SubgroupExtension::None;
}

std::string ssmq::getExtensionSpelling(StringRef mangledName) {
  if (std::optional<MatrixFunction> function = parseMatrixFunction(mangledName))
    return function->getSpelling();
  if (std::optional<BlockFunction> function = parseBlockFunction(mangledName))
    return function->getSpelling();
  return mangledName.str();
}

Expected<std::string> ssmq::makeSubgroupEmulation(llvm::ArrayRef<std::string> mangledNames) {
  std::string source = kEmulation.str();
  for (const std::string &name : mangledNames) {
    std::optional<BlockFunction> block = parseBlockFunction(name);
    if (std::optional<MatrixFunction> matrix = parseMatrixFunction(name))
      source += matrix->getDefinition();
    else if (block && block->isOfXe2())
      source += block->getDefinition();
    else
      return makeError("the kernels call {0}, which Xe2 does not have and ssmq does not emulate",
                       quote(name));
  }
  return source;
}
