"""Hand-made networks for weights between nodes, each with the linear network that stands for it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Functional(nn.Module):
    """Plain code between two convolutions: `between` may use the three layers `a`, `b` and `c`."""

    def __init__(self, units: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, units, 3, padding=1)
        self.a = nn.Conv2d(units, units, 3, padding=1)
        self.b = nn.Conv2d(units, units, 3, padding=2, dilation=2, groups=2)
        self.c = nn.Conv2d(units, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.between(self.first(x)))

    def between(self, x: Tensor) -> Tensor:
        return self.b(self.a(x))


class Joined(Functional):
    """A concatenation of parts, a residual sum of scaled parts, and a slice."""

    def between(self, x: Tensor) -> Tensor:
        y = torch.cat([self.a(x)[:, 2:], 2 * self.b(x)[:, :2]], 1)
        return x - 0.5 * y


class Shared(Functional):
    """A module that is called twice, with the sum of both."""

    def between(self, x: Tensor) -> Tensor:
        y = self.a(x)
        return y + self.a(y)


class Written(Functional):
    """Parts of a map are written to, and a sum is made in place."""

    def between(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, :2] = self.a(x)[:, 1:3]
        y[:, 2:] += 3 * x[:, :2]
        y += self.b(x)
        y[:, 1].mul_(0.5)
        return y


class Aliased(Functional):
    """Memory is written through one of its views, and read through another, older one."""

    def between(self, x: Tensor) -> Tensor:
        y, z = torch.empty_like(x), torch.zeros_like(x)
        before, flat = y[:, :2], z.view(-1)
        y.narrow(1, 0, 4).copy_(self.a(x))
        z.add_(self.b(x))
        y = F.pad(y, (0, 0, 0, 0), mode="circular")
        return x + y + torch.cat([before, flat.view(x.shape)[:, 2:]], 1)


class Strided(Functional):
    """A stride of two along y and three along x, uneven padding, and a mean over windows."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(4, 4, (3, 5), stride=(2, 1), padding=(0, 2))

    def between(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.a(F.pad(x, (1, 0, 2, 1))), 3, stride=(1, 3), padding=1)


class Upsampled(Functional):
    """A transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1)

    def between(self, x: Tensor) -> Tensor:
        return self.up(x)


class Enlarged(Functional):
    """Enlarged by nearest neighbour and made smaller again by half of it."""

    def between(self, x: Tensor) -> Tensor:
        return F.interpolate(self.a(x), scale_factor=2, mode="bilinear")


class LastChannels(Functional):
    """Units last, and a matrix over them; batch norms on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean = torch.empty(4).uniform_(-1, 1)
        self.norm.running_var = torch.empty(4).uniform_(0.5, 2)
        self.linear = nn.Linear(4, 4)

    def between(self, x: Tensor) -> Tensor:
        y = self.norm(self.a(x)).to(memory_format=torch.channels_last)
        return self.linear(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Shuffled(Functional):
    """Pixels become units and units pixels, einsum, and a flip."""

    def between(self, x: Tensor) -> Tensor:
        y = F.pixel_shuffle(torch.cat([self.a(x)] * 4, 1), 2)
        y = F.pixel_unshuffle(y, 2)[:, :4]
        return torch.einsum("buyx,ub->buyx", y.flip(1), x.new_ones(4, 1))


LINEAR = [
    Functional,
    Joined,
    Shared,
    Written,
    Aliased,
    Strided,
    Upsampled,
    Enlarged,
    LastChannels,
    Shuffled,
]


class Bent(Functional):
    """Activations in many spellings, and a maximum over windows."""

    def between(self, x: Tensor) -> Tensor:
        y = F.max_pool2d(F.relu(self.a(x)), 3, stride=2, padding=1)
        y = F.leaky_relu(self.b(y), 0.1)
        y = y * torch.sigmoid(1.7 * y)
        y = self.a(F.gelu(y) * 2)
        y = y * F.relu6(y + 3) / 6
        y = self.a(0.5 * y * (1 + torch.tanh(0.8 * (y + 0.04 * y**3))))
        return y.clamp(min=0).tanh()

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        y = F.avg_pool2d(self.a(x), 3, stride=2, padding=1, count_include_pad=False)
        return self.a(self.a(self.b(y) * 2))


class Normed(Functional):
    """Norms that divide by what they see, of modules and in plain code."""

    def __init__(self) -> None:
        super().__init__()
        self.groups, self.layer = nn.GroupNorm(2, 4), nn.LayerNorm(4)
        self.instance, self.response = nn.InstanceNorm2d(4), nn.LocalResponseNorm(3, alpha=1.0)
        for part in (self.groups, self.layer):
            nn.init.uniform_(part.weight, 0.5, 2)

    def between(self, x: Tensor) -> Tensor:
        y = self.response(self.instance(self.groups(x)))
        y = self.layer(y.movedim(1, -1)).movedim(-1, 1)
        y = y * torch.rsqrt((y * y).mean(1, keepdim=True) + 1e-6)
        return y / (y.pow(2).sum((2, 3), keepdim=True).sqrt() + 1)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        r, scale = reference, self.groups.weight.view(1, -1, 1, 1)
        split, rs = (v.reshape(1, 2, -1) for v in (x, r))
        spread = (rs.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        x = ((split - split.mean(-1, keepdim=True)) / spread).reshape(x.shape) * scale
        r = self.groups(r)
        spread = (r.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
        x, r = (x - x.mean((2, 3), keepdim=True)) / spread, self.instance(r)
        x, r = x * (self.response(r) / r), self.response(r)
        spread = (r.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        x = (x - x.mean(1, keepdim=True)) / spread * self.layer.weight.view(1, -1, 1, 1)
        r = self.layer(r.movedim(1, -1)).movedim(-1, 1)
        factor = torch.rsqrt((r * r).mean(1, keepdim=True) + 1e-6)
        x, r = x * factor, r * factor
        return x / (r.pow(2).sum((2, 3), keepdim=True).sqrt() + 1)


class Gated(Functional):
    """A gate for each unit, and a gated activation."""

    def between(self, x: Tensor) -> Tensor:
        y = self.a(x)
        y = y * torch.sigmoid(F.conv2d(y.mean((2, 3), keepdim=True), self.a.weight[:, :, :1, :1]))
        return F.silu(self.a(y)) * self.b(y)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        x, r = self.a(x), self.a(reference)
        gate = torch.sigmoid(F.conv2d(r.mean((2, 3), keepdim=True), self.a.weight[:, :, :1, :1]))
        x, r = x * gate, r * gate
        return self.b(x) * F.silu(self.a(r))


def _heads(tokens: Tensor) -> Tensor:
    """[batch, head, token, 2] of [batch, token, 4]."""
    return tokens.reshape(*tokens.shape[:2], 2, 2).transpose(1, 2)


class Attending(Functional):
    """Attention in three spellings, one behind the other, each with two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.v = nn.Linear(4, 4), nn.Linear(4, 4)
        self.whole = nn.MultiheadAttention(4, 2, batch_first=True)

    def between(self, x: Tensor) -> Tensor:
        t = x.flatten(2).mT
        t = t + (self.q(t) @ t.mT).softmax(-1) @ self.v(t)
        q, v = (_heads(p(t)) for p in (self.q, self.v))
        t = t + F.scaled_dot_product_attention(q, q, v, is_causal=True).transpose(1, 2).flatten(2)
        t = t + self.whole(t, t, t, need_weights=False)[0]
        return t.mT.reshape(x.shape)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        t, r = x.flatten(2).mT, reference.flatten(2).mT
        pattern = (self.q(r) @ r.mT).softmax(-1)
        t, r = t + pattern @ self.v(t), r + pattern @ self.v(r)
        q = _heads(self.q(r))
        above = torch.ones(r.shape[1], r.shape[1]).triu(1).bool()
        pattern = (q @ q.mT / 2**0.5).masked_fill(above, -torch.inf).softmax(-1)

        def mixed(s: Tensor) -> Tensor:
            v = _heads(self.v(s))
            return s + (pattern @ v).transpose(1, 2).flatten(2)

        t, r = mixed(t), mixed(r)
        per_head = self.whole(r, r, r, average_attn_weights=False)[1]
        weight, bias = self.whole.in_proj_weight[8:], self.whole.in_proj_bias[8:]
        v = _heads(F.linear(t, weight, bias))
        t = t + self.whole.out_proj((per_head @ v).transpose(1, 2).flatten(2))
        return t.mT.reshape(x.shape)


class Beside(Functional):
    """A factor that depends on the picture, but not on the source; a choice by it."""

    def __init__(self) -> None:
        super().__init__()
        self.side = nn.Conv2d(3, 4, 3, padding=1)
        self.picture = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        self.picture = self.side(x)
        return super().forward(x)

    def between(self, x: Tensor) -> Tensor:
        return torch.where(self.picture > 0, self.a(x * self.picture), x)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return self.between(x)


class Chosen(Functional):
    """The larger of two, absolute values, and the product of two alike."""

    def between(self, x: Tensor) -> Tensor:
        y = torch.maximum(self.a(x), self.b(x)) + self.a(x).abs()
        return self.a(y) * self.b(y)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        ra, rb = self.a(reference), self.b(reference)
        y = torch.where(ra > rb, self.a(x), self.b(x)) + self.a(x) * ra.sign()
        r = torch.maximum(ra, rb) + ra.abs()
        return self.a(y) * self.b(r) + self.a(r) * self.b(y)


HELD = [Normed, Gated, Attending, Beside, Chosen]
