//===- Profile.cpp - Times of the ops of compiled code --------------------===//

#include "ssmq/Runtime/Profile.h"

#include <chrono>
#include <utility>

using namespace ssmq;

static thread_local std::vector<ProfiledCall> calls;

int64_t ssmq::getProfileTime() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<ProfiledCall> ssmq::takeProfiledCalls() { return std::exchange(calls, {}); }

int64_t ssmq_profile_begin() { return getProfileTime(); }

void ssmq_profile_end(int64_t op, int64_t begin) { calls.push_back({op, begin, getProfileTime()}); }
