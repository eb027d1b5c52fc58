//===- CsvReader.cpp - Lines of cells -------------------------------------===//

#include "CsvReader.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace ssmq;
using llvm::Expected;

Expected<std::vector<CsvTable::Line>> CsvTable::split(llvm::StringRef text, llvm::StringRef name) {
  std::vector<Line> lines;
  text.consume_front("\xef\xbb\xbf");
  size_t number = 1;
  while (!text.empty()) {
    Line &line = lines.emplace_back();
    line.number = number;
    for (bool atEnd = false; !atEnd;) {
      std::string &cell = line.cells.emplace_back();
      if (text.consume_front("\"")) {
        while (true) {
          size_t quote = text.find('"');
          if (quote == llvm::StringRef::npos)
            return makeError("{0}: line {1}: a quote is not closed", name, line.number);
          cell += text.take_front(quote);
          number += text.take_front(quote).count('\n');
          text = text.drop_front(quote + 1);
          if (!text.consume_front("\""))
            break;
          cell += '"';
        }
      } else {
        cell = text.take_until([](char c) { return c == ',' || c == '\n'; });
        text = text.drop_front(cell.size());
        if (llvm::StringRef(cell).ends_with("\r"))
          cell.pop_back();
      }
      if (text.consume_front(","))
        continue;
      text.consume_front("\r");
      if (!text.empty() && !text.consume_front("\n"))
        return makeError("{0}: line {1}: text after a closing quote", name, line.number);
      ++number;
      atEnd = true;
    }
    if (line.cells.size() == 1 && line.cells.front().empty())
      lines.pop_back();
  }
  return lines;
}

Expected<CsvTable> CsvTable::parse(llvm::StringRef text, llvm::StringRef name) {
  Expected<std::vector<Line>> lines = split(text, name);
  if (!lines)
    return lines.takeError();
  if (lines->empty())
    return makeError("{0}: the file is empty", name);
  CsvTable table;
  table.name = name.str();
  const std::vector<std::string> &titles = lines->front().cells;
  for (auto [i, title] : llvm::enumerate(titles))
    if (!table.columns.try_emplace(title, i).second)
      return makeError("{0}: the column {1} comes twice", name, quote(title));
  for (const Line &line : *lines)
    if (line.cells.size() != titles.size())
      return makeError("{0}: line {1} has {2} cells, and the first has {3}", name, line.number,
                       line.cells.size(), titles.size());
  lines->erase(lines->begin());
  table.lines = std::move(*lines);
  return table;
}

Expected<double> CsvTable::getNumber(size_t line, llvm::StringRef column) const {
  llvm::StringRef cell = get(line, column);
  double number = std::numeric_limits<double>::quiet_NaN();
  if (!cell.empty() && cell.getAsDouble(number))
    return makeError("{0}: {1} in column {2} is no number", getPlace(line), quote(cell),
                     quote(column));
  return number;
}

std::string CsvTable::getPlace(size_t line) const {
  return llvm::formatv("{0}: line {1}", name, lines[line].number).str();
}
