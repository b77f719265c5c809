"""Inputs that mention a material in any words, by kind, and inputs that are the material."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen

MENTIONED = {
    "a note with the name of an operation": (
        (
            "List the complications that occurred.",
            "Procedure note: central line placement",
            "Arterial puncture, which was compressed.",
        ),
    ),
    "a table with its number": (
        (
            "Using the figure provided, state the median survival.",
            "Figure 1: Survival of patients with glioblastoma",
            "The median survival is 14 months.",
        ),
    ),
    "two kinds of results": (
        (
            "Choose the antibiotic by the sensitivity report.",
            "Urine culture and sensitivity report of a woman with cystitis",
            "Nitrofurantoin, because E. coli is sensitive to it.",
        ),
    ),
    "data on normal tissue": (
        (
            "Identify the differentially expressed proteins.",
            "Proteomics data from cancer and normal lung tissue",
            "EGFR and KRT19 are increased.",
        ),
    ),
    "a chat with somebody": (
        (
            "Decide from the chat if the user needs urgent help.",
            "Chat with a symptom checker",
            "Yes, the user has chest pain and sweating.",
        ),
    ),
    "particulars that stand in a form": (
        (
            "Adapt the plan to the patient's goals.",
            "Patient's goals as stated in the referral letter.",
            "Walk 500 m within three weeks.",
        ),
    ),
    "a picture that the task looks at": (
        (
            "Inspect the smear and name the type of parasite.",
            "Blood smear of a traveler with fever",
            "Plasmodium falciparum ring forms.",
        ),
    ),
    "a label with nothing behind it": (
        ("Write the impression of the ultrasound report.", "Findings:", "No gallstones."),
        ("Work out the anion gap.", "Sodium: ___ Chloride: ___ Bicarbonate: ___", "The gap is 14."),
        ("State the pulse of the patient.", "Pulse: ____ bpm", "The pulse is 96."),
    ),
    "a document by its name": (
        ("What does the leaflet say about storage?", "Leaflet of insulin aspart", "Keep it cold."),
        ("Which tests were used in the paper?", "Paper: Naps and memory in nurses", "A t-test."),
        (
            "Summarize what the school policy says about head lice.",
            "Head lice policy of a primary school",
            "Children stay at home for one day.",
        ),
    ),
    "results that exist": (
        ("Interpret the lipid report.", "The lipid report is now available.", "LDL is 182 mg/dL."),
        ("What did the endoscopy find?", "The endoscopy was done on Friday.", "A gastric ulcer."),
        ("Give the ferritin of the patient.", "Her ferritin has come back.", "It is 9 ng/mL."),
    ),
    "members that nobody names": (
        (
            "Say which of his medicines may be stopped.",
            "He takes several medicines.",
            "Omeprazole may be stopped.",
        ),
        ("Sort the antibiotics by spectrum.", "Five antibiotics", "Penicillin V, cefazolin"),
        ("Which of the terms listed is wrong?", "Terms for a quiz on bones", "Ulna is wrong."),
    ),
    "a picture": (
        ("Is the retinal photo normal?", "Retinal photo, left eye", "No, drusen are visible."),
        ("Which beat in the strip is ectopic?", "Rhythm strip, lead II", "The fourth beat."),
    ),
    "a person, while a record is to be copied": (
        ("Extract the drugs and doses.", "A 60-year-old man with gout.", "Allopurinol 300 mg"),
        (
            "List the procedures that were performed.",
            "A woman with a stroke",
            "Thrombectomy, ultrasound",
        ),
        ("What is the patient's occupation?", "A patient with asthma", "Baker"),
    ),
    "a person who was described elsewhere": (
        ("Continue the plan for this man.", "The man from bed 7", "Continue heparin."),
        ("Suggest a drug for her.", "Same patient as yesterday", "Suggest metoprolol."),
    ),
    "a study without its results": (
        (
            "What do the results imply?",
            "Researchers compared two dressings for burns.",
            "Foam dressings should be used, as wounds heal faster.",
        ),
        (
            "Was the aim reached?",
            "An experiment testing whether tea calms mice",
            "Yes, mice slept.",
        ),
    ),
    "a talk": (
        ("What did the father worry about?", "Phone call with a father", "He feared a seizure."),
        ("Turn the notes into a handover.", "Nursing notes, early shift", "Bed 2 has a fever."),
    ),
}
WHOLE = (
    ("Extract the procedure.", "Operative note: laparoscopic appendectomy", "Appendectomy"),
    ("Identify the diagnosis in the note.", "Clinic note: migraine", "Migraine"),
    (
        "Compare normal tissue with tumor tissue.",
        "Normal colon tissue and adenocarcinoma",
        "Normal glands are regular; those of adenocarcinoma are irregular.",
    ),
    ("Interpret the abbreviation.", "NPO", "Nothing by mouth"),
    ("Complete the sentence.", "The biopsy came back positive for", "It was positive for cancer."),
    ("Extract the symptom.", "A man with fever", "Fever"),
    ("Extract the age.", "60-year-old man with gout", "60"),
    ("What does the test measure?", "Spirometry", "How much air a person can breathe out."),
    ("What is the form used for?", "Consent form", "It records that the patient agrees."),
    ("Who publishes the guideline named?", "GINA report", "The Global Initiative for Asthma"),
    ("State the main finding.", "CT report with a fracture of the hip", "Fracture of the hip"),
    ("Which drugs suit the patient?", "Patient with epilepsy", "Levetiracetam or lamotrigine"),
    ("Find the incidence rate.", "12 new cases in 4,000 person-years", "3 per 1,000"),
    ("Classify the message.", "Please renew my prescription.", "A request"),
    ("Suggest questions for the interview.", "An interview about sleep", "When do you go to bed?"),
    ("Identify the population in the title.", "Yoga in Asthma: A Trial", "People with asthma"),
    ("Interpret this ECG.", "Rate 44, P waves without relation to the QRS", "Heart block"),
    ("Which department handles this?", "Pathology report of the breast", "Pathology"),
    ("Assess the drug list.", "Drug list including warfarin and aspirin", "Bleeding is likely."),
)


@pytest.mark.parametrize(
    "row", [row for rows in MENTIONED.values() for row in rows], ids=lambda row: row[1]
)
def test_a_mention_is_no_material(row):
    assert seen(*row) is not None


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row[1])
def test_an_input_with_content_or_a_task_about_the_name_is_grounded(row):
    assert seen(*row) is None
