//===- Journal.cpp - A sweep's results as they come -----------------------===//

#include "ssmq/Measure/Journal.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "ssmq/Support/JsonFields.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/xxhash.h"
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/file.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

static constexpr llvm::StringLiteral formatName = "ssmq-journal";
static constexpr int64_t formatVersion = 4;
static constexpr llvm::StringLiteral checkOpening = ",\"check\":\"";
static constexpr size_t checkSize = checkOpening.size() + 16 + 2;

static std::string getCheck(llvm::StringRef body) {
  return llvm::formatv("{0}{1:x-16}\"}", checkOpening, llvm::xxh3_64bits(body)).str();
}

static Error makeSystemError(llvm::StringRef path, llvm::StringRef action) {
  return makeError("{0}: {1}: {2}", path, action, llvm::sys::StrError(errno));
}

/// The object of one line, its check removed.
static Expected<json::Value> parseLine(llvm::StringRef line, llvm::StringRef where) {
  if (line.size() <= checkSize)
    return makeError("{0}: this is no line of a journal", where);
  llvm::StringRef body = line.drop_back(checkSize);
  if (line.take_back(checkSize) != getCheck(body))
    return makeError("{0}: the line is damaged: its check does not fit", where);
  return parseJson((body + "}").str(), where);
}

static Expected<RunIdentity> parseHeader(const json::Value &value, llvm::StringRef where) {
  JsonFields fields(value, where);
  fields.expectDocument(formatName, formatVersion);
  const json::Value &run = fields.getValue("run");
  if (Error error = fields.takeError())
    return error;
  return parseRunIdentity(run, where);
}

/// Measurements and local errors of a candidate are apart.
using RecordKey = std::tuple<int64_t, Candidate, bool>;
static RecordKey getKey(const SequenceRecord &record) {
  return {record.sequence, record.candidate, record.localError.has_value()};
}

static Error addLine(llvm::StringRef line, llvm::StringRef where, bool isHeader,
                     std::map<RecordKey, SequenceRecord> &seen, JournalContents &contents) {
  Expected<json::Value> value = parseLine(line, where);
  if (!value)
    return value.takeError();
  if (isHeader) {
    Expected<RunIdentity> identity = parseHeader(*value, where);
    if (!identity)
      return identity.takeError();
    contents.identity = std::move(*identity);
    return Error::success();
  }
  Expected<SequenceRecord> record = parseSequenceRecord(*value, where);
  if (!record)
    return record.takeError();
  auto [known, isNew] = seen.try_emplace(getKey(*record), *record);
  if (!isNew && !(known->second == *record))
    return makeError("{0}: sequence {1} of {2} as {3} contradicts an earlier line", where,
                     record->sequence, quote(record->candidate.site),
                     quote(record->candidate.format));
  if (isNew)
    contents.records.push_back(std::move(*record));
  return Error::success();
}

Expected<JournalContents> ssmq::readJournal(llvm::StringRef path) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  llvm::StringRef rest = (*file)->getBytes();
  JournalContents contents;
  std::map<RecordKey, SequenceRecord> seen;
  for (size_t number = 1; !rest.empty(); ++number) {
    auto [line, after] = rest.split('\n');
    // A line without its end was never finished, whatever it holds.
    bool isWhole = line.size() < rest.size();
    std::string where = (path + ":" + llvm::Twine(number)).str();
    Error error = isWhole ? addLine(line, where, number == 1, seen, contents)
                          : makeError("{0}: the line has no end", where);
    if (error) {
      // What a crash tears is the last line; an unreadable first one may be anybody's file.
      if (!after.empty() || number == 1)
        return error;
      contents.note = llvm::toString(std::move(error)) + "; the last line was torn and is measured "
                                                         "again";
      return contents;
    }
    contents.goodBytes += line.size() + 1;
    rest = after;
  }
  if (contents.goodBytes == 0)
    return makeError("{0}: the journal is empty", path);
  return contents;
}

Expected<std::unique_ptr<Journal>> Journal::open(llvm::StringRef path,
                                                 const RunIdentity &identity) {
  int descriptor =
      ::open(path.str().c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor < 0)
    return makeSystemError(path, "cannot open the journal");
  std::unique_ptr<Journal> journal(new Journal(path, descriptor));
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return makeSystemError(path, "cannot open the journal");
  if (!S_ISREG(status.st_mode))
    return makeError("{0}: the journal must be a regular file", path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return makeError("{0}: another process writes this journal", path);
  if (status.st_size == 0) {
    json::Object header{
        {"document", formatName}, {"version", formatVersion}, {"run", toJSON(identity)}};
    if (Error error = journal->writeLine(std::move(header)))
      return error;
    if (Error error = journal->sync())
      return error;
    journal->contents.identity = identity;
    return journal;
  }

  Expected<JournalContents> contents = readJournal(path);
  if (!contents)
    return contents.takeError();
  if (Error error = checkSameRun(identity, contents->identity, path))
    return error;
  if (!contents->note.empty() && ::ftruncate(descriptor, contents->goodBytes) != 0)
    return makeSystemError(path, "cannot cut the torn line");
  journal->contents = std::move(*contents);
  return journal;
}

Journal::~Journal() { ::close(descriptor); }

Error Journal::writeLine(json::Object object) {
  std::string line = llvm::formatv("{0}", json::Value(std::move(object))).str();
  line.pop_back(); // the closing brace comes after the check
  line += getCheck(line) + "\n";
  std::lock_guard<std::mutex> lock(mutex);
  // One call writes a whole line, unless the disk is full or a signal comes.
  for (llvm::StringRef rest = line; !rest.empty();) {
    ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno != EINTR)
      return makeSystemError(path, "cannot write the journal");
    rest = rest.drop_front(std::max<ssize_t>(written, 0));
  }
  return Error::success();
}

Error Journal::append(const SequenceRecord &record) {
  if (Error error = checkRecord(record, record.candidate.site))
    return error;
  return writeLine(toJSON(record));
}

Error Journal::sync() {
  if (::fdatasync(descriptor) != 0)
    return makeSystemError(path, "cannot force the journal to disk");
  return Error::success();
}
