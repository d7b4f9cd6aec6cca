"""Pure functions of arrays that know no game: linear programs, dynamic programs, roots, quadratures."""
