"""The embedded teacher and base model: the whole chain runs without a key, network or GPU.

All rows, adapters and scores made with them are marked `rehearsal` and can't be published.
"""

FINGERPRINT = "fp_rehearsal"  # the `system_fingerprint` of the rehearsal server's replies
