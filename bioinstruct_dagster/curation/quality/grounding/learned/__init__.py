"""The learned judge of ungrounded inputs: it reads rows that no written form of a name matches."""
