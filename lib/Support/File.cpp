//===- File.cpp - Mapped input, durable output ----------------------------===//

#include "ssmq/Support/File.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static std::string getLastError() {
  return std::error_code(errno, std::generic_category()).message();
}

static constexpr size_t hugePage = size_t(1) << 21;

/// Whether a file is read into huge pages of this process instead of mapping the pages of the
/// system's cache, which processes share. Processors read huge pages faster: they foresee what is
/// read within a page, and need few of their addresses.
static bool wantsHugePages(size_t size) {
  const char *wanted = std::getenv("SSMQ_HUGE_PAGES");
  return size >= 2 * hugePage && wanted && StringRef(wanted) == "1";
}

/// Memory for `size` bytes that begins on a huge page, or MAP_FAILED.
static void *mapHugePages(size_t size) {
  auto *all = static_cast<char *>(
      ::mmap(nullptr, size + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (all == MAP_FAILED)
    return MAP_FAILED;
  size_t before = llvm::offsetToAlignedAddr(all, llvm::Align(hugePage));
  size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  size_t used = llvm::alignTo(before + size, page);
  if (before)
    ::munmap(all, before);
  if (size_t after = llvm::alignTo(size + hugePage, page) - used)
    ::munmap(all + used, after);
#ifdef MADV_HUGEPAGE
  ::madvise(all + before, size, MADV_HUGEPAGE); // a hint, which may fail
#endif
  return all + before;
}

/// Reads the first `size` bytes; false when there are fewer or reading fails, with errno.
static bool readWhole(int descriptor, char *data, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t number = ::pread(descriptor, data + done, size - done, static_cast<off_t>(done));
    if (number < 0 && errno == EINTR)
      continue;
    if (number <= 0) {
      if (number == 0)
        errno = EIO; // it has shrunk
      return false;
    }
    done += static_cast<size_t>(number);
  }
  return true;
}

Expected<std::shared_ptr<const MappedFile>> MappedFile::open(StringRef path) {
  std::string name = path.str();
  if (name.find('\0') != std::string::npos)
    return makeError("cannot open {0}: a path holds no NUL", quote(path));
  // Without O_NONBLOCK a FIFO that nobody writes would block before it can be refused.
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0)
    return makeError("cannot open {0}: {1}", path, getLastError());
  auto closeIt = llvm::scope_exit([&] { ::close(descriptor); });

  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return makeError("cannot read the size of {0}: {1}", path, getLastError());
  if (!S_ISREG(status.st_mode))
    return makeError("cannot read {0}: it is {1}, not a regular file", path,
                     S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device");

  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path = std::move(name);
  // The descriptor names the file that was opened, whatever happens to the path meanwhile.
  llvm::SmallString<128> real;
  if (llvm::sys::fs::real_path("/proc/self/fd/" + std::to_string(descriptor), real) &&
      llvm::sys::fs::real_path(path, real))
    return makeError("cannot resolve the path {0}", path);
  file->realPath = real.str().str();
  if (status.st_size == 0)
    return file;

  size_t size = static_cast<size_t>(status.st_size);
  bool isCopy = wantsHugePages(size);
  void *data =
      isCopy ? mapHugePages(size) : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED)
    return makeError("cannot map the {0} bytes of {1}: {2}", size, path, getLastError());
  file->data = static_cast<const char *>(data);
  file->size = size;
  if (isCopy && !readWhole(descriptor, static_cast<char *>(data), size))
    return makeError("cannot read the {0} bytes of {1}: {2}", size, path, getLastError());
  if (isCopy)
    ::mprotect(data, size, PROT_READ);
  return file;
}

MappedFile::~MappedFile() {
  if (data)
    ::munmap(const_cast<char *>(data), size);
}

static Error syncFolder(StringRef path) {
  std::string folder = llvm::sys::path::parent_path(path).str();
  if (folder.empty())
    folder = ".";
  int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return makeError("cannot open the folder {0}: {1}", folder, getLastError());
  auto closeIt = llvm::scope_exit([&] { ::close(descriptor); });
  // Some network file systems cannot sync a folder; the rename has happened all the same.
  if (::fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP)
    return makeError("cannot sync the folder {0}: {1}", folder, getLastError());
  return Error::success();
}

Error ssmq::writeFileAtomically(StringRef path,
                                llvm::function_ref<Error(llvm::raw_ostream &)> write) {
  if (llvm::sys::fs::is_directory(path))
    return makeError("cannot write {0}: it is a folder", path);
  int descriptor = -1;
  llvm::SmallString<128> temporary;
  // '%' in the path itself would be filled with random digits, so only the suffix is a model.
  std::error_code code;
  for (int attempt = 0; attempt < 16; ++attempt) {
    llvm::SmallString<32> suffix;
    llvm::sys::fs::createUniquePath(".tmp-%%%%%%%%", suffix, /*MakeAbsolute=*/false);
    temporary = path;
    temporary += suffix;
    code = llvm::sys::fs::openFileForWrite(temporary, descriptor, llvm::sys::fs::CD_CreateNew);
    if (code != std::errc::file_exists)
      break;
  }
  if (code)
    return makeError("cannot write {0}: {1}", path, code.message());
  auto removeIt = llvm::scope_exit([&] { ::unlink(temporary.c_str()); });

  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/false);
  Error error = write(stream);
  stream.flush();
  code = stream.error();
  stream.clear_error();
  if (!error && code)
    error = makeError("cannot write {0}: {1}", path, code.message());
  if (!error && ::fsync(descriptor) != 0)
    error = makeError("cannot write {0}: {1}", path, getLastError());
  if (::close(descriptor) != 0 && !error)
    error = makeError("cannot write {0}: {1}", path, getLastError());
  if (error)
    return error;
  if (std::error_code failed = llvm::sys::fs::rename(temporary, path))
    return makeError("cannot rename {0} to {1}: {2}", temporary, path, failed.message());
  removeIt.release();
  return syncFolder(path);
}
