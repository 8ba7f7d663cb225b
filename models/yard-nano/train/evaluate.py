"""Average precision at IoU 0.5, area under the interpolated curve (PASCAL VOC 2010)."""

import numpy as np
import torch

import data
from loss import overlaps
from network import LABELS, decode, grid


def suppress(boxes, scores, iou=0.45):
    """Indices of the boxes that no better one overlaps."""
    order, kept = scores.argsort(descending=True), []
    table = overlaps(boxes, boxes)
    for i in order.tolist():
        if all(table[i, k] <= iou for k in kept):
            kept.append(i)
    return kept


@torch.no_grad()
def average_precision(network, pictures, truths, least=0.02):
    """AP50 of each class. Objects that do not count (hardly visible) are neither missed nor wrong."""
    cells = grid(data.HEIGHT, data.WIDTH)
    found, wanted = [[] for _ in LABELS], [0] * len(LABELS)
    for start in range(0, len(pictures), 16):
        raw = network(data.plain(pictures[start : start + 16]) / 255)
        for boxes, row, truth in zip(decode(raw, cells), raw, truths[start : start + 16]):
            scores = row[:, 5:].sigmoid() * row[:, 4:5].sigmoid()
            for label in range(len(LABELS)):
                mine = truth[truth[:, 4] == label]
                wanted[label] += int(mine[:, 5].sum())
                some = (scores[:, label] > least).nonzero().squeeze(1)
                kept = some[suppress(boxes[some], scores[some, label])]
                taken = set()
                for cell in kept.tolist():
                    iou = overlaps(boxes[cell : cell + 1], mine[:, :4])[0]
                    order = [k for k in iou.argsort(descending=True).tolist() if iou[k] >= 0.5 and k not in taken]
                    if order and not mine[order[0], 5]:
                        continue
                    taken.update(order[:1])
                    found[label].append((float(scores[cell, label]), bool(order)))
    results = []
    for rows, count in zip(found, wanted):
        right = np.array([hit for _, hit in sorted(rows, key=lambda r: -r[0])], float)
        recall = right.cumsum() / max(count, 1)
        precision = np.maximum.accumulate((right.cumsum() / np.arange(1, len(right) + 1))[::-1])[::-1]
        results.append(float((np.diff(recall, prepend=0.0) * precision).sum()))
    return results
