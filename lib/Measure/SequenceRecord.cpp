//===- SequenceRecord.cpp - What a sweep measures -------------------------===//

#include "ssmq/Measure/SequenceRecord.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonFields.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

namespace {
struct TextMember {
  llvm::StringLiteral name;
  std::string RunIdentity::*member;
};
struct CountMember {
  llvm::StringLiteral name;
  int64_t RunIdentity::*member;
};
} // namespace

static constexpr TextMember textMembers[] = {
    {"model", &RunIdentity::model},
    {"checkpoint", &RunIdentity::checkpoint},
    {"calibration", &RunIdentity::calibration},
    {"calibrationDigest", &RunIdentity::calibrationDigest},
    {"formatSet", &RunIdentity::formatSet},
};
static constexpr llvm::StringLiteral localErrorName = "localError";
static constexpr llvm::StringLiteral unusableName = "unusable";

static constexpr CountMember countMembers[] = {
    {"sequenceLength", &RunIdentity::sequenceLength},
    {"numSequences", &RunIdentity::numSequences},
    {"vocabSize", &RunIdentity::vocabSize},
};

template <typename T>
static Error checkEqual(const T &expected, const T &found, llvm::StringRef name,
                        llvm::StringRef where) {
  if (expected == found)
    return Error::success();
  return makeError("{0} belongs to another run: its {1} is '{2}', and here it is '{3}'; name "
                   "another file, or delete it to start over",
                   where, name, found, expected);
}

Error ssmq::checkSameRun(const RunIdentity &expected, const RunIdentity &found,
                         llvm::StringRef where) {
  for (const TextMember &text : textMembers)
    if (Error error = checkEqual(expected.*text.member, found.*text.member, text.name, where))
      return error;
  for (const CountMember &count : countMembers)
    if (Error error = checkEqual(expected.*count.member, found.*count.member, count.name, where))
      return error;
  return Error::success();
}

json::Object ssmq::toJSON(const RunIdentity &identity) {
  json::Object object;
  for (const TextMember &text : textMembers)
    object[text.name] = json::fixUTF8(identity.*text.member);
  for (const CountMember &count : countMembers)
    object[count.name] = identity.*count.member;
  return object;
}

Expected<RunIdentity> ssmq::parseRunIdentity(const json::Value &value, llvm::StringRef where) {
  JsonFields fields(value, where);
  RunIdentity identity;
  for (const TextMember &text : textMembers)
    identity.*text.member = fields.getString(text.name);
  for (const CountMember &count : countMembers)
    identity.*count.member = fields.getCount(count.name);
  if (Error error = fields.takeError())
    return error;
  return identity;
}

json::Object ssmq::toJSON(const SequenceRecord &record) {
  json::Object object{{"sequence", record.sequence},
                      {"site", record.candidate.site},
                      {"format", record.candidate.format}};
  if (record.isUnusable)
    object[unusableName] = true;
  if (record.localError)
    object[localErrorName] = finiteOrNull(*record.localError);
  if (!record.sums)
    return object;
  for (const CountField &field : getCountFields())
    object[field.name] = *record.sums.*field.member;
  for (const SumField &field : getSumFields())
    object[field.name] = finiteOrNull(*record.sums.*field.member);
  return object;
}

static DivergenceSums parseSums(JsonFields &fields) {
  DivergenceSums sums;
  for (const CountField &field : getCountFields())
    sums.*field.member = fields.getCount(field.name);
  for (const SumField &field : getSumFields())
    sums.*field.member = fields.getNumber(field.name);
  return sums;
}

Expected<SequenceRecord> ssmq::parseSequenceRecord(const json::Value &value,
                                                   llvm::StringRef where) {
  JsonFields fields(value, where);
  SequenceRecord record;
  record.sequence = fields.getCount("sequence");
  record.candidate = {fields.getString("site"), fields.getString("format")};
  const json::Object *object = value.getAsObject();
  if (object && object->get(unusableName))
    record.isUnusable = true;
  else if (object && object->get(localErrorName))
    record.localError = fields.getNumber(localErrorName);
  else
    record.sums = parseSums(fields);
  if (Error error = fields.takeError())
    return error;
  if (Error error = checkRecord(record, where))
    return error;
  return record;
}

static Error checkSums(const DivergenceSums &sums, llvm::StringRef where) {
  for (const CountField &field : getCountFields())
    if (sums.numScored < 1 || sums.*field.member < 0 || sums.*field.member > sums.numScored)
      return makeError("{0}: {1} is {2} of {3} positions, which cannot be", where, field.name,
                       sums.*field.member, sums.numScored);
  for (const SumField &field : getSumFields())
    if (!std::isfinite(sums.*field.member) || (sums.*field.member < 0 && !field.mayBeNegative))
      return makeError("{0}: {1} is {2}, which no measurement gives", where, field.name,
                       sums.*field.member);
  return Error::success();
}

Error ssmq::checkRecord(const SequenceRecord &record, llvm::StringRef where) {
  if (record.localError && !(*record.localError >= 0 && std::isfinite(*record.localError)))
    return makeError("{0}: a local error of {1} cannot be", where, *record.localError);
  return record.sums ? checkSums(*record.sums, where) : Error::success();
}
