"""Texts, pictures and folders of somebody who means harm."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

_SYSTEM = (
    "/etc/passwd", "/etc/hostname", "/etc/shadow", "/proc/self/environ", "/proc/self/cmdline", "/proc/1/environ",
    "/proc/self/root/etc/passwd", "/proc/self/cwd/setup.py", "/dev/zero", "/dev/random", "/dev/stdin", "/dev/fd/0",
    "/sys/class/net", "/root/.ssh/id_rsa", "/var/log/syslog", "/tmp", "/", "//etc/passwd", "/etc/./passwd",
    "/etc//passwd", "/usr/../etc/passwd", "../../../../../../etc/passwd", "..", "../", ".", "./",
    "....//....//etc/passwd", "..\\..\\..\\etc\\passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd", "..%c0%af..%c0%afetc/passwd", "~", "~/.ssh/id_rsa", "~root/.bashrc", "~nobody",
    "$HOME", "$HOME/.ssh/id_rsa", "${HOME}", "%USERPROFILE%", "%APPDATA%\\x", "C:\\Windows\\win.ini",
    "C:/Windows/win.ini", "c:win.ini", "\\\\unc\\share\\x.png", "\\\\?\\C:\\x", "//unc/share/x.png",
    "\\\\.\\pipe\\x", "CON", "NUL", "aux.png", "*", "*.png", "/etc/*", "/etc/pass??", "/etc/{passwd,shadow}",
    "**/*", "[a-z]*", "/etc/passwd\0.png", "\0", "a\0b", "x.png\0", "-", "--help", "-rf", "@/etc/passwd",
    "<(cat /etc/passwd)", "< /etc/passwd", "&1", "fd:0",
)  # fmt: skip
_ADDRESSES = (
    "file:///etc/passwd", "file:/etc/passwd", "file://localhost/etc/passwd", "FILE:///etc/passwd",
    "fIlE:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://[::1]/x.png", "http://0/x.png",
    "http://127.1/x.png", "http://2130706433/x.png", "http://0x7f000001/x.png", "HTTP://localhost/x.png",
    "http:/localhost/x.png", "https://localhost/x.png", "ftp://localhost/x.png", "sftp://localhost/x",
    "gopher://localhost/x", "jar:file:///x!/y", "s3://bucket/x.png", "gs://bucket/x.png", "hf://datasets/x",
    "az://x/y", "memory://x", "zip://x.png::/etc/passwd", "simplecache::http://localhost/x", "github://a:b@c/x",
    "data:image/png;base64,iVBORw0KGgo=", "javascript:alert(1)", "dict://localhost:11211/", "ldap://localhost/x",
    "smb://localhost/x", "ssh://localhost/x", "git+ssh://localhost/x", "//localhost/x.png", "localhost:80/x.png",
    "torchhub:evil/repo", "hub:evil/repo", "timm:../../x", "sample:../../x", "sample:/etc/passwd", "sample:..",
    "hf_hub:evil/x", "torchvision:../x", "pkg:evil", "import:os", "os:system",
)  # fmt: skip
_CODE = (
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{config}}", "{0.__class__}", "{x!r}", "%(x)s", "%s%n", "%x" * 20,
    "`id`", "$(id)", "; id", "| id", "&& id", "\nid\n", "' OR 1=1 --", '"; DROP TABLE units; --',
    "1; attach 'x.db'", "read_csv('/etc/passwd')", "(select 1)", "__import__('os').system('id')", "os.system('id')",
    "lambda: 0", "eval(1)", "exec('x')", "().__class__.__bases__", "__class__", "__init__", "__globals__",
    "constructor", "__proto__", "self", "!!python/object/apply:os.system ['id']", "cos\nsystem\n(S'id'\ntR.",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "]]>", "<!--",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///'>]>", "\\x00", "\\u0000", "\r\nSet-Cookie: a=b", "a\r\nHost: evil",
    "\x1b[31m", "\x1b]8;;file:///\x07", "\x7f", "\ufeff/etc",
)  # fmt: skip
_LETTERS = (
    "／etc／passwd", "․․/etc/passwd", "‥/etc", "..∕..∕etc", "\u202egnp.exe", "\u2066x\u2069", "ﬁle:///etc/passwd",
    "ｆｉｌｅ:///etc/passwd", "e\u0301", "\u0000", "\ud800", "\udcff", "𝓼𝓪𝓶𝓹𝓵𝓮", "①", "٣", "१", "²", "½", "−1", "İ",
    "ß", "ſ", "\u200b", "\u00a0", "\u2028", "🦁" * 40, "a" * 200, "(" * 60, ")" * 60, "((((" * 15 + "a", " - " * 30,
    "-" * 99, "9" * 200, "1e999", "nan", "inf", "-inf", "1_000", "0x10", "0b1", "1e-400", "", " ", "\t", "None",
    "null", "true", "[]", "{}", "[[[[",
)  # fmt: skip
_AROUND = (
    "similar({})", "similar(image:{})", "p(similar({}))", "similar({}) + 1", "similar({},layer=blocks.4)",
    "-similar({})", "1 - similar({})", "2 * similar({})", "max({})", "occlusion:fill={}",
    "integrated_gradients:baseline={}", "grad_cam,occlusion:fill={}", "smooth_grad:of=occlusion:fill={}",
    "lucid + guide({})", "lucid+{}", "{}:0", "random:{}", "x={}", "epochs={}",
    '{{"method": "occlusion", "options": {{"fill": "{}"}}}}', '{{"image": "{}"}}', "word({},0)",
)  # fmt: skip
KINDS = ("png", "jpg", "npz", "npy", "safetensors", "pt", "csv", "json", "txt", "yaml", "parquet", "index")


def texts(folder: Path, port: int) -> list[str]:
    """About two hundred and fifty; those that could be read name files of `folder`, or a `port` of this machine."""
    own = [f"{folder}/secret.{kind}" for kind in KINDS] + [str(folder), f"{folder}/", f"file://{folder}/secret.png"]
    own += [f"http://127.0.0.1:{port}/x.png", f"http://localhost:{port}/x.png", f"127.0.0.1:{port}"]
    first = [own[0], own[4], f"http://127.0.0.1:{port}/x.png"]
    around = [one.format(text) for one in _AROUND for text in first]
    return list(dict.fromkeys([*own, *around, *_SYSTEM, *_ADDRESSES, *_CODE, *_LETTERS]))


def secrets(folder: Path) -> None:
    """A file of every kind that something could read."""
    import safetensors.numpy
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.arange(48, dtype=np.float32).reshape(3, 4, 4)
    Image.new("RGB", (64, 64), "red").save(folder / "secret.png")
    Image.new("RGB", (64, 64), "red").save(folder / "secret.jpg")
    np.savez(folder / "secret.npz", a=numbers)
    np.save(folder / "secret.npy", numbers)
    safetensors.numpy.save_file({"a": numbers}, folder / "secret.safetensors")
    torch.save({"a": torch.from_numpy(numbers)}, folder / "secret.pt")
    for kind in KINDS:
        if not (file := folder / f"secret.{kind}").exists():
            file.write_text("image,x,y\n1,2,3\n")


def png(width: int = 8, height: int = 8, *, declared: tuple[int, int] | None = None) -> bytes:
    """A PNG; `declared` is the size that it says of itself."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(out, "PNG")
    content = out.getvalue()
    if declared is None:
        return content
    head = b"IHDR" + struct.pack(">II", *declared) + content[24:29]
    return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few hundred kilobytes that is gigabytes when it is read."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 3 * side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b"")


def zipped() -> bytes:
    """A zip file, with a name that leads out of its folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("../../evil.png", png())
    return out.getvalue()


def encoded(kind: str) -> bytes:
    """A small photo of this kind."""
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(out, kind)
    return out.getvalue()
