"""An interpolated 5-gram model with modified Kneser-Ney smoothing.

The yardstick for the shipped model: trained on exactly the same token stream
and scored on the same held-out tokens. An n-gram is one 64-bit key (11 bits a
token), so counting is sorting and looking up is binary search.
"""

import numpy as np

ORDER = 5
BITS = 11


def keys_of(tokens, n):
    """The keys of all n-grams of the stream, oldest token in the high bits."""
    tokens = tokens.astype(np.int64)
    count = len(tokens) - n + 1
    keys = np.zeros(count, dtype=np.int64)
    for i in range(n):
        keys = (keys << BITS) | tokens[i:i + count]
    return keys


class Order:
    """The counts of one order, with the sums per context that smoothing needs."""

    def __init__(self, keys, counts):
        self.keys, self.counts = keys, counts
        n = [np.count_nonzero(counts == i) for i in range(5)]
        # Chen and Goodman's estimates of the three discounts.
        y = n[1] / (n[1] + 2 * n[2])
        self.discount = np.array([0.0] + [max(0.0, i - (i + 1) * y * n[i + 1] / n[i])
                                          for i in (1, 2, 3)])
        contexts = keys >> BITS
        first = np.flatnonzero(np.r_[True, contexts[1:] != contexts[:-1]])
        self.contexts = contexts[first]
        self.totals = np.add.reduceat(counts, first).astype(np.float64)
        taken = self.discount[np.minimum(counts, 3)]
        self.left = np.add.reduceat(taken, first) / self.totals

    @staticmethod
    def find(table, wanted):
        at = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
        return at, table[at] == wanted

    def interpolate(self, wanted, lower):
        """Probabilities of the wanted n-grams, given those of the order below."""
        at, seen = self.find(self.contexts, wanted >> BITS)
        key_at, key_seen = self.find(self.keys, wanted)
        count = np.where(key_seen, self.counts[key_at], 0)
        own = np.maximum(count - self.discount[np.minimum(count, 3)], 0) / self.totals[at]
        return np.where(seen, own + self.left[at] * lower, lower)


def train(tokens):
    """Orders 1 to ORDER. Below the highest, an n-gram counts once for every
    different token that precedes it, which is Kneser and Ney's idea."""
    keys, counts = np.unique(keys_of(tokens, ORDER), return_counts=True)
    orders = [Order(keys, counts)]
    for n in range(ORDER - 1, 0, -1):
        keys, counts = np.unique(keys & ((1 << BITS * n) - 1), return_counts=True)
        orders.append(Order(keys, counts))
    return orders[::-1]


def negative_log_likelihoods(orders, tokens, vocab):
    """One value (in nats) for every token but the first."""
    probability = np.full(len(tokens) - 1, 1.0 / vocab)
    for n, order in enumerate(orders, 1):
        # Shorter contexts serve the first tokens, which lack longer ones.
        start = max(n - 2, 0)
        wanted = keys_of(tokens, n)[1 if n == 1 else 0:]
        probability[start:] = order.interpolate(wanted, probability[start:])
    return -np.log(probability)
