"""Whatever a person calls a network becomes a Net, or one line that says what would work."""

from __future__ import annotations

import hashlib
import http.server
import inspect
import json
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import BadNetwork, MissingExtra, PellucidError, UnknownName
from pellucid.net import Net, download
from pellucid.net.fit import fitted
from pellucid.net.labels import Labels
from pellucid.net.load import load
from pellucid.net.preprocess import Preprocess

Shared = Callable[[str], Path]


def small(classes: int = 10, channels: int = 3) -> nn.Sequential:
    parts = OrderedDict(
        conv=nn.Conv2d(channels, 4, 3), norm=nn.BatchNorm2d(4), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(),
        fc=nn.Linear(4, classes),
    )  # fmt: skip
    return nn.Sequential(parts)


def saved(state: dict[str, Tensor], folder: Path) -> Path:
    save_file({key: value.clone() for key, value in state.items()}, folder / "x.safetensors")
    return folder / "x.safetensors"


# The tests check every call against its annotations, and people need not keep to them.
load_anything = inspect.unwrap(load)


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


# A module or a Net


def test_a_module_is_taken_as_it_is() -> None:
    module = small(channels=1).train()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    net = load(module)
    assert net.module is module
    assert net.name == "Sequential"
    assert net.preprocess == Preprocess(channels=1)
    assert net.labels is None
    assert module.training
    assert all(torch.equal(module.state_dict()[key], value) for key, value in before.items())


def test_a_module_without_convolutions_takes_any_channels() -> None:
    assert load(nn.Flatten()).preprocess.channels is None


@pytest.mark.slow
def test_wrappers_are_taken_off() -> None:
    module = small()
    assert load(nn.DataParallel(module)).module is module
    assert load(torch.compile(module)).module is module


def test_torchscript_is_refused() -> None:
    with pytest.warns(FutureWarning, match="trace"):
        traced = torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2))
    with pytest.raises(BadNetwork, match=r"^TorchScript lets nobody look inside: give the nn\.Module"):
        load(traced)


def test_a_net_is_returned_and_can_be_told_more() -> None:
    net = load(small())
    assert load(net) is net
    told = load(net, labels=["a", "b"], size=(5, 7), output="logits")
    assert (told.module, told.output, told.preprocess.size) == (net.module, "logits", (5, 7))
    assert told.labels == Labels.plain(["a", "b"])
    assert load(told, size=9).labels is told.labels
    assert net.labels is None


@pytest.mark.parametrize("spec", [5, None, b"bundled", ["bundled"], object()])
def test_nothing_else_is_a_network(spec: Any) -> None:
    with pytest.raises(BadNetwork, match=r"a network is an nn\.Module, a Net or a name"):
        load_anything(spec)


# Names


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        (
            "resnet50",
            UnknownName,
            "no network 'resnet50': a network is bundled, timm:NAME, .* for example timm:resnet50",
        ),
        ("timn:resnet50", UnknownName, r"no source or module 'timn'; nearest of \d+: timm"),
        ("timm:resnet5O", UnknownName, r"no timm network 'resnet5O'; nearest of \d+: .*resnet50"),
        ("timm:resnet50.a1_in2k", UnknownName, r"no timm network .* nearest of \d+: .*resnet50\.a1_in1k"),
        ("timm:hf-hub:someone/resnet50", UnknownName, "no timm network"),
        ("torchvision:resnet19", UnknownName, r"no torchvision network 'resnet19'; nearest of \d+: .*resnet18"),
        ("torchvision:resnet18.IMAGENET1K_V9", UnknownName, r"resnet18\.IMAGENET1K_V1"),
        (
            "model.pth",
            BadNetwork,
            r"holds weights, which are no architecture: load\('timm:NAME', weights='model.pth'\)",
        ),
        ("some/model.safetensors", BadNetwork, "no architecture"),
        ("model.onnx", UnknownName, "ONNX is not read; write a function that makes an nn.Module of it"),
        ("model.py", UnknownName, "say which function in it"),
        ("", UnknownName, "no network ''"),
    ],
)
def test_a_name_that_is_none(spec: str, kind: type[PellucidError], said: str) -> None:
    if ":" in spec:
        pytest.importorskip(spec.partition(":")[0].replace("timn", "torch"))
    with pytest.raises(kind, match=said) as caught:
        load(spec, weights=None if spec.startswith("timn") else "random")
    one_line(caught.value)


def test_a_path_may_be_a_path(tmp_path: Path) -> None:
    with pytest.raises(BadNetwork, match="no architecture"):
        load(tmp_path / "x.pth")


@pytest.mark.parametrize("spec", ["bundled", "timm:resnet10t", "torchvision:squeezenet1_1"])
def test_random_weights_are_the_same_each_time_and_leave_the_generator_alone(spec: str) -> None:
    if ":" in spec:
        pytest.importorskip(spec.partition(":")[0])
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = load(spec, weights="random").weights
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert load(spec, weights="random").weights == first


# The zoos


@pytest.mark.slow
def test_timm_says_how_pictures_are_seen() -> None:
    timm = pytest.importorskip("timm")
    from torchvision.transforms import CenterCrop, Resize

    for name in ("resnet10t", "tf_efficientnet_lite0", "convnext_atto", "resnet18", "mobilenetv3_small_050"):
        net = load(f"timm:{name}", weights="random")
        config = timm.data.resolve_model_data_config(net.module)
        transforms = timm.data.create_transform(**config, is_training=False).transforms
        resize = next(one for one in transforms if isinstance(one, Resize))
        crop = next(one for one in transforms if isinstance(one, CenterCrop))
        assert (net.preprocess.resize, net.preprocess.crop) == (resize.size, tuple(crop.size))
        assert net.preprocess.interpolation == resize.interpolation.value
        assert (net.preprocess.mean, net.preprocess.std) == (config["mean"], config["std"])
        assert net.preprocess.channels == 3
        assert net.labels is not None
        assert net.labels.wnids is not None
        assert net.labels.wnids[207] == "n02099601"


@pytest.mark.slow
def test_timm_squashes_where_it_says_so_and_other_classes_have_no_names() -> None:
    pytest.importorskip("timm")
    squashed = load("timm:convnext_tiny.in12k_ft_in1k_384", weights="random").preprocess
    assert squashed.resize == squashed.crop == (384, 384)
    assert load("timm:resnetv2_50.a1h_in1k", weights="random").labels is not None
    assert load("timm:convnext_nano.in12k", weights="random").labels is None


def test_timm_weights_are_read_by_our_reader_and_fitted_by_timm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timm = pytest.importorskip("timm")
    from pellucid.net.sources import timm as source

    torch.manual_seed(3)
    trained = timm.create_model("resnet10t")
    file = saved(trained.state_dict(), tmp_path)
    asked = []
    monkeypatch.setattr(source, "hub_file", lambda *what: asked.append(what) or file)
    net = load("timm:resnet10t.c3_in1k")
    assert asked == [("timm:resnet10t.c3_in1k", "timm/resnet10t.c3_in1k", ["model.safetensors", "pytorch_model.bin"])]
    assert all(torch.equal(net.module.state_dict()[key], value) for key, value in trained.state_dict().items())
    assert "state_dict" not in net.module.pretrained_cfg


def test_torchvision_says_how_pictures_are_seen() -> None:
    models = pytest.importorskip("torchvision.models")
    preset = models.ResNet18_Weights.DEFAULT.transforms()
    net = load("torchvision:resnet18", weights="random")
    assert net.preprocess == Preprocess(256, (224, 224), "bilinear", tuple(preset.mean), tuple(preset.std))
    assert net.labels is not None
    shown = [names[0] for names in net.labels.names]
    assert shown == models.ResNet18_Weights.DEFAULT.meta["categories"]
    assert net.labels.find("n02099601") == net.labels.find("golden retriever") == 207
    # a trunk with trained weights would have to be fetched here, if it were asked for
    assert load("torchvision:fcn_resnet50", weights="random").labels == Labels.plain(
        models.segmentation.FCN_ResNet50_Weights.DEFAULT.meta["categories"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet1_1", "googlenet"])
def test_torchvision_weights_are_read_by_our_reader(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pytest.importorskip("torchvision.models")
    from pellucid.net.sources import torchvision as source

    torch.manual_seed(3)
    how = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    trained = models.get_model(name, **how)
    file = saved(trained.state_dict(), tmp_path)
    monkeypatch.setattr(source, "url_file", lambda who, url: file)
    net = load(f"torchvision:{name}")
    state = net.module.state_dict()
    assert state
    assert all(torch.equal(value, trained.state_dict()[key]) for key, value in state.items())
    if name == "googlenet":  # what torchvision does besides is done too
        assert net.module.transform_input
    assert "get_state_dict" not in vars(models.get_model_weights(name).DEFAULT)


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_a_missing_extra_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(package), *sys.meta_path])
    with pytest.raises(MissingExtra, match=rf"pip install (-e )?'[^']*\[{package}\]'"):
        load(f"{package}:resnet18")


def test_a_package_that_an_extra_needs_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """timm is there and torchvision, which it needs, is not: the same line brings it."""
    pytest.importorskip("timm")
    for name in [name for name in sys.modules if name.split(".")[0] in ("timm", "torchvision")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent("torchvision"), *sys.meta_path])
    with pytest.raises(MissingExtra, match=r"timm needs .*\[timm\]'"):
        load("timm:resnet18")


class Absent:
    """An import hook for which one package is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: Any) -> None:
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self.package)


def test_a_torchvision_for_another_torch_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadNetwork, match=r"torchvision is for another torch .*nms.* pip install") as caught:
        load("torchvision:resnet18")
    one_line(caught.value)


# Weights from afar


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty caches, and no way out: names resolve to nothing, as on a machine without a network."""

    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("spec", ["timm:resnet18.a1_in1k", "torchvision:resnet18"])
def test_without_a_network_the_answer_comes_at_once(spec: str) -> None:
    pytest.importorskip(spec.partition(":")[0])
    started = time.monotonic()
    with pytest.raises(
        BadNetwork, match=r"weights of .* not on this machine.*weights='random'.*weights='FILE'"
    ) as caught:
        load(spec)
    assert time.monotonic() - started < 60  # without a second try
    one_line(caught.value)


@pytest.mark.usefixtures("nowhere")
def test_a_silent_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PATIENCE", 0.2)
    wake = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: wake.wait(20) and [])
    started = time.monotonic()
    with pytest.raises(BadNetwork, match="no answer in"):
        download.url_file("x", "https://download.example/x.pth")
    wake.set()
    assert time.monotonic() - started < 15  # of 20


@pytest.mark.usefixtures("nowhere")
def test_hugging_face_offline_and_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadNetwork, match="HF_HUB_OFFLINE is set"):
        download.hub_file("x", "timm/x", ["model.safetensors"])
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda repo, name, revision: f"/cache/{repo}/{revision}/{name}")
    assert download.hub_file("x", "timm/x@v2", ["model.safetensors"]) == Path("/cache/timm/x/v2/model.safetensors")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """(folder, address) of a little web server; torch's cache is elsewhere, and empty."""
    (tmp_path / "served").mkdir()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "served"))

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield tmp_path / "served", f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_is_fetched_once_and_checked(server: tuple[Path, str]) -> None:
    folder, address = server
    good = f"x-{hashlib.sha256(b'weights').hexdigest()[:8]}.pth"
    (folder / good).write_bytes(b"weights")
    assert download.url_file("x", f"{address}/{good}").read_bytes() == b"weights"
    (folder / good).unlink()
    assert download.url_file("x", f"{address}/{good}").read_bytes() == b"weights"
    (folder / "x-01234567.pth").write_bytes(b"weights")
    with pytest.raises(BadNetwork, match="is damaged: its SHA-256 is not that in its name"):
        download.url_file("x", f"{address}/x-01234567.pth")
    with pytest.raises(BadNetwork, match="404"):
        download.url_file("x", f"{address}/gone.pth")
    assert {path.name for path in Path(torch.hub.get_dir(), "checkpoints").iterdir()} == {good, "x-01234567.pth"}


# The user's own code

CODE = """
import helper
from torch import nn
from pellucid.net.preprocess import Preprocess
class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, helper.WIDTH, 3)
    def forward(self, x):
        return self.conv(x).mean((2, 3))
made = Tiny()
def bare(): return Tiny()
def told(): return Tiny(), Preprocess(crop=(9, 9), channels=1)
def all(): return Tiny(), Preprocess(channels=1), ["cat", "dog"]
def number(): return 5
def fails(): return 1 / 0
def leaves(): raise SystemExit("bye")
def long(): raise ValueError("first\\nsecond")
def needs(x): return Tiny()
def lacks(): import no_such_package
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the user's code; it is the current one."""
    (tmp_path / "helper.py").write_text("WIDTH = 2")
    (tmp_path / "nets_of_mine.py").write_text(CODE)
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "__init__.py").write_text("")
    (tmp_path / "package_of_mine" / "nets.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in {"helper", "nets_of_mine", "package_of_mine", "package_of_mine.nets"} - before:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("place", ["nets_of_mine.py", "nets_of_mine", "package_of_mine.nets"])
def test_a_function_makes_the_network(project: Path, place: str) -> None:
    path = list(sys.path)
    assert load(f"{place}:bare").preprocess == Preprocess(channels=1)
    assert load(f"{place}:Tiny").name == f"{place}:Tiny"
    assert load(f"{place}:made").weights == load(f"{place}:made").weights
    assert load(f"{place}:told").preprocess.size == (9, 9)
    net = load(f"{place}:all")
    assert net.labels is not None
    assert net.labels.find("dog") == 1
    assert net.run(torch.rand(1, 1, 9, 9)).output.shape == (1, 2)
    assert load(f"{place}:bare").weights == load(f"{place}:bare").weights  # made from the same random numbers
    assert sys.path == path


def test_the_function_lies_anywhere(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "nets_of_mine.py").write_text("from torch import nn\nbare = nn.Flatten")
    assert type(load(f"{elsewhere}/nets_of_mine.py:bare").module) is nn.Flatten
    assert type(load(f"{project}/nets_of_mine.py:bare").module).__name__ == "Tiny"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        ("nets_of_mine.py:fails", BadNetwork, "failed: ZeroDivisionError: division by zero"),
        ("nets_of_mine.py:leaves", BadNetwork, "failed: SystemExit: bye"),
        ("nets_of_mine.py:long", BadNetwork, "failed: ValueError: first second"),
        ("nets_of_mine.py:needs", BadNetwork, "failed: TypeError: needs.. missing 1 required"),
        ("nets_of_mine.py:lacks", BadNetwork, "failed: ModuleNotFoundError: No module named 'no_such_package'"),
        ("nets_of_mine.py:number", BadNetwork, "gave a int; it must return an nn.Module"),
        ("nets_of_mine.py:bear", UnknownName, "no function 'bear'; nearest of .*: bare"),
        ("nets_of_mine.py:", UnknownName, "after the colon comes the name of a function"),
        ("nets_of_mind.py:bare", UnknownName, "no file 'nets_of_mind.py'; nearest of 2: nets_of_mine.py"),
        ("package_of_mine.gone:bare", UnknownName, "no module 'package_of_mine.gone'"),
        ("package_of_yours.nets:bare", UnknownName, "no module 'package_of_yours.nets'"),
    ],
)
def test_what_the_users_code_may_do_wrong(spec: str, kind: type[PellucidError], said: str) -> None:
    path, modules = list(sys.path), {name for name in sys.modules if name.startswith("pellucid_")}
    with pytest.raises(kind, match=said) as caught:
        load(spec)
    one_line(caught.value)
    if kind is BadNetwork and "gave" not in said:
        assert caught.value.__cause__ is not None
    assert sys.path == path
    assert modules <= set(sys.modules)


def test_code_that_cannot_be_imported(project: Path) -> None:
    (project / "broken.py").write_text("def f(:")
    (project / "lacking.py").write_text("import no_such_package")
    for place, said in (
        ("broken.py", "SyntaxError"),
        ("broken", "SyntaxError"),
        ("lacking.py", "No module named 'no_such_package'"),
        ("lacking", "No module named 'no_such_package'"),
    ):
        with pytest.raises(BadNetwork, match=said) as caught:
            load(f"{place}:f")
        one_line(caught.value)
    assert not [name for name in sys.modules if name.startswith(("pellucid_broken", "pellucid_lacking"))]


@pytest.mark.usefixtures("project")
def test_random_is_for_sources_that_know_it() -> None:
    with pytest.raises(BadNetwork, match="decides on its weights itself"):
        load("nets_of_mine.py:bare", weights="random")
    with pytest.raises(BadNetwork, match="has its weights already"):
        load(small(), weights="random")
    with pytest.raises(BadNetwork, match="None, 'random' or the path"):
        load_anything(small(), weights=small().state_dict())


# Weights from a file


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.", "backbone.", "_orig_mod.", "a.b.c."])
def test_weights_under_any_common_prefix(prefix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, ours = small().state_dict(), small()
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    net = load(ours, weights=saved({prefix + key: value for key, value in theirs.items()}, tmp_path))
    assert all(torch.equal(net.module.state_dict()[key], value) for key, value in theirs.items())
    assert net.module is not ours
    assert all(torch.equal(ours.state_dict()[key], value) for key, value in before.items())


def test_weights_for_a_network_inside_a_wrapper(tmp_path: Path) -> None:
    theirs = small().state_dict()
    net = load(nn.Sequential(OrderedDict(wrapped=small())), weights=saved(theirs, tmp_path))
    assert torch.equal(net.module.state_dict()["wrapped.fc.weight"], theirs["fc.weight"])


def test_a_loss_beside_the_network_is_left_out_and_two_networks_are_a_question() -> None:
    state = small().state_dict()
    beside = {f"model.{key}": value for key, value in state.items()} | {"criterion.weight": torch.ones(10)}
    assert torch.equal(fitted(small(), beside, file="x", name="n").state_dict()["fc.bias"], state["fc.bias"])
    two = {f"{who}.{key}": value for who in ("student", "teacher") for key, value in state.items()}
    with pytest.raises(
        BadNetwork, match=r"holds 2 networks that would fit \(student\., teacher\.\)|teacher\., student\."
    ):
        fitted(small(), two, file="x", name="n")


def test_numbers_are_converted_to_the_networks_type() -> None:
    state = {key: value.half() if value.is_floating_point() else value for key, value in small().state_dict().items()}
    assert {v.dtype for v in fitted(small(), state, file="x", name="n").state_dict().values()} == {
        torch.float32,
        torch.int64,
    }
    double = fitted(small().double(), state, file="x", name="n")
    assert double.get_parameter("fc.weight").dtype == torch.float64


def test_counters_may_be_missing_or_left_over() -> None:
    state = small().state_dict()
    without = {key: value for key, value in state.items() if "num_batches" not in key}
    assert len(without) < len(state)
    assert torch.equal(fitted(small(), without, file="x", name="n").state_dict()["fc.bias"], state["fc.bias"])
    extra = {**state, "other.num_batches_tracked": torch.tensor(1)}
    assert fitted(small(), extra, file="x", name="n")


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.b(self.a(x)))


def test_a_tensor_with_two_names_may_be_there_under_one() -> None:
    state = Tied().state_dict()
    del state["b.weight"]
    net = fitted(Tied(), state, file="x", name="n")
    assert torch.equal(net.get_parameter("b.weight"), state["a.weight"])
    assert net.get_parameter("b.weight") is net.get_parameter("a.weight")
    del state["a.weight"]
    with pytest.raises(BadNetwork, match=r"2 missing \(a\.weight, b\.weight\)"):
        fitted(Tied(), state, file="x", name="n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fc.bias": None}, r"of 9 tensors, 1 missing \(fc\.bias\)"),
        ({"fc.bias": None, "fc.weight": None, "conv.bias": None, "norm.bias": None}, r"4 missing \(.*, .*, .*, …\)"),
        ({"head.bias": torch.ones(1)}, r"1 not of this network \(head\.bias\)"),
        (
            {"conv.weight": torch.ones(4, 1, 3, 3)},
            r"1 of another shape \(conv\.weight: 4×1×3×3 in the file, 4×3×3×3 here\)$",
        ),
        ({"fc.bias": torch.ones(10, dtype=torch.int8)}, r"1 of another type \(fc\.bias: torch\.int8 in the file"),
        (
            {"fc.weight": torch.ones(7, 4), "fc.bias": torch.ones(7)},
            r"fc\.weight: 7×4 in the file, 10×4 here; fc\.bias.*"
            r"last layer has 7 outputs, the network's 10: .*num_classes=7",
        ),
    ],
)
def test_what_does_not_fit_is_told_and_not_loaded(change: dict[str, Tensor | None], said: str) -> None:
    state = small().state_dict() | change
    with pytest.raises(BadNetwork, match=said) as caught:
        fitted(small(), {key: value for key, value in state.items() if value is not None}, file="x.pth", name="Small")
    assert one_line(caught.value).startswith("'x.pth' does not fit Small: ")


@pytest.mark.usefixtures("read_here")
def test_weights_of_another_network(shared: Shared) -> None:
    with pytest.raises(BadNetwork, match=r"holds weights of another network: it has .*, bundled has conv_stem\.weight"):
        load("bundled", weights=shared("data/weights/resnet20-12fca82f.th"))


@pytest.mark.parametrize(("name", "blocks"), [("resnet20-12fca82f", 3), ("resnet56-4bfd9763", 9)])
@pytest.mark.usefixtures("read_here")
def test_a_real_checkpoint_for_a_network_of_ones_own(shared: Shared, name: str, blocks: int) -> None:
    """Trained under DataParallel: every name begins with `module.`."""
    net = load(cifar_resnet(blocks), weights=shared(f"data/weights/{name}.th"), mean=(0.485, 0.456, 0.406), size=32)
    assert torch.isfinite(net.run(torch.rand(1, 3, 32, 32)).output).all()


def cifar_resnet(blocks: int) -> nn.Module:
    class Block(nn.Module):
        def __init__(self, before: int, channels: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(before, channels, 3, channels // before, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            step, more = self.conv1.stride[0], y.shape[1] - x.shape[1]
            return F.relu(y + F.pad(x[:, :, ::step, ::step], (0, 0, 0, 0, more // 2, more // 2)))

    def stage(before: int, channels: int) -> nn.Sequential:
        return nn.Sequential(*(Block(before if i == 0 else channels, channels) for i in range(blocks)))

    parts = OrderedDict(
        conv1=nn.Conv2d(3, 16, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(16), relu=nn.ReLU(), layer1=stage(16, 16),
        layer2=stage(16, 32), layer3=stage(32, 64), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(),
        linear=nn.Linear(64, 10),
    )  # fmt: skip
    return nn.Sequential(parts)


# What the user says besides


def test_sizes_keep_the_proportion_of_the_crop() -> None:
    bundled = load("bundled", weights="random")
    assert load(bundled, size=448).preprocess == Preprocess(
        512, (448, 448), "bicubic", bundled.preprocess.mean, bundled.preprocess.std
    )
    assert load(bundled, size=(224, 448)).preprocess.resize == 512  # the longer side is covered too
    assert load(small(), size=64).preprocess.resize == 64
    squash = Net(small(), preprocess=Preprocess((40, 40), (32, 32)))
    assert load(squash, size=(64, 32)).preprocess.resize == (80, 40)


def test_statistics_interpolation_and_channels() -> None:
    told = load(small(channels=1), mean=0.5, std=[0.25], interpolation="nearest").preprocess
    assert told == Preprocess(mean=(0.5,), std=(0.25,), interpolation="nearest", channels=1)
    assert load(nn.Flatten(), channels=4, mean=(0.1, 0.2, 0.3, 0.4)).preprocess.channels == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "size=0"),
        ({"size": True}, "size=True"),
        ({"size": (1, 2, 3)}, "a side or"),
        ({"size": (1.5, 2)}, "whole numbers"),
        ({"size": "224"}, "a side or"),
        ({"mean": (0.1, 0.2)}, "mean has 2 values and the network takes 3 channels"),
        ({"std": (0.1, 0.2, 0.3, 0.4)}, "std has 4 values and the network takes 3 channels"),
        ({"mean": (123.675, 116.28, 103.53)}, "is in raw units of the data, .*value_range=\\(0, 255\\) for 8-bit data"),
        ({"mean": "gray"}, "a number, or one per channel"),
        ({"mean": ()}, "a number, or one per channel"),
        ({"mean": float("nan")}, "a number, or one per channel"),
        ({"std": 0}, "above 0"),
        ({"std": [0.1, -0.1, 0.1]}, "above 0"),
        ({"interpolation": "lanczos"}, "no interpolation 'lanczos'; .* of 3: "),
        ({"channels": 0}, "a number of channels"),
        ({"channels": "RGB"}, "a number of channels"),
        ({"output": 0}, "a name or index as text"),
        ({"labels": 5}, "a list of names or a mapping"),
        ({"labels": []}, "the list is empty"),
        ({"labels": ["cat", ""]}, "class 1 has no name"),
        ({"labels": ["cat", 7]}, "class 1 has no name"),
        ({"labels": {"0": "cat", "2": "dog"}}, "the numbers must be 0 to 1"),
        ({"labels": {"cat": "Katze"}}, "must be the numbers of the classes"),
        ({"labels": "no_such_file.txt"}, "no file 'no_such_file.txt'"),
    ],
)
def test_what_cannot_be_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PellucidError, match=said) as caught:
        load_anything(small(), **options)
    one_line(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", "cat\nblack dog\n\n"),
        ("x.names", "\ufeffcat\r\nblack dog"),
        ("x.json", ["cat", "black dog"]),
        ("x.txt", ["cat", "black dog"]),
        ("x.json", {"0": "cat", "1": "black dog"}),
        ("x.json", {"1": "black dog", "0": "cat"}),
        ("x.json", {"cat": 0, "black dog": 1}),
    ],
)
def test_labels_from_files(name: str, content: Any, tmp_path: Path) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert load(small(), labels=tmp_path / name).labels == Labels.plain(["cat", "black dog"])
    if not isinstance(content, str):
        assert load(small(), labels=content).labels == Labels.plain(["cat", "black dog"])


def test_labels_with_synonyms_and_wordnet_ids(tmp_path: Path) -> None:
    rows = {"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish", "Carassius auratus"]}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(rows))
    labels = load(small(), labels=str(tmp_path / "imagenet_class_index.json")).labels
    assert labels == Labels((("tench",), ("goldfish", "Carassius auratus")), ("n01440764", "n01443537"))


def test_label_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("{")
    (tmp_path / "labels.bin").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "labels.txt").write_text("cat\n\ndog")
    for name, said in (
        ("labels.json", "are no JSON"),
        ("labels.bin", "cannot be read"),
        ("labels.txt", "class 1 has no name"),
        ("label.txt", r"no file .*; nearest of 3: .*labels\.txt"),
        (".", "cannot be read"),
    ):
        with pytest.raises(PellucidError, match=said) as caught:
            load(small(), labels=tmp_path / name)
        one_line(caught.value)


def test_the_network_may_be_named_by_keyword() -> None:
    assert load(spec="bundled", size=64).size == (64, 64)


def test_a_pickled_model_as_a_network_is_refused_with_advice_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise BadNetwork(f"{path!r} holds Python objects besides tensors: save its tensors alone")

    monkeypatch.setattr("pellucid.net.load.read_checkpoint", refuse)
    (tmp_path / "whole.pt").touch()
    way = r"save its tensors alone; then say what makes .* load\('file.py:FUNCTION', weights='weights.pth'\)"
    with pytest.raises(BadNetwork, match=way):
        load(str(tmp_path / "whole.pt"))


def test_names_are_found_however_their_words_are_parted() -> None:
    labels = Labels((("jelly fish",), ("school bus",), ("jack-o'-lantern", "lantern"), ("school-bus, yellow",)))
    assert labels.find("jellyfish") == 0
    assert labels.find("School bus") == 1, "a name as it is written comes first"
    assert labels.find("jack o lantern") == 2
    with pytest.raises(UnknownName, match="2 classes are called 'school_bus'"):
        labels.find("school_bus")
    net = load(small())
    assert net.class_index("class 3") == net.class_index("3") == 3
