"""Reports: documents and figures made of plain rows. Knows no game and no store."""
