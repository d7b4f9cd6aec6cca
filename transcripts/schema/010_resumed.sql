-- One line each time a run was taken up again: what played it from then on, and in what that differs from what began it.
CREATE TABLE resumed (run VARCHAR, written DOUBLE, versions JSON, commit VARCHAR, differs JSON);

-- A person is not paid by the call; a sentinel is.
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
