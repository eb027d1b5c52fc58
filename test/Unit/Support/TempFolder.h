//===- TempFolder.h - A folder that lives as long as its test ---*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_SUPPORT_TEMPFOLDER_H
#define SSMQ_TEST_UNIT_SUPPORT_TEMPFOLDER_H

#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ssmq::test {

class TempFolder {
public:
  TempFolder() {
    std::string model = (std::filesystem::temp_directory_path() / "ssmq-XXXXXX").string();
    path = ::mkdtemp(model.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;

  std::string operator/(const std::string &name) const { return (path / name).string(); }
  std::string str() const { return path.string(); }

  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return *this / name;
  }

  /// Names of what the folder holds.
  size_t count() const {
    return std::distance(std::filesystem::directory_iterator(path),
                         std::filesystem::directory_iterator());
  }

private:
  std::filesystem::path path;
};

inline std::string readAll(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The message of a failed result, "" of a good one.
template <typename T>
std::string getMessage(llvm::Expected<T> result) {
  return result ? "" : llvm::toString(result.takeError());
}
inline std::string getMessage(llvm::Error error) { return llvm::toString(std::move(error)); }

inline void expectMessage(const std::string &message, const std::string &part) {
  EXPECT_NE(message.find(part), std::string::npos)
      << "message: " << message << "\nexpected: " << part;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_SUPPORT_TEMPFOLDER_H
