#!/usr/bin/env python3
"""Train yard-nano: train.py --train FOLDER... --test FOLDER --out model.pt

The folders are what `karaul-scene dataset` writes. Deterministic for one machine and one number of threads.
"""
import argparse
import copy
import math
import time

import torch

import data
from evaluate import average_precision
from loss import loss
from network import LABELS, YardNano, grid


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--start", help="weights to go on from")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    random = torch.Generator().manual_seed(1)
    pictures, truths = data.load(options.train, spoil=True, seed=1)
    network = YardNano().to(memory_format=torch.channels_last)
    print(f"{sum(p.numel() for p in network.parameters())} parameters, {len(pictures)} pictures", flush=True)
    if options.start:
        network.load_state_dict(torch.load(options.start))
    average = copy.deepcopy(network).eval()
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=options.rate)
    cells = grid(data.HEIGHT, data.WIDTH)
    per_epoch = len(pictures) // options.batch
    steps, step, begun = options.epochs * per_epoch, 0, time.time()
    for epoch in range(options.epochs):
        network.train()
        order = torch.randperm(len(pictures), generator=random)
        sum_of_losses = 0.0
        for start in range(0, per_epoch * options.batch, options.batch):
            chosen = order[start : start + options.batch]
            batch, wanted = data.vary(pictures[chosen], [truths[i] for i in chosen], random)
            # Half a period of cosine after a short rise.
            rise = min(1.0, (step + 1) / 200)
            for group in optimiser.param_groups:
                group["lr"] = options.rate * rise * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
            raw = network((batch / 255).contiguous(memory_format=torch.channels_last))
            value = loss(raw, cells, wanted)
            optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimiser.step()
            step += 1
            keep = min(0.998, step / (step + 20))
            with torch.no_grad():
                for mean, now in zip(average.state_dict().values(), network.state_dict().values()):
                    mean.mul_(keep).add_(now, alpha=1 - keep) if mean.is_floating_point() else mean.copy_(now)
            sum_of_losses += value.item()
        print(f"epoch {epoch + 1}/{options.epochs}: loss {sum_of_losses / per_epoch:.3f}, {time.time() - begun:.0f} s", flush=True)
        torch.save(average.state_dict(), options.out)
        if epoch % 5 == 4 or epoch + 1 == options.epochs:
            found = average_precision(average, *data.load([options.test], spoil=False, seed=2))
            print("  AP50 on other scenes: " + ", ".join(f"{k} {v:.3f}" for k, v in zip(LABELS, found)), flush=True)


if __name__ == "__main__":
    main()
