"""How much memory a process may still take."""

import os
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def available_megabytes() -> float:
    """Megabytes that are free on this machine and within the limits of this process's control groups."""
    return min(_read_free(), *(limit - taken for limit, taken in _read_limits())) / 1e6


def _read_free() -> float:
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024.0 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    # Half of all memory where the system does not say what is free.
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    return float("inf")


def _read_limits() -> list[tuple[float, float]]:
    """Bytes that each control group may take and has taken, without the cache of files, which gives way."""
    limits = [(float("inf"), 0.0)]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            inner = Path(line.rsplit(":", 1)[1].strip("/"))
            for part in (inner, *inner.parents):
                limits += _read_limit(_CGROUPS / part, "memory.max", "memory.current", "inactive_file")
        older = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        limits += _read_limit(_CGROUPS / "memory", *older)
    return limits


def _read_limit(place: Path, limit: str, taken: str, cached: str) -> list[tuple[float, float]]:
    with suppress(OSError, ValueError):  # "max" is no number
        words = (place / "memory.stat").read_text().split()
        free = int(words[words.index(cached) + 1])
        return [(float((place / limit).read_text()), float((place / taken).read_text()) - free)]
    return []
