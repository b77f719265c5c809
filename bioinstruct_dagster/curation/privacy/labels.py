"""The labels of clinical notes, by kind, and the patterns for telephones, pictures and biometrics.

Belongs here: rules as data. Does not: how they are applied (labelled). The words before a label are
those of which a text must hold one before the label's pattern is tried.
"""

from bioinstruct_dagster.curation.privacy.labelled import (
    GAP,
    GROUPS,
    NUMBER,
    PHONE_GAP,
    plain,
    strong,
    weak,
)

_SSN = r"(?P<v>[\dx*]{3}[-. ]?[\dx*]{2}[-. ]?\d{4}|\d{4})(?![\w-])"
_PLATE = r"(?P<v>(?-i:(?=[A-Z -]{0,5}\d)[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{1,4}){1,2}))(?!\w)"
_PHONE = (
    r"(?P<v>\+?\(?\d{1,10}+\)?(?:(?:[ /-]|\.(?=\d)|\s-\s|(?<=\))){1,2}+\(?\d{2,8}+\)?){0,5}"
    r"(?:\s?(?:x|ext)\.?\s?\d{1,5})?)(?!\w)"
)
_CALL = (
    r"\.?(?:[ \t](?:\w{1,12}['’]?\w?[ \t]){0,4}(?:at|on|to|is|via|no\.?|number|phone)"
    rf"|\s?\([a-z]{{1,8}}\))?{PHONE_GAP}"
)
_IMAGE = r"\.(?:jpe?g|png|heic|tiff?|bmp|gif)\b"
_FACE = r"(?:full[- ]?face(?:d|ial)?|facial|face|frontal[- ]face|portrait)"
_PICTURE = r"(?:photo(?:graph)?|picture|image|headshot|portrait|snapshot|selfie)"
_PERSONS = (
    r"(?:of (?:the |this |our )?(?:patient|pt|him|her|child)|(?:patient|his|her|pt)(?:['’]s)?)"
)
_KEPT = (
    r"(?:attached|enclosed|uploaded|on file|stored|saved|scanned|archived|included|filed|taken"
    r"|in (?:the |his |her )?(?:chart|record|file)|appended|obtained|available at)"
)
_SHOWN = rf"(?=[^.!?\n]{{0,60}}\b{_KEPT}|[^.!?\n]{{0,40}}{_IMAGE})"
_PHOTO_WORDS = "photo photograph picture image headshot portrait snapshot selfie face facial head"
_BIOMETRIC = (
    r"(?:finger[- ]?prints?|thumb[- ]?prints?|palm[- ]?(?:print|vein)s?|hand geometry"
    r"|iris(?: scan| image| pattern| code)?|retina(?:l)? (?:scan|image|pattern)|voice[- ]?prints?"
    r"|voice (?:recording|sample|pattern)|face[- ]?(?:print|id|recognition|template)"
    r"|facial recognition|biometrics?|gait signature|dna (?:profile|fingerprint|sample))"
)
_RECORD = (
    r"(?:scan|template|record|profile|hash|image|file|data|code|identifier|id|sample|recording"
    r"|enrollment|signature|reference|key)"
)

# Tried where a text holds something like a number.
NUMBERED = (
    strong(
        "mrn",
        "mrn mrns emrn hmrn mr m med medical chart patient pt hospital nhs record records emr file"
        " health clinic",
        r"(?:e|h|ho)?mrns?|mr(?=\s?(?:#|no\b|num))|m\.r\.n\.?|med(?:ical)?\.? ?rec(?:ord)?\.?s?"
        r"|nhs|emr id"
        r"|(?:patient|pt)\.? (?:id|identifier|identification|record|file|chart)|hospital id"
        r"|(?:medical|patient|hospital|clinic|health) (?:chart|record|file)s?",
        value=GROUPS,
    ),
    weak(
        "mrn",
        "chart patient pt hospital unit record file clinic",
        rf"chart|patient|pt|hospital|unit(?=\s{NUMBER})|record|file|clinic",
    ),
    strong(
        "ssn",
        "ss ssn ssns s social soc",
        r"ssns?|ss\s?#|s\.s\.n\.?|social security|soc\.? sec\.?|social",
        value=_SSN,
    ),
    plain("ssn", "", r"(?<![\w-])(?P<v>\d{3}-\d{2}-\d{4})(?![\w-])"),
    plain("ssn", "x xxx", r"(?<!\w)(?P<v>x{3}-x{2}-\d{4})(?!\w)"),
    strong(
        "health_plan",
        "health insurance medicare medicaid plan mbi hic hicn bcbs aetna cigna humana united"
        " unitedhealth unitedhealthcare kaiser shield cross",
        r"(?:(?:health[- ]?(?:plan|insurance|care plan)|insurance|medicare|medicaid|plan|mbi|hicn?"
        r"|blue cross(?: blue shield)?|bcbs|aetna|cigna|humana|united ?health(?:care)?|kaiser)"
        r" ?(?:plan|insurance|member|policy|beneficiary|subscriber|claim|card|group|policyholder)?"
        rf"{GAP}{NUMBER}|mbi|hicn)",
        value=GROUPS,
    ),
    weak(
        "health_plan",
        "member membership policy beneficiary subscriber enrollee group medicare medicaid"
        " insurance plan",
        r"(?:(?:health[- ]?plan|insurance|medicare|medicaid|plan|insurer|insured) ?)?"
        rf"(?:member(?:ship)?|policy|beneficiary|subscriber|enrollee|group(?=\s?{NUMBER})|medicare"
        r"|medicaid|insurance|health[- ]?plan)",
        value=GROUPS,
    ),
    weak(
        "account",
        "account acct a card routing guarantor invoice billing",
        r"(?:(?:bank|billing|hospital|patient|financial|checking|savings|guarantor|guarantor) )?"
        r"(?:account|acct\.?|a/c)|(?:credit|debit|payment) ?card|card|routing|guarantor|invoice"
        r"|billing",
        value=GROUPS,
    ),
    strong("account", "acct account", r"acct\.?|account", value=GROUPS, least=6),
    strong(
        "license",
        "npi dea cdl dl dln",
        r"npi|dea|cdl|(?<!/)dl(?=\s?[:#]|\s(?:no|num))|dln",
        value=GROUPS,
        least=5,
    ),
    weak(
        "license",
        "licence license licensure licenses certificate certification credential permit",
        r"(?:(?:driver['’]?s?|driving|medical|nursing|professional|pilot|state|pharmacist|rn"
        r"|marriage|birth|death|board|physician|dental|therapist|practitioner) )?"
        r"(?:licen[cs]e|licen[cs]ure|certificate|certification|credential|permit)"
        r"(?: of \w{1,12})?",
        value=GROUPS,
    ),
    strong(
        "license",
        "licence license",
        r"(?:driver['’]?s?|driving|medical|nursing|state|pilot) licen[cs]e",
        value=GROUPS,
    ),
    strong(
        "vehicle",
        "vin vins vehicle",
        r"(?:vehicle )?vins?|vehicle (?:identification|id|serial)",
        least=6,
    ),
    strong(
        "device",
        "serial n sn imei udi device implant pacemaker pump generator icd monitor sensor"
        " prosthesis stimulator aid ventilator cpap lead valve meter sensors",
        r"serial|s/n|sn(?=\s?[:#])|imei|udi|device (?:id|identifier|serial)"
        r"|(?:device|implant|pacemaker|pump|generator|icd|monitor|sensor|prosthesis|stimulator"
        r"|aid|ventilator|cpap|lead|valve|meter)s? (?:serial|id|identifier|s/n|unit)",
    ),
    weak(
        "device",
        "device implant pacemaker pump sensor prosthesis transmitter",
        r"device|implant|pacemaker|pump|sensor|prosthesis|transmitter",
    ),
    plain("device", "", r"(?P<v>\(01\)\d{14}(?:\(\d{2}\)[\w/-]{1,20}){1,4})"),
    strong(
        "other_id",
        "passport national tax taxpayer itin ein employee student subject participant enrollment"
        " inmate veteran donor voter badge military service registry resident staff dod research"
        " trial volunteer identity sample order transplant customer client case accession specimen"
        " encounter visit claim referral authorization prescription rx admission barcode biobank"
        " study wristband tracking confirmation reference",
        r"passport|national (?:id|identity|insurance|identification)|tax ?(?:payer)? ?id|itin|ein"
        r"|(?:employee|student|subject|participant|enrollment|inmate|veteran|donor|voter|badge"
        r"|military|service|study subject|study participant|registry|resident|staff|dod|research"
        r"|trial participant|volunteer|identity|sample|order|transplant|customer|client)"
        r" (?:id|identifier|identification|number|no\.?|code|badge|#)"
        r"|(?:case|accession|specimen|encounter|visit|badge|claim|referral|(?:prior )?authorization"
        r"|prescription|rx|admission|barcode|biobank|donor|study|wristband|tracking|confirmation"
        r"|reference) ?(?:id|identifier|number|no\.?|code|#)|rx\s?#",
    ),
    plain(
        "biometric",
        "fingerprint fingerprints finger thumbprint thumbprints thumb palm palmprint hand iris"
        " retina retinal voiceprint voiceprints voice faceprint face facial biometric biometrics"
        " gait dna",
        rf"(?P<v>\b{_BIOMETRIC}(?: {_RECORD})?(?:\s(?:on file|stored|enrolled|filed))?"
        r"(?:\s(?:under|as|in))?[^\w\n.;!?]{1,4}"
        rf"(?:(?:{NUMBER}|ref(?:erence)?\.?|is|was)[^\w\n;!?]{{1,4}})?"
        r"(?=(?:[A-Z_./-]{0,8}\d){4})[A-Z0-9]{1,20}(?:[-_./][A-Z0-9]{1,20}){0,6})(?!\w)",
    ),
)

# Tried where a text holds as many digits as a telephone number.
TELEPHONES = (
    strong(
        "fax",
        "fax faxed faxes telefax facsimile",
        r"(?:tele)?fax(?:es|ed)?(?:\s(?:line|number|the|results|records|summary|it|them|to"
        r"|at)){0,4}"
        r"|facsimile",
        value=_PHONE,
        least=7,
        gap=PHONE_GAP,
    ),
    strong(
        "phone",
        "telephone phone tel cell cellphone mobile cellular call called calling calls callback"
        " pager beeper contact contacted reach reached reachable dial ring text texted ph home work"
        " landline whatsapp sms voicemail",
        r"(?:tele)?phone|tel|cell(?:phone)?|mobile|cellular|call(?:ed|ing|s|back)?|pager|beeper"
        r"|contact(?:ed)?|reach(?:ed|able)?|dial|ring|text(?:ed)?|ph|home|work|landline|whatsapp"
        r"|sms|voicemail",
        value=rf"{_CALL}{_PHONE}",
        least=7,
        gap=PHONE_GAP,
    ),
    plain(
        "phone",
        "",
        r"(?<![\w.,/-])(?P<v>(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}"
        r"(?:\s?(?:x|ext)\.?\s?\d{1,5})?)(?![\w/-]|\.\d)",
        least=10,
    ),
)

# Tried where a text holds one of their words.
WORDED = (
    plain(
        "vehicle",
        "plate plates tag tags registration",
        r"\b(?:(?:licen[cs]e|number|vehicle|registration|car|truck) (?:plates?|tags?|registration)"
        rf"|plates?|reg(?:istration)? plate)(?:\s(?:{NUMBER}|#))?[^\w\n.;!?]{{1,4}}"
        rf"(?:(?:is|was|reads|reading)\s)?[\"'“]?{_PLATE}",
    ),
    plain(
        "email",
        "email mail",
        r"mail\b[^.\n]{0,40}?\b(?P<v>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4})",
    ),
    plain(
        "other_id",
        "username user login twitter instagram facebook social screen skype handle tiktok",
        r"\b(?:user ?name|user id|login|twitter|instagram|facebook|social media|screen name|skype"
        r"|handle|tiktok)(?: (?:handle|name|id|account|user))?\s?(?:is|:|=)?\s?"
        r"(?P<v>@\w{3,30}|(?<=[:=]\s)[\w.-]{0,30}[\d_.][\w.-]{1,30}\b)",
    ),
    plain(
        "biometric",
        "fingerprint fingerprints thumbprint thumbprints voiceprint voiceprints biometric"
        " biometrics iris faceprint palm",
        rf"(?P<v>\b{_BIOMETRIC}(?: {_RECORD})?)"
        r"(?=(?: \w{2,12}){0,3} (?:on file|enrolled|captured|registered|stored|verified)\b)",
    ),
    plain(
        "photo",
        _PHOTO_WORDS,
        rf"\b(?P<v>(?:{_PERSONS} )?(?:{_FACE} {_PICTURE}|full[- ]face {_PICTURE}s"
        rf"|head[- ]?shot)(?: {_PERSONS})?)\b{_SHOWN}",
    ),
    plain(
        "photo",
        _PHOTO_WORDS,
        rf"\b(?P<v>{_PICTURE} (?:{_PERSONS}(?:['’]s)? face|showing (?:his|her|the patient['’]s)"
        rf" (?:full )?face)|(?:patient|his|her)(?:['’]s)? {_PICTURE})\b{_SHOWN}",
    ),
    plain(
        "photo",
        _PHOTO_WORDS,
        rf"\b{_KEPT}:?\s(?:\w{{1,10}}\s){{0,3}}?(?P<v>(?:{_FACE} {_PICTURE}|head[- ]?shot"
        rf"|{_PICTURE} {_PERSONS})(?: {_PERSONS})?)\b",
    ),
    plain(
        "photo",
        "jpg jpeg png heic tif tiff bmp gif",
        r"(?<![\w'’-])(?P<v>[\w'’-]{0,40}?(?<![a-z])(?:face|facial|portrait|headshot|patient"
        r"|selfie)"
        rf"(?![a-z])[\w'’-]{{0,40}}{_IMAGE})",
    ),
)
