-- Forks, and the level of kept scores.

-- An episode that repeats another up to a turn, where one thing was changed. origin_*: the episode it repeats; copy: which of
-- several with other seeds, 0 with the seeds of the origin; turn: the first that is not repeated; change: what differs.
-- luck, tape: what the seats' chance and nature's draws are seeded by.
CREATE TABLE fork (
    run VARCHAR, episode INTEGER, origin_run VARCHAR, origin_episode INTEGER, copy INTEGER, turn INTEGER, change JSON, luck VARCHAR,
    tape VARCHAR
);

-- The level of the intervals of a set of scores.
ALTER TABLE score ADD COLUMN level DOUBLE;
