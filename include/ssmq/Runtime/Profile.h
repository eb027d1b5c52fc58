//===- Profile.h - Times of the ops of compiled code ------------*- C++ -*-===//
//
// A program lowered with `profile` calls ssmq_profile_begin before and ssmq_profile_end after each
// kernel of an entry. The calls of a thread are kept until it takes them.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_PROFILE_H
#define SSMQ_RUNTIME_PROFILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace ssmq {

/// What an op is and does in a call of its entry with T tokens when P came before: bytes that it
/// reads and writes are bytes + T bytesPerToken + (P + T) bytesPerPosition, multiply-adds are
/// multiplyAdds + T multiplyAddsPerToken + (pairs of a token and an earlier or equal one)
/// multiplyAddsPerPair.
struct ProfiledOp {
  /// prefill, decode, ...; the op's path in the model; linear, elementwise, ...; the function.
  std::string entry, path, kind, kernel;
  int64_t bytes = 0, bytesPerToken = 0, bytesPerPosition = 0;
  int64_t multiplyAdds = 0, multiplyAddsPerToken = 0, multiplyAddsPerPair = 0;

  int64_t getBytes(int64_t tokens, int64_t position) const {
    return bytes + tokens * bytesPerToken + (position + tokens) * bytesPerPosition;
  }
  int64_t getMultiplyAdds(int64_t tokens, int64_t position) const {
    int64_t pairs = tokens * position + tokens * (tokens + 1) / 2;
    return multiplyAdds + tokens * multiplyAddsPerToken + pairs * multiplyAddsPerPair;
  }
};

/// One execution of op number `op`, in nanoseconds of a steady clock.
struct ProfiledCall {
  int64_t op, begin, end;
};

/// The clock of ProfiledCall.
int64_t getProfileTime();

/// The calls that this thread made since it last asked.
std::vector<ProfiledCall> takeProfiledCalls();

} // namespace ssmq

// NOLINTBEGIN(readability-identifier-naming): C names, as the others of the runtime
extern "C" int64_t ssmq_profile_begin();
extern "C" void ssmq_profile_end(int64_t op, int64_t begin);
// NOLINTEND(readability-identifier-naming)

#endif // SSMQ_RUNTIME_PROFILE_H
