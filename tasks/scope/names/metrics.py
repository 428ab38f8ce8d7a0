"""What the name of a metric says: its words, and which way is better."""

import re
from typing import Literal

MINIMIZED = r"loss|err|error|errors|perplexity|ppl|nll|mse|rmse|mae|bpc|bpb|bits|wer|cer|mape|fid|crossentropy|xent|ce"
MAXIMIZED = (
    r"acc|acc1|acc5|top1|top5|accuracy|f1|auc|auroc|roc|score|precision|recall|iou|miou|map|bleu|rouge|reward|return|"
    r"r2|dice|psnr|ssim|mcc|kappa|hits|ndcg|mrr|elo|success"
)
_PLAIN = r"score|rate|value|mean|avg|average|macro|micro|weighted|at|\d+"  # says nothing by itself, behind a metric


def metric_words(metric: str) -> list[str]:
    """The words of a name: `validLoss/top-1` is valid, loss, top, 1."""
    return re.findall(r"[a-z]+\d*|\d+", re.sub(r"(?<=[a-z]{2})(?=[A-Z])", "_", metric).lower())


def direction_of(metric: str) -> Literal["minimize", "maximize"] | None:
    """Which way is better, by the metric's name; None where the name does not say."""
    words = metric_words(metric)
    low, high = (any(re.fullmatch(pattern, w) for w in words) for pattern in (MINIMIZED, MAXIMIZED))
    return None if low == high else "minimize" if low else "maximize"


def sure_direction_of(metric: str) -> Literal["minimize", "maximize"] | None:
    """The same where it is beyond doubt: the last word says so (`error_rate`), and not one before it (`acc_drop`)."""
    words = [word for word in metric_words(metric) if not re.fullmatch(_PLAIN, word)]
    return direction_of(metric) if words and direction_of(words[-1]) else None
