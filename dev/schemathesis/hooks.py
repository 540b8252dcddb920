"""What schemathesis cannot know of the gateway: events that are sealed, and names that are there.

WAYBILL_SAMPLES: a JSON file, of tests/tests/gateway/api.rs.
"""

import json
import os

import schemathesis
from hypothesis import strategies as st

with open(os.environ["WAYBILL_SAMPLES"], encoding="utf-8") as file:
    samples = json.load(file)

# Of two requests one has a real one.
sealed = st.one_of(st.sampled_from(samples["sealed"]), st.text())
schemathesis.openapi.format("jwe", sealed)
schemathesis.openapi.media_type("application/jose", sealed.map(str.encode))
lines = st.lists(sealed, max_size=5).map("\n".join)
schemathesis.openapi.media_type("application/x-ndjson", lines.map(str.encode))
for media_type in samples["media_types"]:
    payload = st.one_of(st.sampled_from(samples["payloads"]).map(str.encode), st.binary())
    schemathesis.openapi.media_type(media_type, payload)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name is one that the carrier has, or another's."""
    for name, text in (path_parameters or {}).items():
        known = samples["names"].get(name)
        if known and isinstance(text, str) and len(text) % 2 == 0:
            path_parameters[name] = known[len(text) // 2 % len(known)]
    return path_parameters
