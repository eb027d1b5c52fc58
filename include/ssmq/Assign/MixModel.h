//===- MixModel.h - KL near a measured mix ----------------------*- C++ -*-===//
//
// Sums of single-site KL miss what sites do to each other. Around a measured base mix B with
// formats b,
//   KL(x) = KL(B) + sum_s c'_s(x_s) + sum_{s<t} p_st (1 - a_s(x_s)) (1 - a_t(x_t)),
// where
//   a_s(f) = sqrt(c_s(f) / c_s(b_s)), the error of a format by the table, relative to b_s;
//   c'_s(f) = KL(B with f at s) - KL(B), where that is measured; else, from m_s, which is KL(B)
//   less
//       KL(B with s at full precision), c_s(f) - c_s(b_s) + (m_s - c_s(b_s)) (a_s(f) - 1): an error
//       costs its square, as in the table, and what it does together with the errors of the base,
//       which is linear in it;
//   p_st = KL(B) - KL(B, s full) - KL(B, t full) + KL(B, s and t full).
// To second order in the errors this is exact for formats whose errors point the same way.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_MIXMODEL_H
#define SSMQ_ASSIGN_MIXMODEL_H

#include "ssmq/Assign/Choices.h"
#include <map>

namespace ssmq {

/// Of each site of a problem, the index of what it takes.
using MixChoices = std::vector<size_t>;

/// Measured around a base mix, in nats a token.
struct Marginals {
  MixChoices base;
  double baseKL = 0;
  /// KL of the base with a site at full precision.
  std::map<size_t, double> restored = {};
  /// With two sites, the lower first.
  std::map<std::pair<size_t, size_t>, double> bothRestored = {};
  /// With another choice at a site.
  std::map<std::pair<size_t, size_t>, double> changed = {};
};

class MixModel {
public:
  /// Takes the costs of the problem as those of single sites. Both must outlive this.
  MixModel(const AssignmentProblem &problem, const Marginals &marginals);

  double predict(const MixChoices &choices) const;
  /// The problem whose costs are c'_s(f) and what the pair terms of s add when all other sites
  /// are as in `at`, less the smallest of the site: costs are never negative.
  AssignmentProblem linearize(const MixChoices &at) const;
  /// Without pair terms.
  AssignmentProblem linearize() const;
  /// Whether the KL of the base with this choice was measured.
  bool isMeasured(size_t site, size_t choice) const;

private:
  double getChange(size_t site, size_t choice) const;
  double getAmplitude(size_t site, size_t choice) const;

  const AssignmentProblem &problem;
  const Marginals &marginals;
  /// p_st.
  std::map<std::pair<size_t, size_t>, double> pairs;
};

} // namespace ssmq

#endif // SSMQ_ASSIGN_MIXMODEL_H
