"""What the linked maps were sent, and rows selected in them as the browser does."""

import base64
from functools import partial

import numpy as np

from tests.frontend.messages import read_message

SENT = "maps:maps"


def _read(app, kind: str):
    """Header and arrays of the message of this kind."""
    mounted = [c.proto for c in app.get("bidi_component") if c.proto.component_name == "hourglass_maps"]
    messages = [read_message(proto.bytes) for proto in mounted if proto.bytes]
    return next(message for message in messages if message[0]["kind"] == kind)


message, pictures = partial(_read, kind="maps"), partial(_read, kind="pictures")


def titles(app) -> list[str]:
    return [each["title"] for each in message(app)[0]["maps"]]


def choose(app, positions, turn=1):
    """Select rows as the browser does."""
    header, arrays = message(app)
    bits = np.zeros(len(arrays["rows"]), bool)
    bits[positions] = True
    packed = base64.b64encode(np.packbits(bits)).decode()
    return app.set_state(SENT, {"selection": f"{header['id']}:{turn}:{packed}"})
