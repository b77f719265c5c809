"""How much of an output stands in its row."""

from bioinstruct_dagster.curation.quality.grounding.overlap import overlap


def test_words_of_the_input_are_taken_from_it():
    told = overlap("A trial of caffeine and sleep", "Name the exposure.", "Caffeine")
    assert told.is_taken
    assert not told.is_invented


def test_words_that_the_input_lacks_are_new():
    told = overlap("A patient with gout", "Extract the drugs.", "Allopurinol, colchicine")
    assert (told.told, told.new) == (2, 2)
    assert told.is_foreign
    assert told.is_invented


def test_a_word_of_the_instruction_tells_nothing():
    told = overlap("A patient", "State the tumor size and margins.", "Tumor size, margins")
    assert told.told == 0
    assert not told.is_invented


def test_a_figure_that_the_row_lacks_is_invented():
    assert overlap("A patient", "State the size.", "Size: 18 mm").figures
    assert not overlap("A node of 18 mm", "State the size.", "Size: 18 mm").figures
