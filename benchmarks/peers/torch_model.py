"""The networks of the registry in PyTorch, written as its own guides recommend.

Needs torch and numpy, and neither TensorFlow nor `vie_tf`.
"""

from __future__ import annotations

from typing import Callable

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import measurement
from benchmarks.peers.measurement import DIM

Triple = tuple[int, int, int]  # frames, height, width; 2-D layers drop the first

# Frames seen by both convolutions of a block, for each stage.
FRAMES = ((1, 1),) * 4
DENSE = ((3, 3),) * 4
SLOW = ((1, 1), (1, 1), (3, 1), (3, 1))
FAST = ((3, 1),) * 4
NUM_BLOCKS = 2  # of a stage of ResNet-18


def conv(
    axes: int, inputs: int, filters: int, kernel: Triple, strides: Triple = (1, 1, 1)
) -> nn.Module:
    """Makes a convolution without bias of `axes` (2 or 3) axes."""
    layer = {2: nn.Conv2d, 3: nn.Conv3d}[axes]
    size = kernel[-axes:]
    margins = tuple((length - 1) // 2 for length in size)
    return layer(inputs, filters, size, strides[-axes:], margins, bias=False)


def norm(axes: int, channels: int) -> nn.Module:
    """Makes a batch norm; PyTorch's momentum is the weight of the new value."""
    layer = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[axes]
    return layer(channels, measurement.BN_EPSILON, 1 - measurement.BN_MOMENTUM)


def max_pool(axes: int, frames: int, time_stride: int) -> nn.Module:
    """Makes a maximum over `frames` x 3 x 3; `ceil_mode` pads as TensorFlow's SAME."""
    layer = {2: nn.MaxPool2d, 3: nn.MaxPool3d}[axes]
    size, strides = (frames, 3, 3), (time_stride, 2, 2)
    # Three frames are padded at the end, one frame not at all.
    return layer(size[-axes:], strides[-axes:], ceil_mode=True)


class Block(nn.Module):
    """Pre-activation block of two convolutions."""

    def __init__(
        self,
        axes: int,
        inputs: int,
        filters: int,
        frames: tuple[int, int],
        strides: Triple,
        project: bool,
    ) -> None:
        super().__init__()
        self.norm1 = norm(axes, inputs)
        self.projection = None
        if project:
            self.projection = conv(axes, inputs, filters, (1, 1, 1), strides)
        self.conv1 = conv(axes, inputs, filters, (frames[0], 3, 3), strides)
        self.norm2 = norm(axes, filters)
        self.conv2 = conv(axes, filters, filters, (frames[1], 3, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Adds a residual."""
        activated = functional.relu(self.norm1(features), inplace=True)
        shortcut = features if self.projection is None else self.projection(activated)
        residual = functional.relu(self.norm2(self.conv1(activated)), inplace=True)
        return self.conv2(residual) + shortcut


def stage(
    axes: int, inputs: int, filters: int, frames: tuple[int, int], strides: Triple
) -> nn.Sequential:
    """Makes two blocks; the first one projects its shortcut and strides."""
    first = Block(axes, inputs, filters, frames, strides, project=True)
    rest = [
        Block(axes, filters, filters, frames, (1, 1, 1), project=False)
        for _ in range(NUM_BLOCKS - 1)
    ]
    return nn.Sequential(first, *rest)


class ResNet(nn.Module):
    """ResNet-18 v2 without its head; `laterals` are channels that a stage is given."""

    def __init__(
        self,
        axes: int,
        frames: tuple[tuple[int, int], ...],
        stem_frames: int = 1,
        pool_frames: int = 1,
        time_stride: int = 1,
        width: int = 64,
        laterals: tuple[int, ...] = (0,) * 5,
    ) -> None:
        super().__init__()
        self.stem = conv(axes, 3, width, (stem_frames, 7, 7), (1, 2, 2))
        self.pool = max_pool(axes, pool_frames, time_stride)
        stages, channels = [], width + laterals[0]
        for number in range(4):
            strides = (time_stride, 2, 2) if number else (1, 1, 1)
            filters = width * 2**number
            stages.append(stage(axes, channels, filters, frames[number], strides))
            channels = filters + laterals[number + 1]
        self.stages = nn.ModuleList(stages)
        self.final_norm = norm(axes, channels)

    def finish(self, features: torch.Tensor) -> torch.Tensor:
        """Batch norm, ReLU and the mean over positions and frames in float32."""
        features = functional.relu(self.final_norm(features), inplace=True)
        return features.float().flatten(2).mean(2)  # [B, C]

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """[B, 3, (T,) H, W] to [B, C]."""
        features = self.pool(self.stem(clips))
        for each in self.stages:
            features = each(features)
        return self.finish(features)


class FrameByFrame(nn.Module):
    """Frames one by one, then next to each other: [B, 3, T, H, W] to [B, T * C]."""

    def __init__(self) -> None:
        super().__init__()
        self.of_frames = ResNet(2, FRAMES)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Folds time into the batch; no copy, as the clips are channels last."""
        frames = clips.transpose(1, 2).flatten(0, 1)  # [B * T, 3, H, W]
        return self.of_frames(frames).reshape(len(clips), -1)


class SlowFast(nn.Module):
    """Slow, with what a narrow network saw in four times as many frames appended."""

    def __init__(self) -> None:
        super().__init__()
        self.fast = ResNet(3, FAST, stem_frames=5, width=8)
        fast_channels = (8, 8, 16, 32, 64)
        laterals = tuple(2 * channels for channels in fast_channels)
        self.slow = ResNet(3, SLOW, laterals=laterals)
        self.laterals = nn.ModuleList(
            conv(3, channels, 2 * channels, (5, 1, 1), (4, 1, 1))
            for channels in fast_channels
        )

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """[B, 3, T, H, W] to [B, 640 + 64]."""
        fast = self.fast.pool(self.fast.stem(clips))
        slow = self.slow.pool(self.slow.stem(clips[:, :, ::4]))
        slow = torch.cat([slow, self.laterals[0](fast)], 1)
        stages = zip(self.slow.stages, self.fast.stages, self.laterals[1:])
        for slow_stage, fast_stage, lateral in stages:
            fast = fast_stage(fast)
            slow = torch.cat([slow_stage(slow), lateral(fast)], 1)
        return torch.cat([self.slow.finish(slow), self.fast.finish(fast)], 1)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "single": FrameByFrame,
    "trn": FrameByFrame,
    "slow": lambda: ResNet(3, SLOW),
    "slowfast": SlowFast,
    "3dresnet": lambda: ResNet(3, DENSE, stem_frames=7, pool_frames=3, time_stride=2),
}
NUM_POOLED = {"single": 512, "trn": 2048, "slow": 512, "slowfast": 704, "3dresnet": 512}
NUM_PARAMETERS = {
    "single": 11_244_480,
    "trn": 11_441_088,
    "slow": 20_091_840,
    "slowfast": 21_678_280,
    "3dresnet": 33_271_872,
}


class Embedder(nn.Module):
    """Clips [B, T, H, W, 3] uint8 to embeddings [B, D] float32 of norm 1."""

    def __init__(self, name: str, dtype: torch.dtype = torch.float32) -> None:
        """Makes the network.

        Args:
          name: a key of `NETWORKS`.
          dtype: of convolutions; parameters, head and embeddings are float32.

        Raises:
          ValueError: there is no such network.
        """
        super().__init__()
        if name not in NETWORKS:
            raise ValueError(f"the torch peer has {', '.join(NETWORKS)}, not {name}")
        self.backbone = NETWORKS[name]()
        self.head = nn.Linear(NUM_POOLED[name], DIM)
        self.dtype = dtype
        for key in ("mean", "std"):
            values = {"mean": measurement.CHANNEL_MEAN, "std": measurement.CHANNEL_STD}
            channels = torch.tensor(values[key]).view(3, 1, 1, 1)
            self.register_buffer(key, channels, persistent=False)
        found = sum(parameter.numel() for parameter in self.parameters())
        assert found == NUM_PARAMETERS[name], f"{name} has {found} parameters"

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Normalizes, convolves, embeds."""
        bytes_last = clips.permute(0, 4, 1, 2, 3)  # [B, 3, T, H, W], in the same order
        normalized = (bytes_last.float() / 255 - self.mean) / self.std
        is_mixed = self.dtype != torch.float32
        with torch.autocast(clips.device.type, self.dtype, enabled=is_mixed):
            pooled = self.backbone(normalized)
        return functional.normalize(self.head(pooled), dim=1)


def put_channels_last(model: nn.Module) -> None:
    """Lays the kernels out as the features are, which come from channels-last clips."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in model.parameters():
        if parameter.dim() in formats:
            layout = formats[parameter.dim()]
            parameter.data = parameter.data.contiguous(memory_format=layout)
