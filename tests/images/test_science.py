"""DICOM and FITS: numbers are those that were measured, windows the standard's, and no bad file is more than a line."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import BadImage, MissingExtra
from pellucid.images import read

CT = np.arange(-1024, 1024, 8, dtype=np.int16).reshape(16, 16)


def dicom(values: np.ndarray, **tags: Any) -> bytes:
    """A file as a scanner writes it: explicit little endian, one frame."""
    pydicom = pytest.importorskip("pydicom", reason="pydicom (extra medical) is not installed")
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    found = pydicom.Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = tags.pop("syntax", ExplicitVRLittleEndian)
    found.file_meta.MediaStorageSOPClassUID, found.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    found.SOPClassUID, found.SOPInstanceUID = CTImageStorage, found.file_meta.MediaStorageSOPInstanceUID
    found.Rows, found.Columns = values.shape[:2]
    found.SamplesPerPixel = values.shape[2] if values.ndim == 3 else 1
    found.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = values.dtype.itemsize * 8
    found.HighBit, found.PixelRepresentation = found.BitsStored - 1, int(values.dtype.kind == "i")
    if values.ndim == 3:
        found.PlanarConfiguration = 0
    found.PixelData = values.tobytes()
    for name, value in tags.items():
        setattr(found, name, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, found, enforce_file_format=True)
    return buffer.getvalue()


def fits(values: np.ndarray, **header: Any) -> bytes:
    pytest.importorskip("astropy", reason="astropy (extra astronomy) is not installed")
    from astropy.io import fits as written

    part, buffer = written.PrimaryHDU(values), io.BytesIO()
    for name, value in header.items():
        part.header[name] = value
    written.HDUList([part]).writeto(buffer)
    return buffer.getvalue()


def gray(data: bytes, **how: Any) -> np.ndarray:
    found = read(data, **how).pictures[0].numpy()
    assert found.shape[0] == 3
    assert (found == found[:1]).all()
    return found[0]


def test_a_ct_is_seen_through_the_window_of_its_file_in_hounsfield_units() -> None:
    data = dicom(CT, Modality="CT", RescaleSlope=2, RescaleIntercept=-100, WindowCenter=40, WindowWidth=400)
    found = read(data)
    for y, x in np.ndindex(16, 16):  # PS3.3 C.11.2.1.2.1, in plain floats
        hounsfield, middle, wide = 2.0 * int(CT[y, x]) - 100, 40.0, 400.0
        if hounsfield <= middle - 0.5 - (wide - 1) / 2:
            shown = 0.0
        elif hounsfield > middle - 0.5 + (wide - 1) / 2:
            shown = 1.0
        else:
            shown = (hounsfield - (middle - 0.5)) / (wide - 1) + 0.5
        assert found.pictures[0][0, y, x].item() == pytest.approx(shown, abs=1e-6)
    assert found.value_ranges == ((-160.0, 239.0),)
    assert "-160 to 239 HU from black to white, the window that the file names; 90% of the values" in str(
        found.notes[0]
    )


def test_a_window_that_is_asked_for_goes_first_and_without_one_all_bits_count() -> None:
    data = dicom(CT, Modality="CT", WindowCenter=40, WindowWidth=400)
    assert np.allclose(gray(data, value_range=(-1000, 1000)), ((CT + 1000.0) / 2000).clip(0, 1), atol=1e-6)
    plain = dicom(CT.astype(np.uint16) % 4096, BitsStored=12, HighBit=11)
    assert np.allclose(gray(plain), (CT.astype(np.uint16) % 4096) / 4095, atol=1e-6)
    exact = dicom(CT, WindowCenter=[0, 9], WindowWidth=[100, 9], VOILUTFunction="LINEAR_EXACT")
    assert np.allclose(gray(exact), ((CT + 50.0) / 100).clip(0, 1), atol=1e-6)


def test_inverted_grays_colors_and_the_first_of_several_frames() -> None:
    values = np.random.default_rng(0).integers(0, 256, (6, 5), dtype=np.uint8)
    assert np.allclose(gray(dicom(values, PhotometricInterpretation="MONOCHROME1")), 1 - values / 255, atol=1e-6)
    color = np.random.default_rng(1).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    assert np.array_equal(read(dicom(color)).pictures[0].permute(1, 2, 0).numpy(), color)
    several = dicom(values, NumberOfFrames=2, PixelData=values.tobytes() * 2)
    assert np.allclose(gray(several), values / 255, atol=1e-6)
    assert any("first of 2 frames" in str(note) for note in read(several).notes)


def test_no_name_of_a_patient_is_read() -> None:
    found = read(dicom(CT, PatientName="Doe^Jane", PatientID="4711"))
    assert "Doe" not in repr(found)
    assert "4711" not in repr(found)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"syntax": "1.2.840.10008.1.2.4.90"}, r"is compressed \(JPEG 2000"),
        ({"PixelData": b"\0" * 40}, "is cut short: 40 bytes of pixels, 512 belong to a frame of 16 × 16"),
        ({"Rows": 60000, "Columns": 60000}, "is too large or empty: 60000 × 60000"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "holds PALETTE COLOR of 1 bands"),
        ({"WindowCenter": 1, "WindowWidth": 5, "VOILUTFunction": "SIGMOID"}, "names a window that is SIGMOID"),
        ({"WindowCenter": 1, "WindowWidth": 0}, "names a window of 0 about 1"),
    ],
)
def test_what_cannot_be_read_says_so_in_one_line(tags: dict[str, Any], why: str) -> None:
    data = dicom(CT, **{k: v for k, v in tags.items() if k != "syntax"})
    if "syntax" in tags:  # written as if it were compressed
        data = data.replace(b"1.2.840.10008.1.2.1\0", tags["syntax"][:19].encode() + b"\0")
        data = data.replace(
            b"UI\x14\x00" + tags["syntax"][:19].encode() + b"\0", b"UI\x16\x00" + tags["syntax"].encode()
        )
    with pytest.raises(BadImage, match=why) as error:
        read(data)
    assert "\n" not in str(error.value)


def test_a_deflated_file_is_not_inflated() -> None:
    import zlib

    data = dicom(CT)
    at = data.index(b"1.2.840.10008.1.2.1\0")
    bomb = data[:at] + b"1.2.840.10008.1.2.1.99\0\0"[:22] + zlib.compress(b"\0" * 10**7)
    bomb = bomb.replace(b"UI\x14\x00" + b"1.2.840.10008.1.2.1.99", b"UI\x16\x00" + b"1.2.840.10008.1.2.1.99")
    with pytest.raises(BadImage, match="is a deflated DICOM file"):
        read(bomb)


@pytest.mark.parametrize("kind", ["dicom", "fits"])
def test_no_damage_is_more_than_a_line(kind: str) -> None:
    whole = dicom(CT) if kind == "dicom" else fits(CT.astype(np.float32), DATAMIN=-1024, DATAMAX=1016)
    chance, told = np.random.default_rng(3), list[str]()
    for n in range(120):
        data = bytearray(whole)
        for _ in range(1 + n % 4):
            data[int(chance.integers(132 if kind == "dicom" else 9, len(data)))] = int(chance.integers(256))
        data = data[: int(chance.integers(200, len(data)))] if n % 3 == 0 else data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read(bytes(data))
            except BadImage as error:
                told.append(str(error))
    assert len(told) > 10
    assert not any("\n" in one for one in told)


def test_fits_lies_as_the_sky_does_in_the_range_of_its_header() -> None:
    values = np.linspace(2, 40, 20, dtype=np.float32).reshape(4, 5)
    values[0, 0] = np.nan
    found = gray(fits(values, DATAMIN=0, DATAMAX=40))
    expected = (values / 40)[::-1]
    assert np.allclose(found[:-1], expected[:-1], atol=1e-6)
    assert found[-1, 0] == 0
    assert np.allclose(
        gray(fits(values), value_range=(10, 20)), np.nan_to_num((values - 10) / 10).clip(0, 1)[::-1], atol=1e-6
    )
    notes = [str(note) for note in read(fits(values, DATAMIN=0, DATAMAX=40)).notes]
    assert any("1 pixels without a value are black" in note for note in notes)
    assert any("0 to 40 from black to white, as its header says" in note for note in notes)


def test_fits_of_whole_numbers_planes_and_parts() -> None:
    from astropy.io import fits as written

    deep = np.random.default_rng(0).integers(0, 65536, (3, 4, 5), dtype=np.uint16)
    assert np.allclose(gray(fits(deep)), deep[0, ::-1] / 65535, atol=1e-6)
    assert any("first of 3 planes" in str(note) for note in read(fits(deep)).notes)
    buffer, small = io.BytesIO(), np.random.default_rng(1).integers(0, 256, (4, 5), dtype=np.uint8)
    written.HDUList([written.PrimaryHDU(), written.ImageHDU(small)]).writeto(buffer)
    assert np.array_equal(gray(buffer.getvalue()), small[::-1])
    with pytest.raises(BadImage, match=r"nothing says which is white: pass value_range=\(black, white\)"):
        read(fits(np.arange(20, dtype=np.int32).reshape(4, 5)))
    with pytest.raises(BadImage, match="holds no pixel with a value"):
        read(fits(np.full((3, 3), np.nan, np.float32)))
    table = io.BytesIO()
    written.HDUList([written.PrimaryHDU()]).writeto(table)
    with pytest.raises(BadImage, match="is a FITS file without an image"):
        read(table.getvalue())


def test_a_header_that_claims_a_huge_image_allocates_none() -> None:
    data = fits(np.zeros((4, 5), np.uint8)).replace(
        b"NAXIS1  =                    5", b"NAXIS1  =           9000000000"
    )
    with pytest.raises(BadImage, match="is too large: 4 × 9000000000 pixels"):
        read(data)


@pytest.mark.parametrize(("kind", "extra"), [("pydicom", "medical"), ("astropy", "astronomy")])
def test_without_the_package_one_line_names_the_extra(
    kind: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = dicom(CT) if kind == "pydicom" else fits(CT.astype(np.float32))
    for name in [name for name in sys.modules if name.partition(".")[0] == kind]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, kind, None)
    (tmp_path / "x.dcm").write_bytes(data)
    with pytest.raises(MissingExtra, match=rf"needs an extra that is not installed: pip install .*\[{extra}\]"):
        read(tmp_path / "x.dcm")
