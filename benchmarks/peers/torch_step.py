"""The same LA training step in eager PyTorch: channels last, autocast, all cores.

Needs torch and numpy, and neither TensorFlow nor `vie_tf`.
"""

from __future__ import annotations

from typing import Callable

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import measurement
from benchmarks.peers.measurement import Call, Case
from benchmarks.peers.torch_model import Embedder, put_channels_last

DTYPES = {
    "float32": torch.float32,
    "mixed_bfloat16": torch.bfloat16,
    "mixed_float16": torch.float16,
}


def make_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """SGD with weight decay of everything but batch norm."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for module in model.modules():
        is_decayed = not isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d))
        groups[is_decayed].extend(module.parameters(recurse=False))
    return torch.optim.SGD(
        [
            {"params": groups[True], "weight_decay": measurement.WEIGHT_DECAY},
            {"params": groups[False], "weight_decay": 0.0},
        ],
        measurement.LEARNING_RATE,
        measurement.MOMENTUM,
    )


def make_step(case: Case, model: Embedder) -> Callable[[], float]:
    """Makes a call that takes a step on a ready batch and returns the loss.

    The loss has no term of weight decay, which is left to the optimizer.
    """
    device = model.mean.device
    optimizer = make_optimizer(model)
    scaler = torch.amp.GradScaler(
        device.type, enabled=case.precision == "mixed_float16"
    )
    clips, rows = (torch.from_numpy(x).to(device) for x in (case.clips(), case.rows()))
    bank = torch.from_numpy(case.bank_rows()).to(device)  # [N, D]
    labels = torch.from_numpy(case.cluster_labels()).to(device)  # [N]

    def la_loss(embeddings: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            nearest = (embeddings @ bank.T).topk(case.background).indices  # [B, K]
        is_close = labels[nearest] == labels[rows][:, None]
        similarities = torch.einsum("bkd,bd->bk", bank[nearest], embeddings)
        exponentials = torch.exp(similarities / measurement.TEMPERATURE)
        close = torch.where(is_close, exponentials, 0.0).sum(1)
        return -torch.log(close / exponentials.sum(1) + 1e-7).mean()

    def train_step() -> float:
        model.train()
        optimizer.zero_grad(set_to_none=True)
        embeddings = model(clips)  # [B, D]
        loss = la_loss(embeddings)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        with torch.no_grad():
            new = torch.lerp(embeddings, bank[rows], measurement.BANK_MOMENTUM)
            bank[rows] = functional.normalize(new, dim=1)
        return loss.item()  # waits for all that was queued on the device

    return train_step


def make_calls(case: Case, is_compiled: bool = False) -> tuple[Call, Call]:
    """Makes inference and training step; see `measurement.run`.

    Args:
      case: network, precision and sizes.
      is_compiled: whether the network goes through `torch.compile`.
    """
    torch.set_num_threads(case.num_threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Embedder(case.model, DTYPES[case.precision]).to(device)
    put_channels_last(model)
    if is_compiled:
        model.compile()  # in place: the module stays what the optimizer reads
    clips = torch.from_numpy(case.clips()).to(device)

    def embed() -> torch.Tensor:
        model.eval()
        with torch.inference_mode():
            return model(clips).cpu()

    return embed, make_step(case, model)


if __name__ == "__main__":
    measurement.run(make_calls)
