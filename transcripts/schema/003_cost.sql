-- Where a reply came from. cached: said before, taken from the cache, at no cost; fingerprint: what the service called the
-- state of its model. Both are empty where there is nothing to say.
ALTER TABLE attempt ADD COLUMN cached BOOLEAN;
ALTER TABLE attempt ADD COLUMN fingerprint VARCHAR;

-- US dollars counted against the budget when a run stopped: what replies cost, and the most that calls without one may have cost.
ALTER TABLE stop ADD COLUMN spent DOUBLE;
