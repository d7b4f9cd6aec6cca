-- One line each time a run was taken up again: what played it from then on, and in what that differs from what began it.
CREATE TABLE resumed (run VARCHAR, written DOUBLE, versions JSON, commit VARCHAR, differs JSON);
