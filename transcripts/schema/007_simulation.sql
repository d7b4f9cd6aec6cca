-- Learner against learner, simulated without words: one line per game, pair of learners and horizon. leader, follower: specs that
-- rebuild them; benchmarks: as `parlour benchmark --json` gives them, per round.
CREATE TABLE simulation (
    simulation VARCHAR PRIMARY KEY, written DOUBLE, game VARCHAR, game_fields JSON, leader JSON, follower JSON, rounds BIGINT,
    human_means JSON, ai_means JSON, benchmarks JSON, version VARCHAR
);

-- How often each cell (prompt * responses + response) was played up to a round, per seed; the rounds are thinned on a log grid.
CREATE TABLE curve (simulation VARCHAR, seed BIGINT, round BIGINT, plays BIGINT[]);

-- One line per simulated seed. switched: the last round whose prompt was not that of the round before.
CREATE TABLE simulated (simulation VARCHAR, seed BIGINT, switched BIGINT);
