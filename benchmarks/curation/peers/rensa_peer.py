"""MinHash with rensa, as its README does: `RMinHashDeduplicator` over words, threshold 0.8."""

from measured import Body, Job, removals, run
from rensa import RMinHashDeduplicator


def words(job: Job) -> Body:
    """Words as they stand; candidates are checked against the sketches' similarity."""
    texts = job.read("texts")

    def body():
        index = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
        keeps = index.add_pairs((str(n), text.lower().split()) for n, text in enumerate(texts))
        return {"removed": lambda: removals(keeps)}

    return body


if __name__ == "__main__":
    run({"words": words}, "rensa")
