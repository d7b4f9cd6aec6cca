-- A person is not paid by the call, at the keyboard or in a browser.
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
GROUP BY ALL HAVING sum(c.calls) > 0;
