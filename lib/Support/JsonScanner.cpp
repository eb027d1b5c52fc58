//===- JsonScanner.cpp - Strict JSON, one token at a time -----------------===//

#include "ssmq/Support/JsonScanner.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include <cmath>
#include <cstdlib>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

char JsonScanner::peek() {
  while (position < text.size() && StringRef(" \t\n\r").contains(text[position]))
    ++position;
  return position < text.size() ? text[position] : 0;
}

Error JsonScanner::fail(const Twine &message) const {
  StringRef before = text.take_front(position);
  size_t line = before.count('\n') + 1;
  size_t column = before.size() - (before.rfind('\n') + 1) + 1; // npos + 1 is 0
  return makeError("{0}:{1}:{2}: {3}", name, line, column, message.str());
}

Error JsonScanner::expect(char c) {
  char next = peek();
  if (next != c || position == text.size())
    return position == text.size()
               ? fail("the text ends where '" + Twine(c) + "' should stand")
               : fail("expected '" + Twine(c) + "', found " + quote(text.substr(position, 1)));
  ++position;
  return Error::success();
}

Error JsonScanner::enter(char open) {
  if (Error error = expect(open))
    return error;
  if (++depth > maxDepth)
    return fail("nested deeper than " + Twine(maxDepth) + " levels");
  return Error::success();
}

namespace {
/// The keys of one object; most objects have a handful, for which a table costs more than a search.
class KeySet {
public:
  /// False when the key is there already.
  bool insert(StringRef key) {
    if (table.empty() && few.size() < 8) {
      if (llvm::is_contained(few, key))
        return false;
      few.push_back(key.str());
      return true;
    }
    if (table.empty())
      table.insert(few.begin(), few.end());
    return table.insert(key).second;
  }

private:
  std::vector<std::string> few;
  llvm::StringSet<> table;
};
} // namespace

Error JsonScanner::readObject(llvm::function_ref<Error(StringRef)> member) {
  if (Error error = enter('{'))
    return error;
  KeySet keys;
  for (bool first = true; peek() != '}'; first = false) {
    if (!first)
      if (Error error = expect(','))
        return error;
    Expected<std::string> key = readString();
    if (!key)
      return key.takeError();
    if (!keys.insert(*key))
      return fail("key " + quote(*key) + " occurs twice");
    if (Error error = expect(':'))
      return error;
    if (Error error = member(*key))
      return error;
  }
  ++position;
  --depth;
  return Error::success();
}

Error JsonScanner::readArray(llvm::function_ref<Error()> element) {
  if (Error error = enter('['))
    return error;
  for (bool first = true; peek() != ']'; first = false) {
    if (!first)
      if (Error error = expect(','))
        return error;
    if (Error error = element())
      return error;
  }
  ++position;
  --depth;
  return Error::success();
}

Expected<std::string> JsonScanner::readString() {
  if (Error error = expect('"'))
    return std::move(error);
  size_t begin = position;
  bool escaped = false;
  for (; position < text.size() && text[position] != '"'; ++position) {
    if (static_cast<unsigned char>(text[position]) < 0x20)
      return fail("a control character stands in a string");
    if (text[position] == '\\') {
      escaped = true;
      ++position;
    }
  }
  if (position >= text.size()) {
    position = text.size();
    return fail("the text ends inside a string");
  }
  ++position;
  StringRef body = text.slice(begin, position - 1);
  bool plain = llvm::json::isUTF8(body);
  if (!escaped && plain)
    return body.str();
  // A lone string has no depth: the parser of LLVM knows the escapes.
  Expected<llvm::json::Value> value = llvm::json::parse(text.slice(begin - 1, position));
  if (!value) {
    llvm::consumeError(value.takeError());
    position = begin;
    return fail(plain ? "a string holds an escape that JSON does not know"
                      : "a string is not valid UTF-8");
  }
  return value->getAsString()->str();
}

Expected<StringRef> JsonScanner::readNumber() {
  peek();
  size_t begin = position;
  auto skipDigits = [&] {
    size_t start = position;
    while (position < text.size() && llvm::isDigit(text[position]))
      ++position;
    return position - start;
  };
  auto accept = [&](StringRef characters) {
    bool found = position < text.size() && characters.contains(text[position]);
    position += found;
    return found;
  };
  accept("-");
  size_t integer = position;
  size_t digits = skipDigits();
  bool valid = digits == 1 || (digits > 1 && text[integer] != '0');
  bool fraction = accept(".");
  if (fraction)
    valid &= skipDigits() > 0;
  bool exponent = accept("eE");
  if (exponent) {
    accept("+-");
    valid &= skipDigits() > 0;
  }
  StringRef number = text.slice(begin, position);
  if (!valid) {
    position = begin;
    return fail("expected a value, found " + quote(text.substr(begin).take_until([](char c) {
                  return StringRef(" \t\r\n,]}").contains(c);
                })));
  }
  // Fewer than 300 digits without an exponent always fit a double.
  if ((exponent || number.size() > 300) && std::isinf(std::strtod(number.str().c_str(), nullptr))) {
    position = begin;
    return fail("number " + quote(number) + " is out of range");
  }
  return number;
}

Expected<int64_t> JsonScanner::readUnsigned() {
  Expected<StringRef> number = readNumber();
  if (!number)
    return number.takeError();
  uint64_t value;
  if (number->getAsInteger(10, value) || value > static_cast<uint64_t>(INT64_MAX)) {
    position -= number->size();
    return fail("expected a whole number from 0 to 2^63 - 1, found " + quote(*number));
  }
  return static_cast<int64_t>(value);
}

Error JsonScanner::readWord(StringRef word) {
  if (!text.substr(position).starts_with(word))
    return readNumber().takeError();
  position += word.size();
  return Error::success();
}

Error JsonScanner::skipValue() {
  switch (peek()) {
  case '{': return readObject([&](StringRef) { return skipValue(); });
  case '[': return readArray([&] { return skipValue(); });
  case '"': return readString().takeError();
  case 't': return readWord("true");
  case 'f': return readWord("false");
  case 'n': return readWord("null");
  }
  if (position == text.size())
    return fail("the text ends where a value should stand");
  StringRef rest = text.substr(position);
  if (infinities && (rest.consume_front("-"), rest.consume_front("Infinity"))) {
    position = text.size() - rest.size();
    infinities->push_back(position - StringRef("Infinity").size());
    return Error::success();
  }
  return readNumber().takeError();
}

Error JsonScanner::readEnd() {
  if (peek(); position != text.size())
    return fail("expected the end of the text, found " + quote(text.substr(position, 1)));
  return Error::success();
}
