"""`python -m bioinstruct_dagster.curation.quality.grounding.learned` learns the weights anew.

It prints how well the judge does on the rows of each writer whom it did not learn from, and writes
`data/grounding_weights.json`.
"""

import sys

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.curation.quality.grounding.learned.examples import grounding_examples
from bioinstruct_dagster.curation.quality.grounding.learned.held_out import held_out_table
from bioinstruct_dagster.curation.quality.grounding.learned.training import learn, write
from bioinstruct_dagster.curation.quality.grounding_weights import WEIGHTS
from bioinstruct_dagster.errors import StatedError


@quiet_on_closed_pipe
def main() -> int:
    """Print the table, write the weights, and return the exit status."""
    try:
        examples = grounding_examples()
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    print(held_out_table(examples))
    write(learn(examples), WEIGHTS)
    print(f"Wrote {WEIGHTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
