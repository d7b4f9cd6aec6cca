-- One hash per ended episode, over every column of its rows, and one root per run over the episodes, arms and benchmarks.
-- Whoever has noted a run's root finds an edited word, a deleted turn, a missing episode, and hashes computed anew.
CREATE TABLE seal (run VARCHAR, episode INTEGER, written DOUBLE, hash VARCHAR);
CREATE TABLE root (run VARCHAR, written DOUBLE, episodes INTEGER, root VARCHAR);
