"""YOLOX's loss with its dynamic assignment, SimOTA (Ge et al., arXiv 2107.08430)."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import one_hot

from network import LABELS, decode


def area(boxes):
    """Width times height."""
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def overlaps(a, b):
    """IoU of every box of a with every box of b."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clamp(min=0).prod(2)
    return both / (area(a)[:, None] + area(b)[None] - both + 1e-9)


def generalised(a, b):
    """GIoU of paired boxes (Rezatofighi et al., CVPR 2019)."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    union = area(a) + area(b) - both + 1e-9
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1) + 1e-9
    return both / union - (hull - union) / hull


@torch.no_grad()
def assign(raw, boxes, cells, truth):
    """For one picture: the cells that answer for an object, their objects, and the IoU they reach."""
    middle = (cells[:, :2] + 0.5) * cells[:, 2:]
    within = ((middle[None] > truth[:, None, :2]) & (middle[None] < truth[:, None, 2:4])).all(2)
    centre = (truth[:, :2] + truth[:, 2:4]) / 2
    near = (middle[None] - centre[:, None]).abs().amax(2) < 2.0 * cells[None, :, 2]
    candidates = (within | near).any(0).nonzero().squeeze(1)
    iou = overlaps(truth[:, :4], boxes[candidates])
    scores = (raw[candidates, 5:].sigmoid() * raw[candidates, 4:5].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    wanted = one_hot(truth[:, 4].long(), len(LABELS)).float()
    guess = -(wanted[:, None] * scores.log()[None] + (1 - wanted[:, None]) * (1 - scores).log()[None]).sum(2)
    cost = guess - 3.0 * (iou + 1e-8).log() + 1e5 * ~(within & near)[:, candidates]
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    for row in range(len(truth)):
        best = iou[row].topk(min(10, len(candidates))).values.sum().int().clamp(min=1, max=len(candidates))
        chosen[row, cost[row].topk(int(best), largest=False).indices] = True
    # A cell that two objects want goes to the cheaper one.
    torn = chosen.sum(0) > 1
    if torn.any():
        winner = cost[:, torn].argmin(0)
        chosen[:, torn] = False
        chosen[winner, torn.nonzero().squeeze(1)] = True
    row, column = chosen.nonzero(as_tuple=True)
    return candidates[column], row, iou[row, column]


def loss(raw, cells, truths):
    """The loss of a batch: 5 * box + objectness + class, over the number of answering cells."""
    boxes = decode(raw, cells)
    wanted = torch.zeros_like(raw[..., 4])
    weight = torch.ones_like(wanted)
    total = raw.new_zeros(())
    answering = 0
    middle = (cells[:, :2] + 0.5) * cells[:, 2:]
    for i, truth in enumerate(truths):
        for ignored in truth[truth[:, 5] == 0]:
            weight[i] *= ~((middle > ignored[:2]) & (middle < ignored[2:4])).all(1)
        truth = truth[truth[:, 5] == 1]
        if not len(truth):
            continue
        cell, row, iou = assign(raw[i], boxes[i], cells, truth)
        wanted[i, cell], weight[i, cell] = 1.0, 1.0
        answering += len(cell)
        total = total + 5.0 * (1 - generalised(boxes[i, cell], truth[row, :4])).sum()
        classes = one_hot(truth[row, 4].long(), len(LABELS)) * iou[:, None]
        total = total + cross_entropy(raw[i, cell, 5:], classes, reduction="sum")
    total = total + (cross_entropy(raw[..., 4], wanted, reduction="none") * weight).sum()
    return total / max(answering, 1)
