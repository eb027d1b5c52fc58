//===- ProfileTable.cpp - The ops that a profiled program times -----------===//

#include "ssmq/Dialect/SSM/Utils/ProfileTable.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using ssmq::ProfiledOp;

static constexpr std::pair<StringLiteral, std::string ProfiledOp::*> kTexts[] = {
    {"entry", &ProfiledOp::entry},
    {"path", &ProfiledOp::path},
    {"kind", &ProfiledOp::kind},
    {"kernel", &ProfiledOp::kernel}};
static constexpr std::pair<StringLiteral, int64_t ProfiledOp::*> kNumbers[] = {
    {"bytes", &ProfiledOp::bytes},
    {"bytes_per_token", &ProfiledOp::bytesPerToken},
    {"bytes_per_position", &ProfiledOp::bytesPerPosition},
    {"multiply_adds", &ProfiledOp::multiplyAdds},
    {"multiply_adds_per_token", &ProfiledOp::multiplyAddsPerToken},
    {"multiply_adds_per_pair", &ProfiledOp::multiplyAddsPerPair}};

void ssm::setProfileTable(ModuleOp module, ArrayRef<ProfiledOp> ops) {
  Builder builder(module.getContext());
  SmallVector<Attribute> rows;
  for (const ProfiledOp &op : ops) {
    NamedAttrList row;
    for (auto [name, text] : kTexts)
      row.set(name, builder.getStringAttr(op.*text));
    for (auto [name, number] : kNumbers)
      if (op.*number != 0)
        row.set(name, builder.getI64IntegerAttr(op.*number));
    rows.push_back(row.getDictionary(module.getContext()));
  }
  module->setAttr(kProfileAttrName, builder.getArrayAttr(rows));
}

std::vector<ProfiledOp> ssm::getProfileTable(ModuleOp module) {
  std::vector<ProfiledOp> ops;
  auto rows = module->getAttrOfType<ArrayAttr>(kProfileAttrName);
  for (Attribute attribute : rows ? rows.getValue() : ArrayRef<Attribute>()) {
    ProfiledOp op;
    if (auto row = dyn_cast<DictionaryAttr>(attribute)) {
      for (auto [name, text] : kTexts)
        if (auto value = row.getAs<StringAttr>(name))
          op.*text = value.str();
      for (auto [name, number] : kNumbers)
        if (auto value = row.getAs<IntegerAttr>(name))
          op.*number = value.getInt();
    }
    ops.push_back(std::move(op));
  }
  return ops;
}
