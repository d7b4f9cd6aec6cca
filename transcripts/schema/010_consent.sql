-- What a person at a page said to the text shown before anything else, once for each person. person: the anonymous name, as in
-- attempt.fingerprint; agreed: false, and the person saw nothing more; prompt: hash of the text, in table text.
CREATE TABLE consent (run VARCHAR, role VARCHAR, person VARCHAR, written DOUBLE, agreed BOOLEAN, prompt VARCHAR);
