//===- CsvReader.h - Lines of cells -----------------------------*- C++ -*-===//
//
// RFC 4180: commas between cells, lines end in CRLF or LF, a cell in double quotes may hold commas,
// line breaks and doubled quotes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_ASSIGN_CSVREADER_H
#define SSMQ_LIB_ASSIGN_CSVREADER_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace ssmq {

class CsvTable {
public:
  /// `name` stands in messages. Fails on lines that differ in length from the first, and on a
  /// column that comes twice.
  static llvm::Expected<CsvTable> parse(llvm::StringRef text, llvm::StringRef name);

  size_t size() const { return lines.size(); }
  bool has(llvm::StringRef column) const { return columns.contains(column); }
  /// The cell of a column that there is.
  llvm::StringRef get(size_t line, llvm::StringRef column) const {
    return lines[line].cells[columns.lookup(column)];
  }
  /// NaN where the cell is empty; fails where it is no number.
  llvm::Expected<double> getNumber(size_t line, llvm::StringRef column) const;
  /// "FILE: line 7", as an editor counts.
  std::string getPlace(size_t line) const;

private:
  struct Line {
    size_t number;
    std::vector<std::string> cells;
  };
  static llvm::Expected<std::vector<Line>> split(llvm::StringRef text, llvm::StringRef name);

  std::string name;
  llvm::StringMap<size_t> columns;
  std::vector<Line> lines;
};

} // namespace ssmq

#endif // SSMQ_LIB_ASSIGN_CSVREADER_H
