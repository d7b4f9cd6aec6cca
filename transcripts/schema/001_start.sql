-- The store: one DuckDB file. Rows come from journals, are never changed, and join on (run, episode, turn).

-- Which version of this schema the file has.
CREATE TABLE parlour (version INTEGER NOT NULL);

-- How far each journal has been taken in, by its file's name, which is its run's: taking it twice adds nothing, wherever it lies.
CREATE TABLE taken (journal VARCHAR PRIMARY KEY, bytes BIGINT NOT NULL);

-- One experiment. `design` is the whole design, `versions` the packages that played it, `commit` of the checkout if there is one.
CREATE TABLE run (
    run VARCHAR PRIMARY KEY, written DOUBLE, name VARCHAR, seed BIGINT, design JSON, versions JSON, commit VARCHAR
);

-- How a run ended, once for each time it was started: done, or stopped and why.
CREATE TABLE stop (run VARCHAR, written DOUBLE, status VARCHAR, why VARCHAR);

-- One cell of the design: a game, a protocol and who sits where, each as the spec that rebuilds it.
CREATE TABLE arm (
    run VARCHAR, arm VARCHAR, game VARCHAR, game_fields JSON, protocol VARCHAR, protocol_fields JSON, rules JSON, seats JSON,
    exact BOOLEAN
);

-- The analytic solutions of an arm's game under its protocol's rules. value: {role: number or null}.
CREATE TABLE benchmark (
    run VARCHAR, arm VARCHAR, name VARCHAR, kind VARCHAR, source VARCHAR, value JSON, measures JSON, note VARCHAR
);

-- One episode as it began. stratum: the state where states are finite; weight: its share of the arm's mean;
-- replicate: the same number under the same seed meets the same draws in every arm.
CREATE TABLE episode (
    run VARCHAR, episode INTEGER, written DOUBLE, arm VARCHAR, wording VARCHAR, persona VARCHAR, stratum VARCHAR, weight DOUBLE,
    replicate INTEGER, seed BIGINT, state JSON
);

-- How it ended: done, forfeit, or error (the provider's); `play` is what the payoffs were computed from.
CREATE TABLE ending (run VARCHAR, episode INTEGER, written DOUBLE, status VARCHAR, why VARCHAR, play JSON);

-- One question to a seat, written before the seat is called. news: only what was new to it; batch: the turn of the first
-- of those asked at once; want: the Move type owed.
CREATE TABLE ask (
    run VARCHAR, episode INTEGER, turn INTEGER, written DOUBLE, batch INTEGER, role VARCHAR, want VARCHAR, optional BOOLEAN, seed BIGINT,
    news JSON USING COMPRESSION zstd
);

-- The intent of every further call for the same ask (the ask itself is the intent of the first).
CREATE TABLE call (run VARCHAR, episode INTEGER, turn INTEGER, try INTEGER, written DOUBLE);

-- What came back. verdict: ok, invalid, truncated, refusal, error (no reply: the provider failed). move: as it was understood.
-- prompt: hash of the ask in words, in table text. tokens as the provider counted them; cost in US dollars; latency in seconds.
CREATE TABLE attempt (
    run VARCHAR, episode INTEGER, turn INTEGER, try INTEGER, written DOUBLE, words VARCHAR USING COMPRESSION zstd, verdict VARCHAR, complaint VARCHAR, finish VARCHAR,
    move JSON, prompt VARCHAR, model VARCHAR, tokens_in INTEGER, tokens_out INTEGER, cost DOUBLE, latency DOUBLE
);

-- Nature's draws, with the chances they were drawn from.
CREATE TABLE draw (run VARCHAR, episode INTEGER, turn INTEGER, written DOUBLE, what VARCHAR, chances DOUBLE[], draw INTEGER);

-- What each role got: gross of and net of its fees for talk; mean: expected net payoff given the moves.
-- low, high: the least and greatest net payoff it could have had, for forfeited episodes.
CREATE TABLE payoff (
    run VARCHAR, episode INTEGER, role VARCHAR, gross DOUBLE, fee DOUBLE, net DOUBLE, mean DOUBLE, low DOUBLE, high DOUBLE
);

-- Estimates from rows alone, one set for each time `score` was run. quantity: payoff, gap, rate, channel...
CREATE TABLE score (
    run VARCHAR, written DOUBLE, scorer VARCHAR, version VARCHAR, arm VARCHAR, role VARCHAR, quantity VARCHAR, benchmark VARCHAR, value DOUBLE,
    low DOUBLE, high DOUBLE, worst DOUBLE, best DOUBLE, n INTEGER, clusters INTEGER, effective_n DOUBLE, method VARCHAR, note VARCHAR
);

-- Long texts once, by the first 128 bits of their SHA-256.
CREATE TABLE text (hash VARCHAR, text VARCHAR USING COMPRESSION zstd);

-- One line per episode and role: what a data frame wants, cluster columns included.
CREATE VIEW tidy AS
WITH replies AS (
    SELECT a.run, a.episode, k.role,
           count(*) FILTER (a.verdict IN ('invalid', 'truncated')) AS repairs,
           count(*) FILTER (a.verdict = 'refusal') AS refusals,
           count(*) FILTER (a.verdict = 'error') AS errors,
           any_value(a.model) AS model,
           sum(a.tokens_in) AS tokens_in, sum(a.tokens_out) AS tokens_out, sum(a.cost) AS cost, sum(a.latency) AS latency
    FROM attempt a JOIN ask k USING (run, episode, turn) GROUP BY ALL)
SELECT e.run, e.arm, m.game, m.protocol, e.episode, e.replicate, e.stratum, e.wording, e.persona, e.weight, e.seed,
       coalesce(n.status, 'unfinished') AS status, n.why, p.role,
       coalesce(json_extract_string(m.seats, '$."' || p.role || '".agent'), '') AS agent,
       r.model, p.gross, p.fee, p.net, p.mean, p.low, p.high, coalesce(r.repairs, 0) AS repairs,
       coalesce(r.refusals, 0) AS refusals, coalesce(r.errors, 0) AS errors, r.tokens_in, r.tokens_out, r.cost, r.latency
FROM episode e
JOIN arm m USING (run, arm)
LEFT JOIN ending n USING (run, episode)
LEFT JOIN payoff p USING (run, episode)
LEFT JOIN replies r ON (r.run, r.episode, r.role) = (p.run, p.episode, p.role);
