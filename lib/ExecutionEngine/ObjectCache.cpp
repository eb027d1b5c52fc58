//===- ObjectCache.cpp - Compiled programs kept on disk -------------------===//

#include "ObjectCache.h"

#include "ssmq/Support/File.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ssmq;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static constexpr llvm::StringLiteral kMagic = "SSMQOBJ1", kSuffix = ".ssmqo";
static constexpr uint64_t kDefaultMiB = 256;
/// Of an interrupted writer.
static constexpr std::chrono::hours kLifeOfTemporaries(1);

std::optional<ObjectCache> ObjectCache::open() {
  llvm::SmallString<128> folder;
  if (const char *given = std::getenv("SSMQ_CACHE_DIR")) {
    folder = given;
  } else if (const char *caches = std::getenv("XDG_CACHE_HOME"); caches && *caches) {
    path::append(folder, caches, "ssmq");
  } else if (const char *home = std::getenv("HOME"); home && *home) {
    path::append(folder, home, ".cache", "ssmq");
  }
  if (folder.empty())
    return std::nullopt;
  uint64_t mib = kDefaultMiB;
  if (const char *given = std::getenv("SSMQ_CACHE_MIB"))
    if (!llvm::to_integer(llvm::StringRef(given), mib) || mib > UINT64_MAX >> 20)
      mib = kDefaultMiB;
  path::append(folder, "programs");
  return open(folder, mib << 20);
}

std::optional<ObjectCache> ObjectCache::open(llvm::StringRef folder, uint64_t maxBytes) {
  std::string name = folder.str();
  // The parents are made as any program makes them, the folder for its user alone.
  if (fs::create_directories(path::parent_path(folder)))
    return std::nullopt;
  if (::mkdir(name.c_str(), 0700) != 0 && errno != EEXIST)
    return std::nullopt;
  struct stat status;
  if (::lstat(name.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))
    return std::nullopt;
  return ObjectCache(std::move(name), maxBytes);
}

std::string ObjectCache::getPath(const ProgramKey &key) const {
  llvm::SmallString<128> result(folder);
  path::append(result, llvm::toHex(key, /*LowerCase=*/true) + kSuffix);
  return result.str().str();
}

static llvm::StringRef asText(llvm::ArrayRef<uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

static ProgramKey getChecksum(llvm::StringRef bytes) {
  llvm::BLAKE3 hasher;
  hasher.update(bytes);
  return hasher.final<32>();
}

std::optional<ProgramObject> ObjectCache::lookup(const ProgramKey &key) const {
  std::string name = getPath(key);
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0)
    return std::nullopt;
  auto closeIt = llvm::scope_exit([&] { ::close(descriptor); });
  struct stat status;
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
    return std::nullopt;
  auto buffer = llvm::MemoryBuffer::getOpenFile(descriptor, name, status.st_size,
                                                /*RequiresNullTerminator=*/false);
  if (!buffer)
    return std::nullopt;

  llvm::StringRef bytes = (*buffer)->getBuffer();
  if (!bytes.consume_front(kMagic) || !bytes.consume_front(asText(key)))
    return std::nullopt;
  llvm::StringRef checksum = bytes.take_front(key.size());
  bytes = bytes.drop_front(checksum.size());
  if (checksum != asText(getChecksum(bytes)))
    return std::nullopt;
  llvm::Expected<ProgramObject> object = parseObject(bytes);
  if (!object) {
    llvm::consumeError(object.takeError());
    return std::nullopt;
  }
  // The time of the last use, whatever the file system does about reads.
  (void)::futimens(descriptor, nullptr);
  return std::move(*object);
}

void ObjectCache::store(const ProgramKey &key, const ProgramObject &object) const {
  std::string name = getPath(key), bytes = serialize(object);
  ProgramKey checksum = getChecksum(bytes);
  llvm::Error failed = writeFileAtomically(name, [&](llvm::raw_ostream &stream) {
    stream << kMagic << asText(key) << asText(checksum) << bytes;
    return llvm::Error::success();
  });
  if (failed)
    return llvm::consumeError(std::move(failed));
  prune(name);
}

void ObjectCache::prune(llvm::StringRef kept) const {
  struct Entry {
    std::string path;
    llvm::sys::TimePoint<> used;
    uint64_t numBytes;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  auto now = std::chrono::system_clock::now();
  std::error_code code;
  for (fs::directory_iterator it(folder, code, /*follow_symlinks=*/false), end; it != end && !code;
       it.increment(code)) {
    llvm::ErrorOr<fs::basic_file_status> status = it->status();
    if (!status || status->type() != fs::file_type::regular_file)
      continue;
    llvm::sys::TimePoint<> used = status->getLastModificationTime();
    if (llvm::StringRef(it->path()).ends_with(kSuffix)) {
      total += status->getSize();
      if (it->path() != kept)
        entries.push_back({it->path(), used, status->getSize()});
    } else if (path::filename(it->path()).contains(".tmp-") && now - used > kLifeOfTemporaries) {
      (void)fs::remove(it->path());
    }
  }
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::tie(a.used, a.path) < std::tie(b.used, b.path);
  });
  for (const Entry &entry : entries) {
    if (total <= maxBytes)
      break;
    // Another process may have been faster.
    if (!fs::remove(entry.path))
      total -= entry.numBytes;
  }
}
