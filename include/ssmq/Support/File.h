//===- File.h - Mapped input, durable output --------------------*- C++ -*-===//
//
// Input files are mapped read-only and shared; only regular files are opened, so that a FIFO or a
// device never blocks or feeds a reader. A mapped file must not shrink while it is used: reading
// past its new end is a bus error, as with any mapping. Output appears under its name complete and
// on disk, or not at all (Pillai et al., OSDI 2014: write, fsync, rename, fsync the folder).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_FILE_H
#define SSMQ_SUPPORT_FILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class raw_ostream;
}

namespace ssmq {

class MappedFile {
public:
  static llvm::Expected<std::shared_ptr<const MappedFile>> open(llvm::StringRef path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  llvm::StringRef getBytes() const { return {data, size}; }
  /// As it was given to open().
  llvm::StringRef getPath() const { return path; }
  /// Where the opened file lies, symbolic links resolved.
  llvm::StringRef getRealPath() const { return realPath; }

private:
  MappedFile() = default;

  std::string path, realPath;
  const char *data = nullptr;
  size_t size = 0;
};

/// Bytes [offset, offset + numBytes) of a file.
struct FileRange {
  std::string path;
  uint64_t offset = 0, numBytes = 0;
};

/// Writes `path` through a temporary file in the same folder. The file at `path` is untouched, and
/// no temporary stays, when `write` or the disk reports an error.
llvm::Error writeFileAtomically(llvm::StringRef path,
                                llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace ssmq

#endif // SSMQ_SUPPORT_FILE_H
