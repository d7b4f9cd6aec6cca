-- Sentinels: fixed questions put to each model again and again under a run, no part of any episode. One line when a question is put
-- (verdict asked, before the call) and one for what came of it: ok, invalid, truncated, refusal, error, or unmade where the budget
-- had no room. round: 0 at the start, 20 at the end; spec: the model and its settings; prompt: hash of the question, in table text.
CREATE TABLE sentinel (
    run VARCHAR, round INTEGER, item INTEGER, try INTEGER, written DOUBLE, spec JSON, seed BIGINT, verdict VARCHAR, words VARCHAR,
    complaint VARCHAR, finish VARCHAR, prompt VARCHAR, model VARCHAR, tokens_in INTEGER, tokens_out INTEGER, cost DOUBLE,
    latency DOUBLE, cached BOOLEAN, fingerprint VARCHAR
);

-- A person is not paid by the call, at the keyboard or in a browser; a sentinel is.
CREATE OR REPLACE VIEW possibly_paid AS
SELECT c.run, c.episode, c.turn, c.try, k.role, json_extract_string(m.seats, '$."' || k.role || '".agent') AS agent,
       sum(c.calls)::INTEGER AS calls
FROM (SELECT run, episode, turn, 0 AS try, 1 AS calls FROM ask
      UNION ALL SELECT run, episode, turn, try, 1 FROM call
      UNION ALL SELECT run, episode, turn, try, -1 FROM unmade
      UNION ALL SELECT run, episode, turn, try, -1 FROM attempt) c
JOIN ask k USING (run, episode, turn)
JOIN episode e USING (run, episode)
JOIN arm m USING (run, arm)
WHERE coalesce(agent, '') NOT IN ('human', 'web')
GROUP BY ALL HAVING sum(c.calls) > 0
UNION ALL
SELECT run, NULL, NULL, try, 'sentinel', spec ->> 'model', sum(if(verdict = 'asked', 1, -1))::INTEGER
FROM sentinel GROUP BY run, round, item, try, spec HAVING sum(if(verdict = 'asked', 1, -1)) > 0;
