"""What `ssmq eval` prints: the statistics of llama-perplexity --kl-divergence, then ours."""

import json
import math
from collections.abc import Sequence

from .program import Estimate, Evaluation, Quantile
from .report import with_error


def to_text(result: Evaluation, labelled: bool = False) -> str:
    if labelled:
        return _classification(result)
    head = (f"scored {result.num_scored} tokens in {result.num_sequences} sequences, "
            "all but the first of each; ± is the standard error over sequences")
    if not result.has_teacher:
        return f"{head}\nperplexity          {with_error(result.perplexity, 3)}"
    blocks = [_perplexity(result), _divergence(result), _probability(result), _logits(result)]
    return "\n\n".join([head, *("\n".join(block) for block in blocks)])


def _classification(result: Evaluation) -> str:
    lines = [f"scored {result.num_scored} sequences; ± is the standard error over them",
             "accuracy            %6.2f%% ± %.2f%%" % _percent(result.accuracy),
             f"cross-entropy       {with_error(result.cross_entropy, 4)}"]
    if result.has_teacher:
        lines += ["change of accuracy  %6.2f%% ± %.2f%%" % _percent(result.accuracy_change),
                  "same class          %6.2f%% ± %.2f%%" % _percent(result.same_top1),
                  "KL(base||Q)         %.4e ± %.1e nats" % (result.forward_kl.mean,
                                                            result.forward_kl.standard_error)]
    return "\n".join(lines)


# Blocks, fields and widths are those of llama-perplexity, whose output people parse; where it
# prints no error, ours stands behind.
def _perplexity(result: Evaluation) -> list[str]:
    return ["====== Perplexity statistics ======",
            "Mean PPL(Q)                   : " + _pair(result.perplexity),
            "Mean PPL(base)                : " + _pair(result.teacher_perplexity),
            "Cor(ln(PPL(Q)), ln(PPL(base))): %6.2f%% ± %.2f%%"
            % _percent(result.cross_entropy_correlation),
            "Mean ln(PPL(Q)/PPL(base))     : " + _pair(result.cross_entropy_change),
            "Mean PPL(Q)/PPL(base)         : " + _pair(result.perplexity_ratio),
            "Mean PPL(Q)-PPL(base)         : " + _pair(result.perplexity_change)]


def _divergence(result: Evaluation) -> list[str]:
    return ["====== KL divergence statistics ======",
            "Mean    KLD: " + _pair(result.forward_kl),
            *(f"{_level(one)} KLD: {_pair(one.value)}" for one in result.forward_kl_quantiles)]


def _probability(result: Evaluation) -> list[str]:
    return ["====== Token probability statistics ======",
            "Mean    Δp: %6.3f ± %5.3f %%" % _percent(result.probability_change),
            *(f"{_level(one)} Δp: " + "%6.3f%% ± %5.3f%%" % _percent(one.value)
              for one in result.probability_change_quantiles),
            "RMS Δp    : %6.3f ± %5.3f %%" % _percent(result.rms_probability_change),
            "Same top p: %6.3f ± %5.3f %%" % _percent(result.same_top1)]


def _logits(result: Evaluation) -> list[str]:
    def small(estimate: Estimate) -> str:
        return "%11.4e ± %.1e" % (estimate.mean, estimate.standard_error)

    return ["====== Logit statistics ======",
            f"Mean KL(base||Q): {small(result.forward_kl)} nats",
            f"Mean KL(Q||base): {small(result.reverse_kl)} nats",
            f"Mean squared err: {small(result.mean_squared_error)}",
            "SQNR            : %11.3f ± %.3f dB" % (result.signal_to_noise.mean,
                                                     result.signal_to_noise.standard_error)]


def _pair(estimate: Estimate) -> str:
    return "%10.6f ± %10.6f" % (estimate.mean, estimate.standard_error)


def _percent(estimate: Estimate) -> tuple[float, float]:
    return 100 * estimate.mean, 100 * estimate.standard_error


def _level(quantile: Quantile) -> str:
    names = {1: "Maximum", 0.5: "Median ", 0: "Minimum"}
    return names.get(quantile.level) or "%4.1f%%  " % (100 * quantile.level)


def to_json(result: Evaluation) -> str:
    value = {"sequences": result.num_sequences, "scored_tokens": result.num_scored,
             "scored_positions": "all but the first of each sequence",
             "perplexity": _fields(result.perplexity),
             "cross_entropy": _fields(result.cross_entropy),
             "accuracy": _fields(result.accuracy)}
    if result.has_teacher:
        value |= {"teacher_perplexity": _fields(result.teacher_perplexity),
                  "perplexity_ratio": _fields(result.perplexity_ratio),
                  "perplexity_change": _fields(result.perplexity_change),
                  "cross_entropy_change": _fields(result.cross_entropy_change),
                  "cross_entropy_correlation": _fields(result.cross_entropy_correlation),
                  "kl_teacher_student": _fields(result.forward_kl),
                  "kl_student_teacher": _fields(result.reverse_kl),
                  "mean_squared_error": _fields(result.mean_squared_error),
                  "signal_to_noise_db": _fields(result.signal_to_noise),
                  "probability_change": _fields(result.probability_change),
                  "rms_probability_change": _fields(result.rms_probability_change),
                  "same_top1": _fields(result.same_top1),
                  "accuracy_change": _fields(result.accuracy_change),
                  "kl_teacher_student_quantiles": _quantiles(result.forward_kl_quantiles),
                  "probability_change_quantiles": _quantiles(result.probability_change_quantiles)}
    return json.dumps(value, indent=1)


def _fields(estimate: Estimate) -> dict[str, float | None]:
    # JSON has no NaN (one sequence) and no infinity (nothing differs).
    return {"mean": _finite(estimate.mean), "standard_error": _finite(estimate.standard_error)}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _quantiles(quantiles: Sequence[Quantile]) -> list[dict]:
    return [{"level": one.level} | _fields(one.value) for one in quantiles]
