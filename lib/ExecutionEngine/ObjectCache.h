//===- ObjectCache.h - Compiled programs kept on disk -----------*- C++ -*-===//
//
// Compiling a model takes seconds, loading its machine code milliseconds. Entries are files named
// by what they were compiled from:
//   <folder>/<key in hex>.ssmqo   magic, key, checksum of the rest (BLAKE3), ProgramObject
// in $SSMQ_CACHE_DIR/programs, else $XDG_CACHE_HOME/ssmq/programs, else ~/.cache/ssmq/programs.
// SSMQ_CACHE_DIR set to nothing switches the cache off. An entry is code that will run: the folder
// must belong to this user and nobody else may write it. An entry that is damaged, cut off or of
// another key counts as absent. Entries appear complete or not at all, so that processes may share
// the folder; when it grows past SSMQ_CACHE_MIB (default 256), those that were not used for longest
// go.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_OBJECTCACHE_H
#define SSMQ_LIB_EXECUTIONENGINE_OBJECTCACHE_H

#include "ProgramObject.h"
#include <array>
#include <optional>

namespace ssmq {

/// BLAKE3 of everything that the machine code follows from.
using ProgramKey = std::array<uint8_t, 32>;

class ObjectCache {
public:
  /// The cache that the environment names; nullopt when it is off or there is no such folder and
  /// none can be made.
  static std::optional<ObjectCache> open();
  /// Makes the folder when it is missing; nullopt when that fails or others may write it.
  static std::optional<ObjectCache> open(llvm::StringRef folder, uint64_t maxBytes);

  std::optional<ProgramObject> lookup(const ProgramKey &key) const;
  /// Keeps an entry if it can: a full disk costs time, not the program.
  void store(const ProgramKey &key, const ProgramObject &object) const;

private:
  ObjectCache(std::string folder, uint64_t maxBytes)
      : folder(std::move(folder)), maxBytes(maxBytes) {}

  std::string getPath(const ProgramKey &key) const;
  /// Removes the entries not used for longest until the rest fits, but not `kept`.
  void prune(llvm::StringRef kept) const;

  std::string folder;
  uint64_t maxBytes;
};

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_OBJECTCACHE_H
