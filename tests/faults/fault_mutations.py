"""Damage to bytes, reproducible one by one: the n-th input of a seed is a function of (seed, n) and nothing else."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fercli import seeds

Rng = np.random.Generator
NUMBERS = (0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63)
CELLS = (
    *("", " ", "0", "-1", "1e999", "-inf", "NaN", "nan", "inf", "1_0", "0x10", "9" * 400, "9" * 5000, "1e-400", "-0.0"),
    *("\0", "a\0b", "\ufeff", "é", "\u202e", "\x1b[31m", "'", '"', '""', "a\nb", "a\r", ",", ";", "\t", "=1+1", "null"),
    *(
        "../x",
        "/etc/passwd",
        "C:\\x",
        "happy",
        "fear",
        "Training",
        "test",
        "xn--",
        "١٢",
        "𝟙",
        "True",
        "[]",
        "{}",
        "x" * 300,
    ),
)
JSON_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 2**63, 10**400, "", "x", "é\0", "../..", [], {}, [None], {"a": {}}),
    *([[]], {"": 0}, "happy", -0.0, "x" * 3000, [1, 2, 3], list(range(100))),
)


def rng_of(seed: int, *path: str | int) -> Rng:
    """The generator of one input."""
    return seeds.generator(seed, "fuzz", *path)


def _pick(rng: Rng, items: Sequence[Any]) -> Any:
    return items[int(rng.integers(len(items)))]


def damaged_bytes(rng: Rng, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """One to six random edits: flipped bits, numbers at the edge, pieces cut, doubled, moved in from other files."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if not out:
            return bytes(rng.integers(0, 256, 8, dtype=np.uint8))
        at, kind = int(rng.integers(len(out))), int(rng.integers(9))
        length = int(rng.integers(1, max(2, min(64, len(out)))))
        if kind == 0:
            out[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            out[at] = int(rng.integers(256))
        elif kind == 2:
            size, order = _pick(rng, (1, 2, 4, 8)), _pick(rng, ("little", "big"))
            value = int(_pick(rng, NUMBERS)) & (1 << 8 * size) - 1
            out[at : at + size] = value.to_bytes(size, order)
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            del out[at : at + length]
        elif kind == 5:
            out[at:at] = out[at : at + length] * int(rng.integers(1, 4))
        elif kind == 6 and others:
            other = _pick(rng, others)
            start = int(rng.integers(len(other))) if other else 0
            out[at : at + length] = other[start : start + length]
        elif kind == 7:
            out[at:at] = str(_pick(rng, CELLS)).encode("utf-8", "surrogatepass")
        else:
            # Headers decide most: half the edits in the first bytes.
            out[at % min(64, len(out))] = int(rng.integers(256))
    return bytes(out)


def damaged_table(rng: Rng, data: bytes) -> bytes:
    """A CSV with cells replaced, columns and rows doubled, dropped or swapped, now and then in another encoding."""
    rows = [line.split(",") for line in data.decode("utf-8").splitlines()]
    for _ in range(int(rng.integers(1, 4))):
        row = _pick(rng, rows)
        kind = int(rng.integers(8))
        if kind <= 2 and row:
            row[int(rng.integers(len(row)))] = str(_pick(rng, CELLS))
        elif kind == 3 and row:
            del row[int(rng.integers(len(row)))]
        elif kind == 4:
            row.insert(int(rng.integers(len(row) + 1)), str(_pick(rng, CELLS)))
        elif kind == 5:
            rows.insert(int(rng.integers(len(rows) + 1)), list(row))
        elif kind == 6 and len(rows) > 1:
            rows.remove(row)
        else:
            column = int(rng.integers(max(1, len(rows[0]))))
            for line in rows:
                if column < len(line):
                    del line[column]
    text = _pick(rng, ("\n", "\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows)
    encoding = _pick(rng, ("utf-8", "utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "utf-8-sig"))
    return text.encode(encoding, "replace")


def damaged_json(rng: Rng, data: bytes) -> bytes:
    """JSON with a value replaced, dropped, renamed or added at one to three random places; still JSON."""
    value = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        value = _damaged_value(rng, value)
    return json.dumps(value, allow_nan=True).encode()


def _damaged_value(rng: Rng, value: Any) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key, kind = _pick(rng, list(value)), int(rng.integers(10))
        changed = dict(value)
        if kind == 0:
            del changed[key]
        elif kind == 1:
            changed[str(_pick(rng, CELLS))] = changed.pop(key)
        else:
            changed[key] = _damaged_value(rng, value[key])
        return changed
    if isinstance(value, list) and value and rng.random() < 0.7:
        at, kind = int(rng.integers(len(value))), int(rng.integers(6))
        if kind == 0:
            return value[:at] + value[at + 1 :]
        if kind == 1:
            return [*value[:at], value[at], *value[at:]]
        return [*value[:at], _damaged_value(rng, value[at]), *value[at + 1 :]]
    return _pick(rng, JSON_VALUES)


def damaged_zip(rng: Rng, data: bytes, damage: Callable[[Rng, bytes], bytes] = damaged_bytes) -> bytes:
    """A zip whose members are damaged before they are packed, so that their checksums hold."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        members = archive.infolist()
        hit = int(rng.integers(len(members)))
        for index, entry in enumerate(members):
            body = archive.read(entry)
            changed.writestr(entry.filename, damage(rng, body) if index == hit else body)
    return out.getvalue()
