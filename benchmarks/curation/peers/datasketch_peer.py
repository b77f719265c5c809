"""MinHash with datasketch: a row is dropped where the index knows one like it.

Two usual settings: the library's own (128 permutations, threshold 0.9, over words; distilabel's
too), and that of corpus tools (word 5-grams, threshold 0.7; text-dedup, data-juicer). Sketches are
made by `MinHash.generator`, the bulk way that its documentation names.
"""

from datasketch import MinHash, MinHashLSH
from measured import Body, Job, removals, run


def words(job: Job) -> Body:
    """Words as they stand."""
    return _body(job, _words, 0.9)


def shingles(job: Job) -> Body:
    """Every five words in a row."""
    return _body(job, _shingles, 0.7)


def _body(job: Job, parts, threshold: float) -> Body:
    texts = job.read("texts")

    def body():
        index = MinHashLSH(threshold=threshold, num_perm=128)
        keeps = []
        sketches = MinHash.generator((parts(text) for text in texts), num_perm=128)
        for number, sketch in enumerate(sketches):
            keep = not index.query(sketch)
            keeps.append(keep)
            if keep:
                index.insert(number, sketch, check_duplication=False)
        return {"removed": lambda: removals(keeps)}

    return body


def _words(text: str) -> list[bytes]:
    return text.lower().encode().split()


def _shingles(text: str) -> list[bytes]:
    tokens = _words(text)
    return [b" ".join(tokens[n : n + 5]) for n in range(max(1, len(tokens) - 4))]


if __name__ == "__main__":
    run({"words": words, "shingles": shingles}, "datasketch")
