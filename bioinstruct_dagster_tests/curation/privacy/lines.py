"""Single lines as clinical texts write them: with marked identifiers, and without any.

`[kind|text]` marks an identifier of that kind. Everything here is invented. The patterns were tuned
on these lines, so they show that a way of writing is handled, not how often.
"""

# Names. A line may hold only a name: the row is then flagged, and its name is listed.
NAMED = r"""
Hi, I'm [name|Tom Weaver], I have an appointment at ten.
Patient: Hello doctor, my name is [name|Priscilla Odum].
Doctor: And you are? Patient: [name|Marta Kowalczyk], with a K.
Doctor: Good morning, [name|Tom]. What brings you in today? Patient: It's the cough again. DOB is [date|3/4/1961].
Good afternoon, Mister [name|Alvarez].
Guest_family: This is my husband, [name|Dale Hutchins].
Thanks for coming in, Mrs. [name|Brannigan].
Doctor: I'm Doctor [name|Ilse Vandermeer], and I'll be your surgeon.
Doctor: So you must be [name|Gloria Simms]?
Patient: Everyone calls me [name|Bernie Latham].
pt [name|john weaver], dob [date|3/4/61], c/o sob x 3 days
[name|maria lopez], 67f, here for bp check, mrn [mrn|448210]
mr [name|weaver] was seen in clinic, mrn [mrn|448210].
name: [name|derek o'connell]
Pt [name|Weaver] states the pain is worse, acct # [account|7748201].
PATIENT: [name|JOHN R. WEAVER]
PATIENT NAME: [name|LOPEZ, MARIA]
[name|MARIA LOPEZ] WAS SEEN TODAY FOR FOLLOW UP. MRN [mrn|5520194].
MR. [name|WEAVER] DENIES CHEST PAIN.
Dear Dr. [name|Patel],
Dear [name|Susan],\nYour blood test is normal. MRN [mrn|5520194].
Dear Ms. [name|Okonkwo-Reyes]:
Sincerely,\n[name|Karen Holloway], MD
Kind regards,\nDr [name|Niamh Gilhooly]
Yours sincerely\n\n[name|P. Raghunathan]\nConsultant cardiologist
Electronically signed by [name|Anita Desrosiers], RN on [date|04/11/2021]
Dictated by: [name|R. Fontaine], MD
/s/ [name|Leonard Baptiste]
Attending: [name|K. Moorthy], MD
cc: [name|Harriet Oyelaran], NP
Referring physician: [name|Søren Lindqvist]
Surgeon: [name|A. J. Whitcombe], FRCS
Seen and examined with [name|J. Castellano], PA-C.
Mr. [name|T. Weaver] returned for his stitches.
Miss [name|Zofia Kamińska] has asthma.
Dr. [name|van der Berg] reviewed the films.
Señora [name|Ruiz de la Torre] came with an interpreter.
Sister [name|Mary Agnes Doyle] dressed the wound.
Her daughter [name|Michelle] helps with the pills, MRN [mrn|5520194].
His wife, [name|Susan Park], says he snores.
Wife ([name|Susan Park]) is at the bedside.
Next of kin: [name|Abdul Rahman Siddiqui] (son)
Emergency contact: [name|Lucille Grant], sister, [phone|(512) 555-0187].
The patient's mother, [name|Yolanda Prieto], gave the history.
Lives with her partner [name|Declan Moody].
Her son's name is [name|Oscar Lindgren].
Father: [name|Hamish Drummond]
The patient's sister [name|Beatriz] has lupus, MRN [mrn|5520194].
[name|Tom Weaver] is a 54-year-old man with gout.
[name|Weaver, Tom] (MRN [mrn|00482913]) was transferred.
[name|Eleanor Whitcombe], DOB [date|04/11/1949], was seen for palpitations.
[name|Tadeo Quispe] complains of a dry cough.
Re: [name|Nkechi Eze]
RE: [name|Weaver, Thomas J.]
This letter concerns [name|Jerome Tillman], who was seen in my clinic.
Subject: [name|Amina Yusuf] - discharge letter
Patient [name|Ravi Subramanian] was counselled.
Ms. [name|Chen]'s mother called.
I spoke with [name|Aurelio Conti] by telephone about the biopsy.
The case was discussed with Dr. [name|Sarah Kim-Novak] from oncology.
Nurse [name|Tilda Braun] gave the injection.
Prof. [name|Ochieng] agreed with the plan.
Caller: [name|Winston Achebe] (brother)
Interpreter: [name|Li Na Zhou]
Witness: [name|Deborah Flint]
PCP: [name|Gupta]
""".strip().splitlines()

# Every other kind. Each line identifies, so its row is rejected.
NUMBERED = r"""
DOB: [date|04/11/1949]
D.O.B. [date|11-04-49]
dob [date|4/11/49]
Date of birth: [date|11 April 1949]
Date of Birth [date|1949-04-11]
DOB [date|19490411]
DOB: [date|11.04.1949]
DOB: [date|11-APR-1949]
DOB [date|11Apr1949]
Birthdate: [date|April 11, 1949]
Born on the [date|11th of April 1949] in a small clinic.
Born [date|April 11th, 1949].
He was born on [date|11/4/1949].
(b. [date|11/04/1949])
born [date|11/04/1949]
Birthday: [date|Apr. 11, 1949]
Date of birth (dd/mm/yyyy): [date|11/04/1949]
Patient: My date of birth is [date|April eleventh nineteen forty nine].
Patient: I was born on [date|April 11th, 1949], so do the math.
Patient: My birthday is [date|April 11, 1949].
Admitted: [date|03/02/2021]
Admission Date: [date|2021-03-02]
Date of admission: [date|2 March 2021]
Adm [date|3/2/21], d/c [date|3/5/21]
Discharge Date: [date|05-Mar-2021]
Discharged [date|March 5, 2021] to rehab.
The patient was admitted on [date|March 2nd, 2021] with pneumonia and discharged on [date|March 9th, 2021].
She was admitted from [date|March 2, 2021] to [date|March 9, 2021] for pneumonia.
On [date|2 March 2021] she was admitted with sepsis.
On [date|03/02/2021], the patient underwent an appendectomy.
Date of service: [date|03/02/2021]
Date of death: [date|12/24/2020]
He passed away on [date|December 24, 2020].
Seen in clinic [date|03/02/2021].
Her last visit was on [date|March 2, 2021].
DOS: [date|3-2-2021]
He is scheduled for surgery on [date|April 3, 2024].
Date of Procedure: [date|02.03.2021]
Hospitalized [date|3/2/2021]-[date|3/9/2021] for CHF.
This is a [age_over_89|93]-year-old woman with a hip fracture.
[age_over_89|94] yo F from a nursing home.
[age_over_89|92]F with dementia.
Pt is a [age_over_89|91] y.o. male.
Age: [age_over_89|95]
The patient, aged [age_over_89|97], lives alone.
She turned [age_over_89|101] last week.
A [age_over_89|102] year old man was brought in.
A [age_over_89|ninety-two]-year-old woman.
Patient: I'm [age_over_89|ninety three] years old, doctor.
Doctor: How old are you? Patient: I am [age_over_89|94].
He is [age_over_89|96] years of age.
[age_over_89|90]-year-old gentleman with CHF.
The patient is [age_over_89|91] years old.
MRN: [mrn|00482913]
MRN [mrn|00482913]
MRN# [mrn|4829131]
mrn [mrn|A482913]
Medical record number: [mrn|48-29-13]
Med Rec No. [mrn|482913]
Hospital number [mrn|H1234567]
Hospital No: [mrn|482913]
Patient ID: [mrn|PT-48291]
Pt ID [mrn|48291]
Unit number: [mrn|K482913]
Chart # [mrn|48291]
Record no. [mrn|482913]
NHS number: [mrn|943 476 5919]
NHS No [mrn|943-476-5919]
NHS: [mrn|9434765919]
UR number [mrn|482913]
CHI number: [mrn|1104490123]
Phone: [phone|(512) 555-0187]
Call her on [phone|512-555-0187].
cell [phone|512.555.0187]
Home phone [phone|512 555 0187], work [phone|512 555 0199]
Tel: [phone|+44 20 7946 0958]
Telephone [phone|0161 496 0123]
Mobile: [phone|07700 900123]
tel. [phone|+49 30 901820]
Phone: [phone|+33 1 42 68 53 00]
Call [phone|+61 2 9876 5432] after hours.
Ring his daughter on [phone|020 7946 0958].
Contact no: [phone|+91 98765 43210]
Phone [phone|(02) 9876 5432]
Reach me at [phone|555-0142].
[phone|+1-512-555-0187] is the best number.
Patient: You can call my wife at [phone|512-555-0187].
Her number is [phone|512-555-0187].
Pager [phone|512-555-0166]
Fax: [fax|512-555-0143]
F: [fax|+44 20 7946 0959]
Please fax results to [fax|(512) 555-0143].
Email: [email|t.weaver61@gmail.com]
e-mail [email|tom_weaver@outlook.co.uk]
Write to [email|susan.park@clinicmail.org].
Contact [email|eleanor.whitcombe@stmaryshospital.org] with results.
Patient: It's [email|weaverfamily5@yahoo.com].
She lives at [location|14 Rosemary Close, Leeds LS6 3AB].
Address: [location|221B Baker Street, London NW1 6XE]
Address: [location|4872 Maplewood Drive, Apt 3B, Dayton, OH 45402]
Lives at [location|77 Old Mill Rd], with her sister.
Home: [location|P.O. Box 1182, Dayton, OH 45402]
He resides at [location|1600 W. 5th Avenue, Columbus, Ohio].
[location|12 Elm St., Springfield, IL 62704]
Flat 4, [location|19 Harbour Terrace, Bristol BS1 5TY]
Patient: I live at [location|310 Pine Ridge Court].
Postcode [location|M13 9PL]
zip [location|45402]
SSN: [ssn|219-09-9999]
SSN [ssn|219 09 9999]
Social security number: [ssn|219-09-9999]
ss# [ssn|219-09-9999]
Social: [ssn|219-09-9999]
SSN ending in [ssn|9999]
Insurance ID: [health_plan|XWV883920114]
Insurance: Aetna, ID [health_plan|W1234 56789]
Aetna member ID [health_plan|W123456789]
Medicare [health_plan|1EG4-TE5-MK73]
Medicaid ID: [health_plan|AB12345C]
Policy no. [health_plan|88-2041-993]
Policy #[health_plan|GH4482910]
Group number: [health_plan|0087612]
Subscriber ID [health_plan|YQP449201773]
Member #: [health_plan|884920113]
Blue Cross Blue Shield policy [health_plan|XYZ123456789]
Account number: [account|7748201993]
Acct [account|77482019]
Guarantor account: [account|7748201]
Credit card [account|4111 1111 1111 1111]
Driver's license [license|D1234567]
Driving licence: [license|WEAVE604119TJ9AB]
License no. [license|TX-448291]
NPI [license|1234567893]
NPI: [license|1098765432]
DEA # [license|BW4829134]
VIN [vehicle|1HGCM82633A004352]
License plate: [vehicle|KXR 4821]
Licence plate [vehicle|AB12 CDE] was seen by the crew.
Number plate [vehicle|LK19 XWZ]
Pacemaker serial number: [device|PJN482913H]
Medtronic pacemaker, serial no. [device|PJN482913]
Pacemaker (serial [device|PJN482913H])
Device ID: [device|DX-448291]
ICD S/N [device|ABC482913]
Insulin pump serial: [device|SN-77482]
Serial # [device|00448291]
SN: [device|448291-A]
UDI [device|(01)00844588003288(17)141120(10)7654321D]
Hip implant lot number [device|L448291]
Implant ID: [device|IM448291]
CPAP serial no [device|P1548291]
Profile: [url|https://www.facebook.com/tom.weaver.61]
See his blog at [url|https://tomweaver.wordpress.com].
Login from [ip|203.0.113.77].
Passport no. [other_id|X12345678]
Passport: [other_id|512384771]
National insurance number [other_id|QQ 12 34 56 C]
Employee ID [other_id|E448291]
Accession number: [other_id|S21-44829]
Case number [other_id|2021-44829]
Encounter # [other_id|44829113]
Specimen ID: [other_id|SP-448291]
Student ID [other_id|S4482913]
She is in [location|St. Mary's Hospital, Room 412].
Location: [location|Mercy General Hospital, Room 12B, Bed 2]
Transferred to [location|Riverside Medical Center, room 308].
Seen in [location|Ward 7, Bed 14] of [location|Leeds General Infirmary].
[location|Lakeside Community Hospital, Rm 220]
""".strip().splitlines()

# No identifier of anyone.
SOUND = r"""
100 male Wistar rats were divided into four groups.
Ninety-two female Sprague-Dawley rats and 95 male C57BL/6 mice were used.
Adult male Long Evans rats were bought from Charles River Laboratories.
She had a fever (101F) and chills.
Temperature was 102F, then 99F by morning.
A temp of 103 F, heart rate 110.
Fever up to 104F since yesterday.
Keep the vaccine between 36F and 46F, never above 95F.
All adults admitted to the ICU from January 1, 2010 to December 31, 2015 were included.
Patients were seen between March 1, 2012 and June 30, 2014.
Children admitted from 1 June 2018 through 31 May 2019 were eligible.
We searched MEDLINE up to December 31, 2020.
Medical records from January 2010 to December 2015 were reviewed.
Data were collected from 01/01/2010 to 31/12/2015.
Consecutive admissions from Jan 1, 2015, to Dec 31, 2016, were studied retrospectively.
Of 1,204 deliveries between 1 January 2011 and 31 December 2013, 92 were preterm.
The first case was reported on December 31, 2019.
Published online March 3, 2021. Received 4 May 2020; accepted 6 June 2020.
Last reviewed: 12 May 2021. Page last updated on April 3, 2020.
The guideline was released on March 3, 2021.
Follow-up ended on December 31, 2018.
Chapter 3 The Circle of Willis and its variants.
Chapter 12 Long Road to recovery.
Section 4 The Way forward.
Step 2 Close the airway loop.
Figure 5 Golden Square of the pelvis.
1 The Drive for thinness 2 Body Hill
Type 1 Court of appeal
Cells were seeded in 96-well plates at 5000 cells per well.
Cells were plated on Plate A1 and plate B12.
In a 24-well plate (Corning 3524), wells A1-A6 were blank.
Plate 12A shows the fundus.
The growth plate: L4 and L5 vertebrae.
The plates, ABO 12 typing, were read at 450 nm.
Vaccine lot numbers are recorded on the card.
For more information contact the National Kidney Foundation at 212-889-2210.
National Heart, Lung, and Blood Institute, P.O. Box 30105, Bethesda, MD 20824-0105, 301-592-8573
American Heart Association, 7272 Greenville Avenue, Dallas, TX 75231
CDC, 1600 Clifton Road, Atlanta, GA 30333; 404-639-3311; cdcinfo@cdc.gov
Call the poison control center at 1-800-222-1222.
Contact the Crohn's and Colitis Foundation: info@ccfa.org, 212-685-3440.
Alzheimer's Society helpline: 0300 222 1122
Samaritans: 116 123, jo@samaritans.org
See www.nhs.uk/conditions or www.diabetes.org.uk for advice.
Food and Drug Administration, 10903 New Hampshire Avenue, Silver Spring, MD 20993
For information write to the NIDCD Information Clearinghouse, 1 Communication Avenue, Bethesda, MD 20892-3456. E-mail: nidcdinfo@nidcd.nih.gov
Report side effects to MedWatch at 1-800-FDA-1088 or to Pfizer Inc at 212-733-2323.
Wilson disease, Graves disease, Charcot-Marie-Tooth disease, Von Willebrand disease.
Marfan Syndrome and Ehlers Danlos Syndrome are connective tissue disorders.
A Graham Steell murmur, an Austin Flint murmur, a Marcus Gunn pupil.
The Paul Bunnell test and the Rose Bengal stain.
Christmas disease was named after Stephen Christmas.
The Stanley Milgram experiment is well known.
Ann Arbor stage III, Gleason 4+3, Kaplan Meier curves, Mann Whitney U test.
The Edward Jenner vaccine; Louis Pasteur proved the germ theory in 1861.
St. Jude Medical valve; Johns Hopkins; Florence Nightingale notes on nursing.
Thomas Addison described adrenal failure in 1855.
Allegra 180 mg daily; Yasmin 1 tablet; Mercedes Benz sign; Viola odorata extract.
MARK2, JAK2, KIT, MET, ROS1, ALK and MAX genes; RAD51, ROBO1.
KRAS G12D, BRAF V600E, TP53 R273H, HLA-B*57:01.
Allan Herndon Dudley syndrome is caused by SLC16A2.
CAS registry number 50-78-2, UniProt P04637, PDB 1TUP, GenBank accession number AY278741.
PROSPERO registration number CRD42020179911; ChiCTR2000029953; EudraCT number 2012-000123-32.
Ethics approval number 2019-44821; IRB protocol no. 18-02931.
Adults aged 90 and over; people older than 95; 92 patients; age range 18-95 years.
92 women and 95 men were enrolled; 90 male and 110 female participants.
His SpO2 was 93 on room air; SBP 92; pulse 98.
He was given 93 units, aged 14.
At age 60, 90 or 95 percent of the peak.
The patient lives in a nursing home in the north of the state.
Room temperature; operating room 3; exam room 2.
The patient was seen in room 4 of the clinic.
Memorial Hospital has 412 beds.
Doctor: I'm Catholic. Patient: I'm Hispanic and my wife is Irish.
Doctor: Good morning. Patient: Hi, Doctor.
Patient: I'm Okay. Doctor: I'm Sorry to hear that.
My doctor is great. His wife is Greek. Her mother Denies it.
Give Ativan 1 mg, Lasix 40 mg. Dr is aware.
The MS patients and MR imaging; mrs 3 at 90 days.
The patient's mother has Hashimoto's and her sister has Raynaud's.
Dear Editor, we read the article by Smith and Jones with interest.
Dear Sir or Madam,
Reference: Smith J, Weaver T. Lancet 2019;393:1234-1245.
(Weaver et al., 2019); Lee K, Park S. N Engl J Med 2020;382:1199-207.
HR 92, BP 120/80, Temp 98.6, RR 18, O2 sat 95.
Sodium 135-145; pH 7.35-7.45; 10-20-30; 3/14 blasts.
Phase 3 trial NCT01234567 with 1200 participants in 90 centers.
The phone app was used 5551234 times.
""".strip().splitlines()
