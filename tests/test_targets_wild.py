"""Targets on the shapes that networks have outside classification: maps, boxes, words, embeddings, several heads."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid import target as t
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.target import Target, fixed

LABELS = Labels.plain(["nothing", "cat", "dog"])
PLAIN = Preprocess()


class Answer(nn.Module):
    """A network that returns what a function makes of one number for each cell of a small convolution."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            self.maps = nn.Conv2d(3, 6, 3, padding=1, bias=False).double()
        self.make = make

    def forward(self, x: Tensor) -> Any:
        return self.make(self.maps(x - 0.5))


def pixels(n: int = 2, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def pictures(n: int = 2, seed: int = 0) -> Images:
    return Images.from_pictures(list(pixels(n, seed)), [f"picture {i}" for i in range(n)])


def asked(target: Any, net: Net, x: Tensor) -> list[float]:
    target = Target.of(target)
    found: list[float] = target(net.run(x, layers=target.layers)).tolist()
    return found


def slope(target: Any, net: Net, x: Tensor, towards: Tensor, step: float = 1e-6) -> float:
    """Central difference of the target of one image."""
    (high,), (low,) = (asked(target, net, x + side * step * towards) for side in (1, -1))
    return (high - low) / (2 * step)


def follows(target: Any, net: Net, x: Tensor) -> bool:
    """Whether the gradient is the finite difference."""
    towards = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(9))
    one = Images.from_pictures([x[0]], ["one"])
    gradient = pl.attribution.gradient_times_input(net, one, target, reference="black").array.sum()
    return bool(
        np.isclose(slope(target, net, x, x), gradient, rtol=1e-4, atol=1e-7)
        and abs(slope(target, net, x, towards)) > 1e-6
    )


# segmentation


def segmenting(labels: Labels | None = LABELS) -> Net:
    return Net(Answer(lambda h: {"out": h[:, :3] * 3, "aux": h}), "seg", PLAIN, labels, "out")


def test_region_is_the_mean_over_the_pixels_that_the_network_gives() -> None:
    net, x = segmenting(), pixels()
    maps = net.run(x).output.numpy()
    for k, name in enumerate(["nothing", "cat", "dog"]):
        expected = []
        for one in maps:
            inside = [(i, j) for i in range(6) for j in range(8) if one[k, i, j] == max(one[:, i, j])]
            expected.append(sum(one[k, i, j] for i, j in inside) / len(inside))
        assert asked(f"region({name})", net, x) == pytest.approx(expected, abs=1e-12)
        assert follows(f"region({name})", net, x[:1])


def test_region_is_frozen_when_the_image_changes() -> None:
    net, x = segmenting(), pixels(1)
    run = net.run(x)
    still = fixed(t.Region("cat"), run)
    inside = run.output[0].argmax(0) == 1
    changed = net.run(1 - x)
    assert still(run).tolist() == t.Region("cat")(run).tolist()
    assert float(still(changed)) == pytest.approx(float(changed.output[0, 1][inside].mean()), abs=1e-12)
    assert float(still(changed)) != pytest.approx(float(t.Region("cat")(changed)), abs=1e-3)
    assert fixed(2 * still, changed) == 2 * still


def test_region_with_a_mask() -> None:
    net, x = segmenting(), pixels()
    mask = torch.zeros(6, 8, dtype=torch.bool)
    mask[1:3, 2:7] = True
    expected = net.run(x).output[:, 2, 1:3, 2:7].mean((1, 2))
    assert asked(t.Region("dog", mask), net, x) == pytest.approx(expected.tolist(), abs=1e-12)
    assert follows(t.Region("dog", mask), net, x[:1])
    with pytest.raises(PellucidError, match="the mask is 8 × 6, the maps of seg are 6 × 8"):
        asked(t.Region("dog", mask.T), net, x)


def test_region_without_a_pixel() -> None:
    net = Net(Answer(lambda h: h[:, :3] - h.new_tensor([0, 100, 0])[:, None, None]), "seg", PLAIN, LABELS)
    with pytest.raises(Refused, match="seg gives no pixel of image 0 to 'cat': name another class, or give Region a"):
        asked("region(cat)", net, pixels())
    with pytest.raises(Refused, match="no pixel of image 0"):
        pl.attribution.occlusion(net, pictures(1), "region(cat)", size=4, stride=4)


def test_region_of_one_map_has_two_sides() -> None:
    net = Net(Answer(lambda h: h[:, :1]), "seg", PLAIN, Labels.plain(["no", "yes"]))
    maps = net.run(pixels(1)).output[0, 0]
    assert asked("region(yes)", net, pixels(1)) == pytest.approx([float(maps[maps > 0].mean())])
    assert asked("region(no)", net, pixels(1)) == pytest.approx([-float(maps[maps < 0].mean())])


def test_region_needs_maps() -> None:
    with pytest.raises(Refused, match="net gives 3 numbers per image: a region needs classes × height × width"):
        asked("region(1)", Net(Answer(lambda h: h.mean((2, 3))[:, :3]), "net", PLAIN), pixels())
    with pytest.raises(UnknownName, match="no class 7: seg has 3 outputs"):
        asked("region(7)", segmenting(), pixels())


# detectors


def detecting(threshold: float = -9.0) -> Net:
    """Two boxes that do not move; what moves is how sure the network is of each."""

    def make(h: Tensor) -> list[dict[str, Tensor]]:
        answers = []
        for one in h:
            scores = torch.stack([one[0].mean(), one[1].mean(), one[2].mean()]).sigmoid()
            boxes = scores.new_tensor([[0, 0, 4, 4], [2, 2, 6, 6], [0, 0, 4, 4]])
            labels, kept = torch.tensor([1, 1, 2]), scores > threshold
            answers.append({"boxes": boxes[kept], "labels": labels[kept], "scores": scores[kept]})
        return answers

    return Net(Answer(make), "detector", PLAIN, LABELS)


def test_box_is_the_best_of_score_times_overlap() -> None:
    net, x = detecting(), pixels()
    scores = [found["scores"].tolist() for found in net.run(x).returned]
    assert asked("box(cat,0,0,4,4)", net, x) == pytest.approx([max(s[0], s[1] * 4 / 28) for s in scores], abs=1e-12)
    assert asked("box(cat,3,3,6,6)", net, x) == pytest.approx(
        [max(s[0] / 24, s[1] * 9 / 16) for s in scores], abs=1e-12
    )
    assert asked("box(dog,0,0,2,4)", net, x) == pytest.approx([s[2] / 2 for s in scores], abs=1e-12)
    assert asked("box(dog,4,4,6,6)", net, x) == [0, 0]
    for text in ("box(cat,0,0,4,4)", "box(cat,3,3,6,6)", "box(cat,3,3,6,6) - box(dog,0,0,3,4)"):
        assert follows(text, net, x[:1])


def test_overlap_by_counting_pixels() -> None:
    from pellucid.target.places import overlap

    draw = np.random.default_rng(0)
    for _ in range(50):
        a, b = ([*(c := draw.integers(0, 6, 2)), *(c + draw.integers(1, 6, 2))] for _ in range(2))
        cells = [{(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])} for b in (a, b)]
        expected = len(cells[0] & cells[1]) / len(cells[0] | cells[1])
        found = overlap(torch.tensor([a], dtype=torch.float64), tuple(int(side) for side in b))
        assert float(found) == pytest.approx(expected, abs=1e-15)


def test_no_detection_scores_zero_and_has_no_gradient() -> None:
    net, x = detecting(threshold=2.0), pictures(1)
    assert asked("box(cat,0,0,4,4)", net, x.pixels) == [0.0]
    assert not pl.attribution.occlusion(net, x, "box(cat,0,0,4,4)", size=4, stride=4).array.any()
    with pytest.raises(Refused, match=r"nothing detected in image 0 overlaps box\(cat,0,0,4,4\).* ask occlusion"):
        pl.attribution.gradient(net, x, "box(cat,0,0,4,4)")


def test_a_detection_that_goes_when_the_picture_changes() -> None:
    """On the way to the baseline nothing is found: the score is 0 there, and so is its gradient."""

    def make(h: Tensor) -> list[dict[str, Tensor]]:
        return [
            {
                "boxes": one.new_tensor([[0, 0, 4, 4]])[:n],
                "labels": torch.tensor([1])[:n],
                "scores": one.mean()[None][:n],
            }
            for one in h
            for n in [int(one.mean() > 0.5)]
        ]

    class Bright(Answer):
        def forward(self, x: Tensor) -> Any:
            return make(x + 0 * self.maps.weight.sum())

    net, x = (
        Net(Bright(None), "bright", PLAIN, LABELS),
        Images.from_pictures([torch.full((3, 4, 4), 0.8).double()], ["x"]),
    )
    fall = pl.attribution.occlusion(net, x, "box(cat,0,0,4,4)", size=4, stride=4, fill="black")
    assert fall.array.tolist() == [[[pytest.approx(0.8)]]]
    heat = pl.attribution.integrated_gradients(net, x, "box(cat,0,0,4,4)", steps=64)
    assert heat.array.sum() == pytest.approx(0.3, abs=0.02)  # ∫ over the part of the way where something is found
    assert heat.meta.completeness is not None
    assert heat.meta.completeness[0] > 0.5  # the jump has no gradient, and the result says so


def test_boxes_need_a_detector() -> None:
    with pytest.raises(Refused, match=r"seg is no detector: box\(\.\.\.\) needs a list of dicts .* returned a dict"):
        asked("box(cat,0,0,4,4)", segmenting(), pixels())
    with pytest.raises(Refused, match=r"that is a detector's answer, ask about one detection: box\(CLASS"):
        pl.attribution.gradient(detecting(), pictures())


# captions


def captioning() -> Net:
    return Net(Answer(lambda h: {"logits": h.mean(3).transpose(1, 2) * 4}), "captions", PLAIN, output="logits")


def test_words_and_sentences() -> None:
    net, x = captioning(), pixels()
    logits = net.run(x).output.numpy()
    assert logits.shape == (2, 6, 6)
    log = [[row - np.log(sum(np.exp(v) for v in row)) for row in one] for one in logits]
    assert asked("word(4,2)", net, x) == pytest.approx([one[2][4] for one in log], abs=1e-12)
    expected = [one[0][4] + one[1][1] + one[2][5] for one in log]
    assert asked("sentence(4,1,5)", net, x) == pytest.approx(expected, abs=1e-12)
    assert t.Word(4, 2).unit == t.Sentence((4,)).unit == "nats"
    assert follows("sentence(4,1,5)", net, x[:1])
    for method in ("gradient", "grad_cam"):
        assert getattr(pl.attribution, method)(net, pictures(), "sentence(4,1,5)").array.any()
    assert pl.attribution.occlusion(net, pictures(), "word(4,2)", size=4, stride=4).unit == "nats"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("word(6,0)", "no token 6: the vocabulary of captions has 6, 0 to 5"),
        ("word(0,6)", "no position 6: the captions of captions have 6"),
        ("sentence(0,0,0,0,0,0,0)", "no position 6"),
        ("word(fox,0)", "captions has no labels"),
    ],
)
def test_words_that_are_not_there(text: str, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        asked(text, captioning(), pixels())


def test_words_need_positions() -> None:
    with pytest.raises(Refused, match="a word needs positions × tokens"):
        asked("word(0,0)", segmenting(), pixels())


# embeddings


def embedding(output: str | None = None) -> Net:
    return Net(Answer(lambda h: h.mean((2, 3))), "embedding", PLAIN, None, output)


def test_similarity_to_a_picture_and_to_a_vector() -> None:
    net, x, other = embedding(), pixels(), pixels(1, seed=5)
    here, there = net.run(x).output.numpy(), net.run(other).output.numpy()[0]
    expected = [float(np.dot(e, there) / np.sqrt(np.dot(e, e) * np.dot(there, there))) for e in here]
    for to in (other[0], Images.from_pictures([other[0]], ["other"]), tuple(there.tolist()), list(there), there):
        exact = 1e-12 if len(to) == 6 else 1e-7  # pictures are read as float32
        assert asked(t.Similarity(to), net, x) == pytest.approx(expected, abs=exact)
    assert asked(t.Similarity(x[0]), net, x)[0] == pytest.approx(1, abs=1e-7)
    assert follows(t.Similarity(other[0]), net, x[:1])
    heat = pl.attribution.gradient(net, pictures(), t.Similarity(Images.from_pictures([other[0]], ["other"])))
    assert (heat.unit, heat.meta.target) == ("cosine per pixel range", "similar(other)")


def test_similarity_at_a_layer_is_that_of_its_means() -> None:
    net, x, other = segmenting(), pixels(), pixels(1, seed=5)
    a, b = (net.run(p, layers=["maps"])["maps"].mean((2, 3)) for p in (x, other))
    expected = F.cosine_similarity(a, b).tolist()
    assert asked(t.Similarity(other[0], "maps"), net, x) == pytest.approx(expected, abs=1e-7)


def test_fixed_similarity_does_not_run_the_other_picture_again() -> None:
    calls = 0

    def make(h: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return h.mean((2, 3))

    net, x = Net(Answer(make), "embedding", PLAIN), pixels(1)
    target = t.Similarity(pixels(1, seed=5)[0])
    still = fixed(target, net.run(x))
    before, expected = calls, asked(target, net, 1 - x)
    assert asked(still, net, 1 - x) == pytest.approx(expected, abs=1e-12)
    assert calls - before == 3  # two for the target, one for the fixed one
    assert str(still) == str(target)


def test_similar_by_path(tmp_path: Any) -> None:
    from PIL import Image

    Image.fromarray(np.full((6, 8, 3), 200, np.uint8)).save(tmp_path / "a.png")
    x = torch.full((1, 3, 6, 8), 200 / 255, dtype=torch.float64)
    assert asked(f"similar({tmp_path / 'a.png'})", embedding(), x) == pytest.approx([1.0], abs=1e-6)
    with pytest.raises(PellucidError, match="nowhere"):
        asked("similar(nowhere.png)", embedding(), x)
    with pytest.raises(PellucidError, match="2 numbers, the embedding has 6"):
        asked(t.Similarity((1.0, 2.0)), embedding(), x)
    with pytest.raises(PellucidError, match="zero everywhere"):
        asked(t.Similarity((0.0,) * 6), embedding(), x)
    with pytest.raises(PellucidError, match="2 images: give one"):
        t.Similarity(pictures())


# several heads, one number


def test_output_selects_and_returned_is_unchanged() -> None:
    heads = (torch.zeros(1), {"logits": None})

    def make(h: Tensor) -> Any:
        heads[1]["logits"] = h.mean((2, 3))  # type: ignore[assignment]
        return heads

    net = Net(Answer(make), "heads", PLAIN, output="1.logits")
    run = net.run(pixels())
    assert run.returned is heads
    assert run.output is heads[1]["logits"]
    with pytest.raises(UnknownName, match=re.escape("no output '1.logit'")):
        _ = Net(net.module, "heads", PLAIN, output="1.logit").run(pixels()).output


def test_regression_with_several_numbers() -> None:
    net = Net(Answer(lambda h: h.mean(3)), "pose", PLAIN)
    x = pixels()
    assert asked("out[2,5]", net, x) == net.run(x).output[:, 2, 5].tolist()
    assert asked("out[2,5] - 0.5 × out[0,0]", net, x) == pytest.approx(
        (net.run(x).output[:, 2, 5] - net.run(x).output[:, 0, 0] / 2).tolist()
    )
    assert follows("out[2,5]", net, x[:1])
    for method in ("gradient", "grad_cam"):
        assert getattr(pl.attribution, method)(net, pictures(), "out[2,5]").array.any()
    with pytest.raises(Refused, match=r"ask for one of them, out\[0,0\], or for a layer's unit"):
        pl.attribution.gradient(net, pictures())


@pytest.mark.parametrize("shape", ["n", "n1"])
def test_one_number_has_both_signs(shape: str) -> None:
    def make(h: Tensor) -> Tensor:
        return h[:, 0].mean((1, 2)) if shape == "n" else h[:, :1].mean((2, 3))

    x = pictures()
    plain, binary = (Net(Answer(make), "one", PLAIN, labels) for labels in (None, Labels.plain(["no", "yes"])))
    up, down = (pl.attribution.gradient(plain, x, text, reduce="signed").array for text in ("out[0]", "-out[0]"))
    yes, no = (pl.attribution.gradient(binary, x, text, reduce="signed").array for text in ("yes", "no"))
    assert np.array_equal(up, -down)
    assert np.array_equal(up, yes)
    assert np.array_equal(down, no)
    cam = [pl.attribution.grad_cam(plain, x, text).array for text in ("0", "-out[0]")]
    assert np.array_equal(cam[0], -cam[1])
    assert asked("p(yes) + p(no)", binary, x.pixels) == pytest.approx([1, 1])


# torchvision's own


@pytest.fixture
def photo() -> Images:
    return Images.from_pictures([torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(1))], ["photo"])


def seeded(make: Any, **how: Any) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module: nn.Module = make(weights=None, weights_backbone=None, **how)
        return module


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradient", "grad_cam", "occlusion", "integrated_gradients"])
def test_torchvision_segmentation(method: str, photo: Images) -> None:
    models = pytest.importorskip("torchvision.models.segmentation")
    net = Net(seeded(models.lraspp_mobilenet_v3_large, num_classes=4), "seg", PLAIN, output="out")
    options: dict[str, Any] = {"occlusion": {"size": 48, "stride": 48}, "integrated_gradients": {"steps": 2}}
    maps = net.run(photo).output[0]
    top = int(maps.argmax(0).flatten().mode().values)
    heat = getattr(pl.attribution, method)(net, photo, f"region({top})", **options.get(method, {}))
    assert heat.array.any()
    assert heat.meta.score[0] == pytest.approx(float(maps[top][maps.argmax(0) == top].mean()), rel=1e-4)
    if method == "occlusion":
        shown = photo.pixels.clone()
        shown[:, :, :48, :48] = 0.5
        fall = maps[top][maps.argmax(0) == top].mean() - net.run(shown).output[0, top][maps.argmax(0) == top].mean()
        assert heat.array[0, 0, 0] == pytest.approx(float(fall), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [("gradient", {}), ("grad_cam", {"layer": "backbone.body.16"}), ("occlusion", {"size": 48, "stride": 48})],
)
def test_torchvision_detector(method: str, options: dict[str, Any], photo: Images) -> None:
    models = pytest.importorskip("torchvision.models.detection")
    module = seeded(
        models.fasterrcnn_mobilenet_v3_large_320_fpn, num_classes=4, box_score_thresh=0.0, min_size=96, max_size=160
    )
    for part in module.backbone.body.modules():  # type: ignore[union-attr]
        if isinstance(part, nn.Conv2d):
            part.weight.data *= 2  # random features die out on the way otherwise
    net = Net(module, "detector", PLAIN)
    found = net.run(photo).returned[0]
    label, box = int(found["labels"][0]), tuple(found["boxes"][0].tolist())
    heat = getattr(pl.attribution, method)(net, photo, t.Box(label, box), **options)
    assert heat.array.any()
    assert heat.meta.score[0] == pytest.approx(float(found["scores"][0]), rel=1e-5)
    rows = net.layers((96, 128)).rows
    assert not any(row.spatial for row in rows if row.name.startswith("roi_heads")), "proposals are no images"
    with pytest.raises(PellucidError, match=r"gives .*×7×7 numbers, no maps of places"):
        pl.attribution.grad_cam(net, photo, t.Box(label, box), layer="roi_heads.box_roi_pool")
