//===- DefaultFormats.cpp - What is measured when nobody says -------------===//

#include "ssmq/Formats/Format.h"

using namespace llvm;

namespace ssmq {

static constexpr StringLiteral kWeight[] = {
    "i4 sym per_channel", "i4 sym group=32", "i4 sym group=64", "i4 sym group=128",
    "i8 sym per_channel", "i8 sym group=32", "i8 sym group=64", "i8 sym group=128"};
static constexpr StringLiteral kActivation[] = {
    "i8 sym per_token", "i8 sym per_tensor static=99.99", "f8E4M3 per_tensor static=99.99",
    "i4 sym per_token"};
static constexpr StringLiteral kState[] = {"f16",
                                           "bf16",
                                           "i8 sym per_channel",
                                           "i8 asym per_channel",
                                           "i8 sym per_head",
                                           "i8 asym per_head",
                                           "i4 sym per_channel"};
static constexpr StringLiteral kCache[] = {"f16", "i8 sym per_token", "f8E4M3 per_token",
                                           "i4 sym group=32"};
static constexpr StringLiteral kParameter[] = {"f16", "bf16", "i8 sym per_tensor",
                                               "i8 sym per_channel", "log2<8> per_tensor"};
static constexpr StringLiteral kNorm[] = {"f16", "bf16", "i8 sym per_tensor"};

ArrayRef<StringLiteral> getDefaultFormats(SiteKind kind) {
  switch (kind) {
  case SiteKind::Weight: return kWeight;
  case SiteKind::Norm: return kNorm;
  case SiteKind::Activation: return kActivation;
  case SiteKind::Parameter: return kParameter;
  case SiteKind::State: return kState;
  case SiteKind::Cache: break;
  }
  return kCache;
}

} // namespace ssmq
