//===- JsonTest.cpp - Strict JSON -----------------------------------------===//

#include "ssmq/Support/Json.h"
#include "TempFolder.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

TEST(Json, GoodTextsAreRead) {
  for (const char *text :
       {"{}", " [ ] ", "null", "-0.5e-3", "0", R"({"a": [1, {"b": "\u00e4\n"}], "c": true})",
        "[1e308, -1e308, 1e-400]", "\"\\ud83d\\ude00\""})
    EXPECT_EQ(getMessage(parseJson(text, "x")), "") << text;
  std::string siblings = "[{}";
  for (int i = 0; i < 100; ++i)
    siblings += ",{},[]";
  EXPECT_EQ(getMessage(parseJson(siblings + "]", "x")), "");
  EXPECT_EQ(getMessage(parseJson(std::string(64, '[') + std::string(64, ']'), "x")), "");
}

TEST(Json, BadTextsAreRefusedWhereTheyAreBad) {
  const std::pair<std::string, const char *> cases[] = {
      {"", "x:1:1: the text ends where a value"},
      {"{\n  \"a\": tru\n}", "x:2:8: expected a value, found 'tru'"},
      {"[1 2]", "x:1:4: expected ',', found '2'"},
      {"[1,]", "x:1:4: expected a value, found ''"},
      {"{\"a\":1,}", "expected '\"', found '}'"},
      {"{a:1}", "expected '\"', found 'a'"},
      {"{\"a\" 1}", "expected ':', found '1'"},
      {"1 2", "expected the end of the text"},
      {"[007]", "expected a value, found '007'"},
      {"[1.]", "expected a value, found '1.'"},
      {"[.5]", "expected a value, found '.5'"},
      {"[+1]", "expected a value, found '+1'"},
      {"[-]", "expected a value, found '-'"},
      {"[1e]", "expected a value, found '1e'"},
      {"[1e400]", "number '1e400' is out of range"},
      {"[" + std::string(400, '9') + "]", "is out of range"},
      {"[NaN]", "expected a value, found 'NaN'"},
      {"[Infinity]", "expected a value, found 'Infinity'"},
      {"\"\\x\"", "an escape that JSON does not know"},
      {"\"a\nb\"", "a control character"},
      {"\"\xff\"", "not valid UTF-8"},
      {"\"a", "the text ends inside a string"},
      {"\"a\\", "the text ends inside a string"},
      {R"({"a":1,"\u0061":2})", "key 'a' occurs twice"},
      {R"([{"b":{"a":1,"a":2}}])", "key 'a' occurs twice"},
      {std::string(65, '[') + std::string(65, ']'), "nested deeper than 64"},
      {std::string(1000000, '['), "nested deeper than 64"},
      {std::string("[1]\0", 4), "expected the end of the text"},
  };
  for (const auto &[text, message] : cases) {
    SCOPED_TRACE(text.substr(0, 80));
    expectMessage(getMessage(parseJson(text, "x")), message);
  }
  JsonOptions small;
  small.maxBytes = 3;
  expectMessage(getMessage(parseJson("[1, 2]", "x", small)), "6 bytes of JSON are more than the 3");
}

TEST(Json, InfinityIsTakenWhereItIsAllowed) {
  JsonOptions options;
  options.acceptInfinity = true;
  auto json = parseJson(R"({"Infinity": [-Infinity, Infinity, "-Infinity", 1]})", "x", options);
  ASSERT_EQ(getMessage(json.takeError()), "");
  const llvm::json::Array &array = *json->getAsObject()->getArray("Infinity");
  EXPECT_EQ(array[0].getAsNumber(), -HUGE_VAL);
  EXPECT_EQ(array[1].getAsNumber(), HUGE_VAL);
  EXPECT_EQ(array[2].getAsString(), llvm::StringRef("-Infinity"));
  expectMessage(getMessage(parseJson("[Infinityx]", "x", options)), "expected ','");
  expectMessage(getMessage(parseJson("[1e400]", "x", options)), "out of range");
}

TEST(Json, ReaderKeepsTheFirstProblem) {
  llvm::json::Value json = *parseJson(R"({"n": 5, "s": "text", "l": ["a"], "b": true})", "x");
  JsonReader reader(json, "file");
  int64_t number = 1, missing = 7;
  std::string text;
  bool flag = false;
  std::vector<std::string> list;
  reader.read("n", number, 0, 5);
  reader.read("none", missing, 0, 1);
  reader.read("s", text);
  reader.read("b", flag);
  reader.read("l", list);
  EXPECT_FALSE(reader.hasFailed());
  EXPECT_EQ(number, 5);
  EXPECT_EQ(missing, 7);
  EXPECT_EQ(text, "text");
  EXPECT_TRUE(flag);
  EXPECT_EQ(list, std::vector<std::string>{"a"});
  reader.read("n", number, 6, 9);
  reader.read("s", number, 0, 9);
  EXPECT_TRUE(reader.hasFailed());
  EXPECT_EQ(getMessage(reader.takeError()), "file: key 'n' is 5; it must be from 6 to 9");
}

TEST(Json, TokenFiles) {
  TempFolder folder;
  auto tokens = readTokenFile(folder.write("a", "[0, 2147483647,\n 5]\n"));
  ASSERT_EQ(getMessage(tokens.takeError()), "");
  EXPECT_EQ(*tokens, (std::vector<int32_t>{0, 2147483647, 5}));
  EXPECT_TRUE(llvm::cantFail(readTokenFile(folder.write("a", "[]"))).empty());
  const std::pair<const char *, const char *> cases[] = {
      {"", "the text ends where '['"},      {"{}", "expected '['"},
      {"[2147483648]", "not below 2^31"},   {"[-1]", "expected a whole number"},
      {"[1.0]", "expected a whole number"}, {"[1", "the text ends"},
      {"[1] 2", "expected the end"},        {"[\"a\"]", "expected a value"},
  };
  for (const auto &[text, message] : cases) {
    SCOPED_TRACE(text);
    expectMessage(getMessage(readTokenFile(folder.write("a", text))), message);
  }
}

TEST(Json, DuplicatesAreFoundInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 20; ++i)
    text += "\"k" + std::to_string(i) + "\":0,";
  for (const char *key : {"k0", "k7", "k8", "k19"})
    expectMessage(getMessage(parseJson(text + "\"" + key + "\":0}", "x")), "occurs twice");
  EXPECT_EQ(getMessage(parseJson(text + "\"k20\":0}", "x")), "");
}
