//===- Format.cpp - Formats of the C interface ----------------------------===//

#include "Status.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static Expected<SiteKind> parseKind(const char *name) {
  if (std::optional<SiteKind> kind = parseSiteKind(name))
    return *kind;
  return makeError("the kind of site '{0}' is not known; take weight, norm, activation, parameter, "
                   "state or cache",
                   llvm::StringRef(name).take_front(64));
}

/// The layout, whose elements can be counted.
static Expected<ValueLayout> readLayout(const SsmqValueLayout &layout) {
  Expected<SiteKind> kind = parseKind(layout.kind);
  if (!kind)
    return kind.takeError();
  if (!getCheckedNumBytes(DType::F32, {layout.rows, layout.columns}))
    return makeError("a value of {0} x {1} is not possible", layout.rows, layout.columns);
  return ValueLayout{*kind, layout.rows, layout.columns, layout.headSize};
}

namespace {
struct LaidOutFormat {
  std::shared_ptr<const Format> format;
  ValueLayout layout;
};
} // namespace

static Expected<LaidOutFormat> readFormat(const char *format, const SsmqValueLayout &layout) {
  Expected<std::shared_ptr<const Format>> parsed = parseFormat(format);
  if (!parsed)
    return parsed.takeError();
  Expected<ValueLayout> value = readLayout(layout);
  if (!value)
    return value.takeError();
  return LaidOutFormat{*parsed, *value};
}

SsmqStatus ssmqFormatGetSpelling(const char *format, SsmqBytesCallback callback, void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({format, reinterpret_cast<const void *>(callback)}))
      return error;
    Expected<std::shared_ptr<const Format>> parsed = parseFormat(format);
    if (!parsed)
      return parsed.takeError();
    std::string spelling = (*parsed)->getSpelling();
    callback(spelling.data(), spelling.size(), userData);
    return Error::success();
  });
}

SsmqStatus ssmqGetDefaultFormats(const char *kind, SsmqBytesCallback callback, void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({kind, reinterpret_cast<const void *>(callback)}))
      return error;
    Expected<SiteKind> parsed = parseKind(kind);
    if (!parsed)
      return parsed.takeError();
    for (llvm::StringRef spelling : getDefaultFormats(*parsed))
      callback(spelling.data(), spelling.size(), userData);
    return Error::success();
  });
}

SsmqStatus ssmqFormatGetNumBytes(const char *format, const SsmqValueLayout *layout,
                                 int64_t *numBytes) {
  return capi::guard([&]() -> Error {
    if (Error error =
            capi::checkPointers({format, layout, layout ? layout->kind : nullptr, numBytes}))
      return error;
    Expected<LaidOutFormat> one = readFormat(format, *layout);
    if (!one)
      return one.takeError();
    if (Error error = one->format->checkLayout(one->layout))
      return error;
    *numBytes = one->format->getNumBytes(one->layout);
    return Error::success();
  });
}

SsmqStatus ssmqFormatRound(const char *format, const SsmqValueLayout *layout, const float *values,
                           float *rounded) {
  return capi::guard([&]() -> Error {
    if (Error error =
            capi::checkPointers({format, layout, layout ? layout->kind : nullptr, values, rounded}))
      return error;
    Expected<LaidOutFormat> one = readFormat(format, *layout);
    if (!one)
      return one.takeError();
    auto size = static_cast<size_t>(one->layout.getNumElements());
    StaticRanges ranges(*one->format);
    if (one->format->needsRanges())
      if (Error error = ranges.add({values, size}, one->layout))
        return error;
    // Rounded beside, so that a failure writes nothing.
    std::vector<float> result(values, values + size);
    if (Error error = one->format->roundInPlace(result, one->layout, &ranges))
      return error;
    llvm::copy(result, rounded);
    return Error::success();
  });
}
