"""Words that tell names from other words: given names, and what never is part of a name.

Belongs here: word lists. Does not: how they are used (persons).
"""

from bioinstruct_dagster.curation.privacy.kinds import words

# Of many origins; those that are also words, months, drugs, places or eponyms are left out.
GIVEN = words(
    """
    aaron abdul abigail abraham adam adele adrian agnes ahmed aidan aisha alan albert alejandra
    alejandro alex alexander alexandra alexis alfred ali alice alicia alison allison alma alvin
    alyssa amanda amber amelia amina amir amit amy ana anders andre andrea andreas andrew andy
    angel angela angelica angie anil anita ann anna anne annette annie anthony antoine anton
    antonio anya arjun arlene arnold arthur arturo asha ashley astrid audrey ava barbara barry
    beatrice beatriz becky ben benjamin bernard bernice bertha beth bethany betty beverly bianca
    blanca bob bobby bonnie brad bradley brandi brandon brenda brendan brent brett brian bridget
    brittany bruce bryan caleb calvin camila camille candace cara carl carla carlos carmen carol
    caroline carolyn carrie cassandra catherine cathy cecilia cedric cesar charles charlie
    charlotte chen cheryl chloe chris christian christina christine christopher cindy claire
    clara clarence claudia clayton clifford clyde cody colin colleen connie connor constance
    corey courtney craig cristina crystal curtis cynthia daisy dale damian dan dana daniel
    daniela danielle danny darlene darren darryl dave david dean deanna deborah debra deepak
    deepika delia denise dennis derek derrick desmond devin diana diane diego dmitri dolores
    dominic don donald donna doris dorothy douglas duane dustin dwayne dwight earl ebony eddie
    edgar edith edna eduardo edward edwin eileen elaine eleanor elena eli elias elijah elisa
    elise elizabeth ella ellen elsa elsie emilia emilio emily emma emmanuel enrique eric erica
    erik erika erin ernest esperanza estelle esther ethan ethel eugene eunice eva evan evelyn
    fatima felicia felipe felix fernando fiona flora florence frances francesca francis
    francisco frank franklin fred freda frederick fritz gabriel gabriela gail gareth gary gavin
    geoffrey george gerald geraldine gerard gertrude gina giovanni gladys glen glenn gloria
    gordon grace graham greg gregory greta gretchen guadalupe gustavo gwen gwendolyn hannah hans
    harold harriet harry harvey hassan hattie hazel heather hector heidi helen helena henry
    herbert herman hilda hiroshi holly howard hugh hugo ian ibrahim ida ignacio imani ines
    ingrid irene irma irving isaac isabel isabella isaiah ivan jack jackie jackson jacob
    jacqueline jaime jake jamal james jamie jan jane janet janice janine jared jasmine jason
    javier jay jean jeanette jeanne jeff jeffery jeffrey jen jenna jennifer jenny jeremiah
    jeremy jerome jerry jesse jessica jesus jill jim jimmy jo joan joann joanna joanne jodi joe
    joel joey johan johanna john johnny jon jonas jonathan jorge jose josefina joseph josephine
    joshua joyce juan juana juanita judith judy julia julian juliana julie juliet julio june
    justin kaitlyn kara karen karim karl karla kate katherine kathleen kathryn kathy katie
    katrina kay kayla keith kelly kelsey ken kendra kenneth kenji kerry kevin khalid kim
    kimberly kirk krista kristen kristin kristina kristine kumar kurt kwame kyle lance lara
    larry latasha latoya laura lauren laurence laurie lawrence leah lee leila lena leo leon
    leona leonard leroy leslie leticia lewis liam lillian lily linda lindsay lindsey lionel lisa
    lloyd logan lois lola lonnie lori lorraine louis louise lucas lucia lucille lucy luis luisa
    luke luther luz lydia lynn mabel mackenzie madeline madison maggie mahmoud malcolm mandy
    manuel marc marcel marcella marcia marcus margaret margarita maria mariam marian mariana
    marie marilyn mario marion marisol marjorie marlene marsha marshall martha martin marvin
    mary mateo mathew matt matthew maureen maurice mauricio max maxine maya megan mei melanie
    melinda melissa melvin mercedes meredith michael micheal michele michelle miguel mike
    mildred milton mindy minh miranda miriam misty mitchell mohamed mohammad mohammed moira
    molly monica monique morgan mourad muhammad myra myrtle nadia nadine nancy naomi natalia
    natalie natasha nathan nathaniel neil nelson nia nicholas nichole nick nicole nikhil nina
    noah noel noor nora norma norman olga olive oliver olivia omar ophelia oscar otto pablo
    padma pamela pat patricia patrick patty paul paula pauline pedro peggy penelope penny percy
    perry pete peter philip phillip phyllis pierre pradeep priya rachel rafael rahul raj rajesh
    ralph ramon ramona randall randy raquel rashid raul ravi ray raymond rebecca regina reginald
    rekha rene renee reuben rhonda ricardo richard rick ricky rita rob robert roberta roberto
    robin robyn rochelle rodney rodrigo roger roland roman ron ronald rosa rosalind rosario
    rosemary rosie ross roxanne roy ruben ruby rudolph rudy russell ruth ryan sabrina sadie
    sally salvador sam samantha samir sammy samuel sandra sanjay santiago sara sarah saul scott
    sean sebastian serena sergio seth shane shannon shari sharon shaun shawn sheila shelby
    sheldon shelley sherri sherry shirley sidney silvia simon simone sofia sonia sonya sophia
    sophie stacey stacy stan stanislav stanley stella stephanie stephen steve steven stuart sue
    sunita susan susana suzanne sven sylvia tamara tami tammy tanya tara tasha tatiana ted
    terence teresa teri terrance terrell terri terry thelma theodore theresa thomas tiffany tim
    timothy tina todd tom tomas tommy toni tony tonya tracey traci tracy travis trevor tricia
    trisha troy tyler tyrone ursula valentina valerie vanessa vera vernon veronica vicente vicki
    vickie vicky victor victoria vijay vikram vincent viola violet vivian vladimir wade wallace
    walter wanda warren wayne wei wendell wendy wesley whitney wilbur wilfred willard william
    willie wilma winifred xavier yasmin yolanda yong yuki yusuf yvette yvonne zachary zainab zoe
    """
)
# What follows a title, a label or a given name, and makes no name of it.
NOT_NAMES = words(
    """
    a an the and or of in on at to for with was is has had presents presented reports reported
    patient name age aged male female dob date mrn sex gender id diagnosis symptoms history test
    tests scale index score criteria sign disease syndrome disorder hospital university
    institute college school center centre clinic health medical medicine memorial foundation
    street road avenue county city state report number summary cancer tumor cell cells virus
    fever palsy law method stain reaction phenomenon procedure operation splint catheter tube
    line node gland duct classification staging grade stage type group trial study studies
    hopkins meier wallis whitney barre barré pick tooth hodgkin lymphoma purpura aureus stokes
    eddy who what when where why how he she his her they their this that these those if no not
    none unknown anonymous blood pressure heart rate weight height temperature input output
    instruction question answer text note notes january february march april may june july
    august september october november december monday tuesday wednesday thursday friday saturday
    sunday generic brand drug medication medications doctor dr mr mrs ms nurse surgeon physician
    team department emergency intensive care unit primary general internal family american
    european national international united states kingdom new north south east west africa asia
    angeles francisco york diego louis antonio jose jersey mexico orleans zealand hampshire
    carolina dakota hematology haematology cardiology oncology neurology gastroenterology
    nephrology radiology pharmacy surgery pediatrics psychiatry dermatology urology colleague
    staff manager member editor customer acid sodium potassium vitamin insulin metformin
    sincerely regards best thank yours dear sir madam chief complaint assessment plan discharge
    admission follow up current past social physical exam hispanic caucasian african white black
    asian latino indian english spanish french german chinese
    """
)
