"""lm-evaluation-harness's decontamination: its `Janitor`, 13-grams as registered by default.

In Python mode: its C++ module gives every n-gram of a row back as contamination
(`Janitor.clean_cpp` never looks at what was registered). `minimum_slice_length` is 0, since by
default any row under 200 characters vanishes, contaminated or not.
"""

from lm_eval.decontamination.janitor import Janitor
from measured import Body, Job, run


def contamination(job: Job) -> Body:
    """Rows of which something is cut away."""
    items, rows = job.read("items"), job.read("rows")
    contaminants = ["\n".join((i["context"], i["question"], i["answer"])) for i in items]
    texts = ["\n".join(row) for row in rows]

    def body():
        janitor = Janitor(minimum_slice_length=0)
        for text in contaminants:
            janitor.register_contaminant_python(text)
        return {
            "removed": [n for n, text in enumerate(texts) if janitor.clean_python(text) != [text]]
        }

    return body


if __name__ == "__main__":
    run({"contamination": contamination}, "lm_eval")
