"""The embedded teacher and base model, which let the whole chain run with no key, network or GPU.

Everything they make is marked `rehearsal` and can't be published.
"""

FINGERPRINT = "fp_rehearsal"  # what the rehearsal server signs its replies with
