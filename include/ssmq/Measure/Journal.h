//===- Journal.h - A sweep's results as they come ---------------*- C++ -*-===//
//
// JSON Lines: the run's identity, then one sequence record a line, each line closed by the XXH3 of
// what stands before it ("check", 16 hexadecimal digits). Records are written at once and forced to
// disk by sync(), so that a sweep that is killed starts again where it was cut.
//
// The last line may be torn by a crash or a full disk: it is dropped, and the journal says so. Any
// other line that does not check is an error, as is the journal of another run. One process at a
// time may write a journal.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_JOURNAL_H
#define SSMQ_MEASURE_JOURNAL_H

#include "ssmq/Measure/SequenceRecord.h"
#include <memory>
#include <mutex>

namespace ssmq {

struct JournalContents {
  RunIdentity identity;
  /// In the order of the file; a record that stands there twice, once.
  std::vector<SequenceRecord> records;
  /// What was dropped, for the user; empty when the journal is whole.
  std::string note;
  /// Bytes up to the end of the last good line.
  size_t goodBytes = 0;
};

llvm::Expected<JournalContents> readJournal(llvm::StringRef path);

/// Appending is thread safe.
class Journal {
public:
  /// Starts a journal, or goes on with one of the same run.
  static llvm::Expected<std::unique_ptr<Journal>> open(llvm::StringRef path,
                                                       const RunIdentity &identity);
  ~Journal();
  Journal(const Journal &) = delete;
  Journal &operator=(const Journal &) = delete;

  llvm::Error append(const SequenceRecord &record);
  /// Call after each sequence.
  llvm::Error sync();

  /// Those that stood there when it was opened.
  llvm::ArrayRef<SequenceRecord> getRecords() const { return contents.records; }
  llvm::StringRef getNote() const { return contents.note; }

private:
  Journal(llvm::StringRef path, int descriptor) : path(path), descriptor(descriptor) {}
  llvm::Error writeLine(llvm::json::Object line);

  std::string path;
  int descriptor;
  JournalContents contents;
  std::mutex mutex;
};

} // namespace ssmq

#endif // SSMQ_MEASURE_JOURNAL_H
