-- Calls whose intent is on record and whose reply is not: of a run that was cut off, those in flight at that moment, which may
-- have been answered and paid without reaching the record. Taken up again, such a call is made a second time under the same try.
-- A run under way shows its calls in flight. A person at the keyboard is not paid by the call.
CREATE VIEW possibly_paid AS
SELECT c.run, c.episode, c.turn, c.try, k.role, json_extract_string(m.seats, '$."' || k.role || '".agent') AS agent,
       sum(c.calls)::INTEGER AS calls
FROM (SELECT run, episode, turn, 0 AS try, 1 AS calls FROM ask
      UNION ALL SELECT run, episode, turn, try, 1 FROM call
      UNION ALL SELECT run, episode, turn, try, -1 FROM attempt) c
JOIN ask k USING (run, episode, turn)
JOIN episode e USING (run, episode)
JOIN arm m USING (run, arm)
WHERE agent IS DISTINCT FROM 'human'
GROUP BY ALL HAVING sum(c.calls) > 0;
