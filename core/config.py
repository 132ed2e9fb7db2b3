"""Settings from the environment: every ``HOURGLASS_*`` variable is read and checked here."""

import math
import os
from pathlib import Path

import platformdirs

from core.errors import BadInput


def check_settings() -> None:
    """Read every setting; BadInput names a wrong variable, its value and what is allowed."""
    for name in ("HOURGLASS_DATA", "HOURGLASS_RUNS"):
        folder = _folder(name)
        # The deepest existing part must be a folder; the rest is created on use.
        while folder and not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        if folder and not os.path.isdir(folder):
            raise BadInput(f"{name}={os.environ[name]} is not allowed: {folder} is not a folder.")
    for read in (quota_gb, upload_limit, niceness, threads, is_workshop):
        read()


def user_cache() -> Path:
    """The platform's cache folder for this program."""
    return platformdirs.user_cache_path("hourglass", appauthor=False) / "data"


def data_folder() -> Path:
    """`HOURGLASS_DATA`: the folder of the full data sets; default: the user's cache."""
    return _folder("HOURGLASS_DATA") or user_cache()


def runs_folder() -> Path:
    """`HOURGLASS_RUNS`: the folder of this person's runs; default: the platform's folder for application data."""
    return _folder("HOURGLASS_RUNS") or platformdirs.user_data_path("hourglass", appauthor=False) / "runs"


def quota_gb() -> float:
    """`HOURGLASS_QUOTA_GB`: gigabytes that this person's runs may take, default 5."""
    return _number("HOURGLASS_QUOTA_GB", 5.0, "a number of gigabytes above 0, such as 5", lambda n: 0 < n < math.inf)


def upload_limit() -> int:
    """`HOURGLASS_UPLOAD_MB`: bytes that a file which a person brings may have, given in megabytes, default 200."""
    allowed = "a number of megabytes above 0, such as 200"
    return int(_number("HOURGLASS_UPLOAD_MB", 200.0, allowed, lambda n: 0 < n < math.inf) * 1e6)


def niceness() -> int:
    """`HOURGLASS_NICE`: niceness of the training process, 0 (as the app) to 19 (lowest priority), default 10."""
    return int(_number("HOURGLASS_NICE", 10, "a whole number from 0 to 19", lambda n: n in range(20)))


def threads() -> int:
    """`HOURGLASS_THREADS`: threads of a background process, default 1."""
    return int(_number("HOURGLASS_THREADS", 1, "a whole number from 1 to 1024", lambda n: n in range(1, 1025)))


def is_workshop() -> bool:
    """`HOURGLASS_WORKSHOP`: whether many people share this app."""
    given = os.environ.get("HOURGLASS_WORKSHOP", "")
    if given.strip().lower() in ("", "0", "no", "false", "off"):
        return False
    if given.strip().lower() in ("1", "yes", "true", "on"):
        return True
    raise BadInput(f"HOURGLASS_WORKSHOP={given} is not allowed: it is 1 or 0.")


def presenter_key() -> str:
    """`HOURGLASS_PRESENTER_KEY`: the secret of a room's presenter, made by `make workshop`; "" elsewhere."""
    return os.environ.get("HOURGLASS_PRESENTER_KEY", "")


def _folder(name: str) -> Path | None:
    given = os.environ.get(name, "")
    try:
        return Path(given).expanduser() if given.strip() else None
    except RuntimeError:
        raise BadInput(f"{name}={given} is not allowed: there is no such user, so give a folder.") from None


def _number(name: str, default: float, allowed: str, is_allowed) -> float:
    given = os.environ.get(name, "")
    try:
        number = float(given) if given else default
    except ValueError:
        number = math.nan
    if not is_allowed(number):
        raise BadInput(f"{name}={given} is not allowed: it is {allowed}.")
    return number
