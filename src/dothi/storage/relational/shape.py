"""The shape of the store: which entities of which types and scopes have which attributes.

A number that moves whenever that changes; values alone leave it. What was computed of the shape is
good until then.
"""

SHAPE = "shape"
"""Name of the watermark."""
SHAPE_CHANGED = (
    f"INSERT INTO watermark (name, value) VALUES ('{SHAPE}', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = value + 1"
)
